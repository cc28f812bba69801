import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { parsePasswdContent } from "../../../src/auth/user_file/passwd_content.ts";

const parse = (text: string) => parsePasswdContent(Buffer.from(text, "utf8"));

test("comments, blank lines, CRLF, a byte order mark and a missing last line end do no harm", () => {
  const { entries, faults } = parse("\ufeffalice:{PLAIN}a\r\n\r\n# bob\r\n\ncarol:{PLAIN}c");
  deepStrictEqual([...entries.keys()], ["alice", "carol"]);
  strictEqual(entries.get("alice")?.storedPassword, "{PLAIN}a");
  deepStrictEqual(faults, []);
});

test("of two entries for a user the first counts and the second is at fault", () => {
  const { entries, faults } = parse("alice:{PLAIN}a\nbob:{PLAIN}b\nalice:{PLAIN}c\n");
  strictEqual(entries.get("alice")?.storedPassword, "{PLAIN}a");
  strictEqual(entries.size, 2);
  deepStrictEqual(faults.map(({ line }) => line), [3]);
});

test("names that differ in letter case are one user's, who is spelt as in the entry that counts", () => {
  const { entries, faults } = parse(
    "Alice:{PLAIN}a\nbob:{PLAIN}b\nalice:{PLAIN}c\nALICE:{PLAIN}d\n",
  );
  deepStrictEqual([...entries.keys()], ["alice", "bob"]);
  strictEqual(entries.get("alice")?.user, "Alice");
  strictEqual(entries.get("alice")?.storedPassword, "{PLAIN}a");
  const reason = "the user is there already, spelt in other letter case; the first entry counts";
  deepStrictEqual(faults, [{ line: 3, reason }, { line: 4, reason }]);
});

test("users with SCRAM keys are counted by the shape of these, and locked ones are not", () => {
  const keys = (iterations: number, saltOctets: number) => {
    const base64 = (octets: number) => Buffer.alloc(octets, 1).toString("base64");
    return `{SCRAM-SHA-256}${iterations},${base64(saltOctets)},${base64(32)},${base64(32)}`;
  };
  const field = (text: string) => `popkeep_scram_sha_256=${text.slice("{SCRAM-SHA-256}".length)}`;
  const { scramShapes } = parse([
    `a:${keys(4_096, 16)}`,
    `b:{PLAIN}b::::::${field(keys(4_096, 16))}`,
    `c:{PLAIN}c::::::${field(keys(4_096, 12))}`,
    `d:!::::::${field(keys(8_192, 16))}`,
    "e:{PLAIN}e",
  ].join("\n"));
  deepStrictEqual(scramShapes, [
    { iterations: 4_096, saltOctets: 16, users: 2 },
    { iterations: 4_096, saltOctets: 12, users: 1 },
  ]);
});

test("a bad line is told by its number and skipped, and the others count", () => {
  const { entries, faults } = parse(
    "# users\nalice:{PLAIN}a\na/b:{PLAIN}hunter2\ncarol:{PLAIN}c\n",
  );
  deepStrictEqual([...entries.keys()], ["alice", "carol"]);
  deepStrictEqual(faults.map(({ line }) => line), [3]);
  ok(!JSON.stringify(faults).includes("hunter2"));
});

test("a line that is not UTF-8 is skipped", () => {
  const octets = Buffer.from("j\xfcrgen:{PLAIN}a\n# \xfc\nbob:{PLAIN}b\n", "latin1");
  const { entries, faults } = parsePasswdContent(octets);
  deepStrictEqual([...entries.keys()], ["bob"]);
  deepStrictEqual(faults, [{ line: 1, reason: "not UTF-8" }]);
});

test("a user whose password cannot be checked is there, and told", () => {
  const { entries, faults, checkable } = parse("alice:{CRAM-MD5}00\nbob:{PLAIN}b\n");
  ok(entries.has("alice"));
  deepStrictEqual(faults.map(({ line }) => line), [1]);
  deepStrictEqual([...checkable.values()], [["{PLAIN}b"]]);
});

test("users without a password and locked ones are nothing to tell", () => {
  deepStrictEqual(parse("bob:\ncarol:!\ndave:*::::::\n").faults, []);
});

test("a line that names nobody, or is no entry by the look of it, is told", () => {
  const { entries, faults } = parse(":{PLAIN}hunter2:\ngarbage line\n:\nbob:{PLAIN}b\n");
  deepStrictEqual([...entries.keys()], ["garbage line", "bob"]);
  deepStrictEqual(faults, [
    { line: 1, reason: "skipped: no user is named" },
    { line: 2, reason: 'there is no ":" in it, so the whole line is a user who has no password' },
  ]);
});

