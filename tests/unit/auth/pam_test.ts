import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import {
  openPamDirectory,
  type PamDirectory,
  type PamOptions,
} from "../../../src/auth/directories/pam.ts";
import { openPam } from "../../../src/auth/pam/linux_pam.ts";
import { PamServices } from "../../support/pam_service.ts";

const services = new PamServices();
const opened: PamDirectory[] = [];
after(async () => {
  await Promise.all(opened.map((directory) => directory.close()));
  services.remove();
});

/** No test here depends on this limit: it only ends what hangs. */
const LONG_MS = 60_000;

const PERMIT_ACCOUNT = "account required pam_permit.so";

function open(lines: readonly string[], options: PamOptions = {}): PamDirectory {
  const directory = openPamDirectory({
    service: services.add(...lines),
    confdir: services.folder,
    timeLimitMs: LONG_MS,
    ...options,
  });
  opened.push(directory);
  return directory;
}

/** Lines of a service whose users are alice and bob, with the password "right". */
function pwdfile(...users: readonly string[]): string[] {
  const file = services.passwords("alice", "bob", ...users);
  return [`auth required pam_pwdfile.so nodelay pwdfile=${file}`, PERMIT_ACCOUNT];
}

const octets = (text: string) => Buffer.from(text);
const WRONG = { kind: "wrong" };

test("a right password opens the entry of a user whom only PAM knows, without a home", async () => {
  const check = await open(pwdfile()).checkPassword("alice", octets("right"), undefined);
  deepStrictEqual(check, {
    kind: "right",
    entry: { account: { user: "alice", extra: {} }, storedPassword: "", disabled: false },
  });
});

test("a wrong password and an unknown user are wrong", async () => {
  const directory = open(pwdfile());
  deepStrictEqual(await directory.checkPassword("alice", octets("other"), undefined), WRONG);
  deepStrictEqual(await directory.checkPassword("nobody-here", octets("right"), undefined), WRONG);
});

test("a user of the system has the home that the system says", async () => {
  const directory = open(pwdfile("nobody"));
  const check = await directory.checkPassword("nobody", octets("right"), undefined);
  ok(check.kind === "right");
  deepStrictEqual(check.entry.account, { user: "nobody", home: homeOf("nobody"), extra: {} });
});

test("root and other accounts of the system's own are wrong, though the password is right", async () => {
  const directory = open(pwdfile("root", "daemon", "nobody"), { firstValidUid: 2 });
  for (const user of ["root", "daemon"]) {
    deepStrictEqual(await directory.checkPassword(user, octets("right"), undefined), WRONG);
  }
  const check = await directory.checkPassword("nobody", octets("right"), undefined);
  strictEqual(check.kind, "right");
});

test("PAM is not asked about an account that may not log in", async () => {
  const file = `${services.folder}/asked`;
  const script = services.script(`echo "$PAM_USER" >>${file}; exit 1`);
  const directory = open([`auth required pam_exec.so quiet ${script}`, PERMIT_ACCOUNT]);
  await rejects(directory.checkPassword("alice", octets("x"), undefined));
  deepStrictEqual(await directory.checkPassword("root", octets("x"), undefined), WRONG);
  const [first, second] = readFileSync(file, "utf8").trim().split("\n");
  strictEqual(first, "alice");
  ok(second !== undefined && second !== "root", String(second));
});

test("a user whom a module puts in the place of another has his own entry, and his own uid", async () => {
  // pam_ftp takes the first of its users for all of them.
  const mapping = (user: string) =>
    open([
      `auth optional pam_ftp.so ignore users=${user},visitor`,
      ...pwdfile(user, "visitor"),
    ]);
  const mapped = await mapping("nobody").checkPassword("visitor", octets("right"), undefined);
  ok(mapped.kind === "right");
  strictEqual(mapped.entry.account.user, "nobody");
  strictEqual(mapped.entry.account.home, homeOf("nobody"));
  deepStrictEqual(
    await mapping("root").checkPassword("visitor", octets("right"), undefined),
    WRONG,
  );
});

test("a service that asks for no password lets nobody in", async () => {
  const directory = open(["auth required pam_permit.so", PERMIT_ACCOUNT]);
  await rejects(
    directory.checkPassword("alice", octets("right"), undefined),
    /lets users in without asking for a password/,
  );
});

test("a service that denies all is wrong", async () => {
  const directory = open(["auth required pam_deny.so", PERMIT_ACCOUNT]);
  deepStrictEqual(await directory.checkPassword("alice", octets("right"), undefined), WRONG);
});

test("a service that is not there, and a module that fails, are errors", async () => {
  const missing = open([], { service: "there-is-none" });
  await rejects(missing.checkPassword("alice", octets("right"), undefined), /"there-is-none"/);
  const failing = open(["auth required pam_exec.so quiet /bin/false", PERMIT_ACCOUNT]);
  await rejects(failing.checkPassword("alice", octets("right"), undefined), /PAM cannot tell/);
  const unknown = open(["auth required pam_there_is_none.so", PERMIT_ACCOUNT]);
  await rejects(unknown.checkPassword("alice", octets("right"), undefined), /PAM cannot tell/);
});

test("an account that its own rules keep out is disabled to who knows the password", async () => {
  const file = services.passwords("alice");
  const directory = open([
    `auth required pam_pwdfile.so nodelay pwdfile=${file}`,
    "account required pam_deny.so",
  ]);
  const check = await directory.checkPassword("alice", octets("right"), undefined);
  ok(check.kind === "right");
  strictEqual(check.entry.disabled, true);
  deepStrictEqual(await directory.checkPassword("alice", octets("other"), undefined), WRONG);
});

