import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { parsePasswdContent } from "../../../src/auth/passwd_content.ts";

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

test("names that differ in letter case are different users", () => {
  strictEqual(parse("alice:{PLAIN}a\nAlice:{PLAIN}b\n").entries.size, 2);
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
  deepStrictEqual(parse("alice\nbob:\ncarol:!\ndave:*::::::\n").faults, []);
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