test("extra fields that mean something to Dovecot and nothing here are told, a line in one", () => {
  const { entries, faults } = parse(
    "alice:{PLAIN}a::::::userdb_mail=maildir:/srv/a nopassword userdb_note=x\n" +
      "bob:{PLAIN}b::::::nologin allow_nets=127.0.0.1 constructor\n" +
      "carol:{PLAIN}c::::::proxy host=192.0.2.1\n",
  );
  strictEqual(entries.size, 3);
  deepStrictEqual(faults, [
    {
      line: 1,
      reason: "the extra field nopassword is not honoured: the password has to be right all the " +
        "same",
    },
    {
      line: 3,
      reason: "the extra field proxy is not honoured: no login is handed on to another server; " +
        "the extra field host is not honoured: no login is handed on to another server",
    },
  ]);
});

test("an age of mail that is none is told: no mail goes by it, symptom: config check called it good", () => {
  const told = (field: string) => parse(`alice:{PLAIN}a::::::${field}\n`).faults[0]?.reason;
  for (const field of ["userdb_retention_read=30d", "retention_unread=0", "retention_read=1d12h"]) {
    strictEqual(told(field), undefined, field);
  }
  strictEqual(
    told("userdb_retention_unread=abc"),
    "the extra field retention_unread is not understood, and none of the user's mail goes by it: " +
      'it is no time such as "30d"',
  );
  match(told("retention_read=7m") ?? "", /it is less than a day$/);
});

test("a quota rule that is none is told: nobody knows how much its writer meant", () => {
  const told = (rule: string) => parse(`alice:{PLAIN}a::::::${rule}\n`).faults[0]?.reason;
  for (
    const rule of [
      "userdb_quota_rule=*:storage=1G",
      "quota_rule=*:storage=100M:messages=1000",
      "quota_rule2=Trash:storage=+10%",
      "quota_rule=*:bytes=1048576",
      "quota_rule=Spam:ignore",
    ]
  ) strictEqual(told(rule), undefined, rule);
  for (
    const rule of [
      "quota_rule=storage=1G",
      "quota_rule=*",
      "quota_rule=*:",
      "quota_rule=:storage=1G",
      "quota_rule=*:storage=lots",
      "quota_rule=*:storage=1.5G",
      "quota_rule=*:size=1G",
      "quota_rule=*:storage=1G:",
      "quota_rule=*:messages=+1000",
    ]
  ) ok(told(rule)?.startsWith("the extra field quota_rule is not understood"), rule);
  const { entries } = parse("alice:{PLAIN}a::::::userdb_quota_rule=*:storage=1G\n");
  strictEqual(entries.get("alice")?.extra["quota_rule"], "*:storage=1G");
});

test("weak schemes can be checked where they are named, and are told where they are not", () => {
  const file =
    "alice:{SSHA}rp3DNX2dmLTYy92qItw30NWQZIqD7RuK\nbob:$1$5fM9uUs7$bICTwc4LbewQ4jkbzvzyz0\n";
  const without = parse(file);
  deepStrictEqual(without.faults.map(({ line }) => line), [1, 2]);
  strictEqual(without.checkable.size, 0);
  const named = parsePasswdContent(Buffer.from(file), new Set(["SSHA", "MD5-CRYPT"]));
  deepStrictEqual([named.faults, named.checkable.size], [[], 2]);
});

test("it is told which secrets some users have, those of locked users not counted", () => {
  const kinds = (text: string) => [...parse(text).secretKinds];
  const hash = "popkeep_nt_hash=a4f49c406510bdcab6824ee7c30fd852";
  deepStrictEqual(kinds("alice:{PLAIN}a\n"), []);
  deepStrictEqual(kinds(`alice:{PLAIN}a\nbob:{PLAIN}b::::::${hash}\n`), ["ntHash"]);
  deepStrictEqual(kinds(`bob:!::::::${hash}\ncarol:{PLAIN}x::::::fail ${hash}\n`), []);
});

test("a password that cannot be checked is told otherwise where the user has other ways", () => {
  const hash = "popkeep_nt_hash=a4f49c406510bdcab6824ee7c30fd852";
  const [first, second] = parse(`al:{DES-CRYPT}x::::::${hash}\nbo:{DES-CRYPT}x\n`).faults;
  strictEqual(first?.reason, "no password is right: the scheme DES-CRYPT is not honoured");
  strictEqual(second?.reason, "the user cannot log in: the scheme DES-CRYPT is not honoured");
});

test("fifty thousand users are read", () => {
  const lines = Array.from(
    { length: 50_000 },
    (_, n) => `user${n}:{PLAIN}p${n}:1:1::/home/user${n}::`,
  );
  const { entries, checkable } = parse(lines.join("\n"));
  strictEqual(entries.size, 50_000);
  strictEqual([...checkable.values()].flat().length, 50_000);
  strictEqual(entries.get("user49999")?.home, "/home/user49999");
});
