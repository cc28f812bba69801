import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { parsePasswdLine, type PasswdEntry } from "../../../src/auth/user_file/passwd_line.ts";

function entry(line: string): PasswdEntry {
  const parsed = parsePasswdLine(line);
  if (parsed === undefined || "fault" in parsed) throw new Error(parsed?.fault ?? "no entry");
  return parsed;
}

function faultOf(line: string): string | undefined {
  const parsed = parsePasswdLine(line);
  return parsed !== undefined && "fault" in parsed ? parsed.fault : undefined;
}

test("a full line has user, password, home and extra fields", () => {
  deepStrictEqual(
    entry(
      "alice@example.org:{PLAIN}x:1000:1000:Alice A:/home/alice:/bin/sh:userdb_quota=1G proxy=n",
    ),
    {
      user: "alice@example.org",
      storedPassword: "{PLAIN}x",
      home: "/home/alice",
      extra: { proxy: "n", quota: "1G" },
      disabled: false,
    },
  );
});

test("fields may be missing from the end", () => {
  for (const [line, password] of [["alice", ""], ["alice:", ""], ["alice:{PLAIN}x", "{PLAIN}x"]]) {
    deepStrictEqual(entry(line ?? ""), {
      user: "alice",
      storedPassword: password,
      extra: {},
      disabled: false,
    });
  }
  strictEqual(entry("alice:x:1:2::/srv/alice").home, "/srv/alice");
});

test("comments and lines without a user say nothing", () => {
  for (const line of ["", "# alice:x", "#", ":x:1:2", ":"]) {
    strictEqual(parsePasswdLine(line), undefined, line);
  }
});

test("the extra fields are the rest of the line, colons included", () => {
  const { extra, allowedNetworks } = entry(
    "alice:x::::::allow_nets=::1,2001:db8::/32 userdb_mail=maildir:~/M",
  );
  strictEqual(extra["allow_nets"], "::1,2001:db8::/32");
  strictEqual(extra["mail"], "maildir:~/M");
  ok(allowedNetworks?.("2001:db8::5"));
  ok(!allowedNetworks?.("127.0.0.1"));
});

test("the old form with a field for the mail location is understood", () => {
  strictEqual(entry("alice:x:1:1::/home/alice:::maildir:/srv/m").extra["mail"], "maildir:/srv/m");
});

test("runs of spaces between extra fields are one", () => {
  deepStrictEqual(entry("alice:x::::::a=1   b  c=").extra, { a: "1", b: "", c: "" });
});

test("userdb_home goes before the home field, and variables in it name the user", () => {
  const { home } = entry("Al@Ex.org:x::::/old::userdb_home=/srv/%d/%Ln/%{user}/100%%");
  strictEqual(home, "/srv/Ex.org/al/Al@Ex.org/100%");
});

test("nologin disables an account, whatever its value; userdb_nologin does not", () => {
  for (const extra of ["nologin", "nologin=", "nologin=y", "nologin=n"]) {
    ok(entry(`alice:x::::::${extra}`).disabled, extra);
  }
  ok(!entry("alice:x::::::userdb_nologin=y").disabled);
});

test("fail locks the password", () => {
  strictEqual(entry("alice:{PLAIN}x::::::fail").storedPassword, "!");
});

test("both restrictions of addresses must be met", () => {
  const { allowedNetworks } = entry("a:x::::::allow_nets=10.0.0.0/8 allow_real_nets=10.1.0.0/16");
  ok(allowedNetworks?.("10.1.2.3"));
  ok(!allowedNetworks?.("10.2.2.3"));
});

test("the user extra names another's mailbox", () => {
  strictEqual(entry("sales@a.org:x::::::user=alice@%d").opensMailboxOf, "alice@a.org");
});

test("passwords for other servers are not kept", () => {
  deepStrictEqual(entry("alice:x::::::pass=secret password=secret host=h").extra, { host: "h" });
});

test("extra fields with names of object machinery are ordinary", () => {
  const { extra } = entry("alice:x::::::__proto__=a constructor=b");
  strictEqual(Object.getOwnPropertyDescriptor(extra, "__proto__")?.value, "a");
  strictEqual(Object.getPrototypeOf(extra), Object.prototype);
});

test("a line that would be unsafe to take half of is at fault", () => {
  for (
    const line of [
      "../etc:x",
      "a/b:x",
      ".a:x",
      " alice:x",
      "al\x07ice:x",
      "alice:x::::home/alice",
      "alice:x::::::userdb_home=relative",
      "alice:x::::::userdb_home=/srv/%x",
      "alice:x::::::allow_nets=",
      "alice:x::::::allow_nets=example.org",
      "alice:x::::::allow_real_nets=10.0.0.0/99",
      "alice:x::::::user=../b",
    ]
  ) ok(faultOf(line) !== undefined, line);
});

test("a fault shows nothing of the line's password", () => {
  ok(!faultOf("alice:{PLAIN}hunter2::::relative")?.includes("hunter2"));
});