test("account rules that cannot tell are an error", async () => {
  const directory = open([pwdfile()[0]!, "account required pam_exec.so quiet /bin/false"]);
  await rejects(directory.checkPassword("alice", octets("right"), undefined), /PAM cannot tell/);
});

test("modules are told the client's address, the service and the terminal", async () => {
  const file = `${services.folder}/told`;
  const script = services.script(`echo "$PAM_RHOST $PAM_TTY $PAM_SERVICE $PAM_RUSER" >${file}`);
  const lines = [`auth optional pam_exec.so quiet ${script}`, ...pwdfile()];
  const service = services.add(...lines);
  const directory = open([], { service });
  await directory.checkPassword("alice", octets("right"), "2001:db8::7");
  strictEqual(readFileSync(file, "utf8"), `2001:db8::7 popkeep ${service} \n`);
});

test("a password arrives octet by octet", async () => {
  const file = `${services.folder}/password`;
  const script = services.script(`cat >${file}`);
  const directory = open([
    `auth required pam_exec.so quiet expose_authtok ${script}`,
    PERMIT_ACCOUNT,
  ]);
  const password = Buffer.from(" pä\tss\x01\xffwörd ", "latin1");
  await directory.checkPassword("alice", password, undefined);
  deepStrictEqual(readFileSync(file).subarray(0, password.length), password);
});

test("the longest password that PAM takes is taken, and a longer one is wrong", async () => {
  const file = `${services.folder}/long`;
  const script = services.script(`wc -c >${file}`);
  const directory = open([
    `auth required pam_exec.so quiet expose_authtok ${script}`,
    PERMIT_ACCOUNT,
  ]);
  const longest = await directory.checkPassword("alice", Buffer.alloc(511, "x"), undefined);
  strictEqual(longest.kind, "right");
  const longer = await directory.checkPassword("alice", Buffer.alloc(512, "x"), undefined);
  deepStrictEqual(longer, WRONG);
});

test("names and passwords that PAM cannot be told are wrong, and PAM is not asked", async () => {
  const file = `${services.folder}/asked-oddly`;
  const script = services.script(`touch ${file}`);
  const directory = open([`auth required pam_exec.so quiet ${script}`, PERMIT_ACCOUNT]);
  const cases: readonly [string, string][] = [
    ["alice", ""],
    ["alice", "right\0"],
    ["../alice", "right"],
    ["al\0ice", "right"],
    ["", "right"],
  ];
  for (const [user, password] of cases) {
    deepStrictEqual(await directory.checkPassword(user, octets(password), undefined), WRONG);
  }
  strictEqual(existsSync(file), false);
});

test("a module's delay after a failure holds no thread", async () => {
  const directory = open(["auth optional pam_faildelay.so delay=600000000", ...pwdfile()]);
  deepStrictEqual(await directory.checkPassword("alice", octets("other"), undefined), WRONG);
});

test("a module that hangs costs its login, not others and not the event loop", async () => {
  const release = `${services.folder}/release`;
  const script = services.script(
    `[ "$PAM_USER" = slow ] || exit 0; while [ ! -e ${release} ]; do sleep 0.1; done`,
  );
  const directory = open([`auth optional pam_exec.so quiet ${script}`, ...pwdfile()], {
    threads: 2,
    timeLimitMs: 4_000,
  });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const hung = rejects(
    directory.checkPassword("slow", octets("right"), undefined),
    /took too long|did not answer/,
  );
  const beside = await directory.checkPassword("alice", octets("right"), undefined);
  strictEqual(beside.kind, "right");
  await hung;
  clearInterval(timer);
  ok(ticks > 20, `the event loop stood still: ${ticks}`);
  for (let i = 0; i < 3; i++) {
    const next = await directory.checkPassword("bob", octets("right"), undefined);
    strictEqual(next.kind, "right");
  }
  writeFileSync(release, "");
});

test("logins at the same time get each his own answer", async () => {
  const directory = open(pwdfile());
  const checks = await Promise.all(
    Array.from(
      { length: 40 },
      (_, i) =>
        directory.checkPassword(
          i % 2 === 0 ? "alice" : "bob",
          octets(i % 3 === 0 ? "right" : "wrong"),
          `192.0.2.${i}`,
        ),
    ),
  );
  deepStrictEqual(
    checks.map((check) => check.kind === "right" ? check.entry.account.user : "wrong"),
    checks.map((_, i) => i % 3 === 0 ? (i % 2 === 0 ? "alice" : "bob") : "wrong"),
  );
});

test("system accounts are found by name, those that may log in", async () => {
  const directory = open(["auth required pam_deny.so", PERMIT_ACCOUNT]);
  strictEqual(directory.findsByName, true);
  deepStrictEqual(await directory.lookUp("nobody"), {
    account: { user: "nobody", home: homeOf("nobody"), extra: {} },
    storedPassword: "",
    disabled: false,
  });
  for (const user of ["root", "daemon", "nobody-here", "", "../etc"]) {
    strictEqual(await directory.lookUp(user), undefined, user);
  }
});

test("an account that is found by name and kept out by its rules is disabled", async () => {
  const directory = open(["auth required pam_deny.so", "account required pam_deny.so"]);
  strictEqual((await directory.lookUp("nobody"))?.disabled, true);
});

test("a closed directory cannot tell", async () => {
  const directory = open(pwdfile());
  await directory.close();
  await rejects(directory.checkPassword("alice", octets("right"), undefined), /closed/);
});

test("a system without PAM is told by what to install", () => {
  throws(() => openPam(["libthere_is_no_pam.so.0"]), /install the package libpam0g/);
});

function homeOf(user: string): string {
  const line = readFileSync("/etc/passwd", "utf8").split("\n")
    .find((line) => line.startsWith(`${user}:`));
  return line!.split(":")[5]!;
}
