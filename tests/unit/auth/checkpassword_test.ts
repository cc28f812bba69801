import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, test } from "node:test";
import { configure, reset } from "@logtape/logtape";
import {
  CheckpasswordDirectory,
  type CheckpasswordOptions,
} from "../../../src/auth/directories/checkpassword.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-checkpassword-`);
after(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;

/** Reads the request by the interface's rules: up to 512 octets, to the end of the file. */
const READ = 'user=""; password=""; { IFS= read -r user; IFS= read -r password; } <<END\n' +
  "$(head -c 512 <&3 | tr '\\000' '\\n')\nEND\nexec 3<&-\n";

/** A checkpassword program of some lines of shell. */
function program(lines: string, ...values: string[]): string[] {
  const path = `${folder}/program-${made++}`;
  writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return [path, ...values];
}

function open(lines: string, options: Partial<CheckpasswordOptions> = {}) {
  return new CheckpasswordDirectory({ program: program(lines), ...options });
}

const octets = (text: string) => Buffer.from(text);

/** Who has the password "right" may log in. */
const ORDINARY = `${READ}[ "$password" = right ] || exit 1
export USER="$user" HOME="/home/$user" SHELL=/bin/sh; cd / || exit 111; exec "$@"`;

test("a right password opens the entry that the program reports", async () => {
  deepStrictEqual(await open(ORDINARY).checkPassword("alice", octets("right"), undefined), {
    kind: "right",
    entry: {
      account: { user: "alice", home: "/home/alice", extra: {} },
      storedPassword: "",
      disabled: false,
    },
  });
});

test("a wrong password and an unknown user are wrong, also by vpopmail's codes", async () => {
  const wrong = { kind: "wrong" };
  deepStrictEqual(await open(ORDINARY).checkPassword("alice", octets("other"), undefined), wrong);
  for (const code of [1, 3, 20, 23]) {
    const directory = open(`exit ${code}`);
    deepStrictEqual(await directory.checkPassword("alice", octets("right"), undefined), wrong);
  }
});

test("what is neither right nor wrong is an error that says so", async () => {
  const cases: readonly [string, RegExp][] = [
    ["exit 111", /exited with 111, a temporary failure/],
    ["exit 2", /exited with 2, which says that it is not used as it wants to be/],
    ["exit 100", /exited with 100/],
    ["kill -TERM $$", /was ended by SIGTERM/],
    ['exec 4>&-; exec "$@"', /exited with/],
  ];
  for (const [lines, reason] of cases) {
    await rejects(open(lines).checkPassword("alice", octets("right"), undefined), reason);
  }
});

test("a program that says right without running the command lets nobody in", async () => {
  await rejects(
    open("exit 0").checkPassword("alice", octets("right"), undefined),
    /exited with 0 without running the command/,
  );
});

test("a program that cannot be run is an error", async () => {
  const missing = new CheckpasswordDirectory({ program: [`${folder}/there-is-none`] });
  await rejects(missing.checkPassword("alice", octets("right"), undefined), /cannot be run/);
  writeFileSync(`${folder}/no-program`, "text", { mode: 0o644 });
  const forbidden = new CheckpasswordDirectory({ program: [`${folder}/no-program`] });
  await rejects(forbidden.checkPassword("alice", octets("right"), undefined), /cannot be run/);
});

test("a program has to be named by an absolute path", () => {
  for (const path of ["checkpassword", "./checkpassword", ""]) {
    let message = "";
    try {
      new CheckpasswordDirectory({ program: [path] });
    } catch (error) {
      message = String(error);
    }
    ok(message.includes("absolute path"), message);
  }
});

test("descriptor 3 carries name, password and an empty timestamp, and then ends", async () => {
  const file = `${folder}/request`;
  const directory = open(`cat <&3 >${file}; exit 1`);
  await directory.checkPassword("zoë@example.com", octets(" pa ss\twörd\n"), undefined);
  strictEqual(readFileSync(file, "utf8"), "zoë@example.com\0 pa ss\twörd\n\0\0");
});

test("the arguments are the program's own and the command, and hold no secret", async () => {
  const file = `${folder}/arguments`;
  const lines = `for value; do printf '%s\\n' "$value"; done >${file}; exit 1`;
  const directory = new CheckpasswordDirectory({ program: program(lines, "-x", "a b;$(id)") });
  await directory.checkPassword("alice", octets("the-secret"), "192.0.2.7");
  const values = readFileSync(file, "utf8").split("\n");
  deepStrictEqual(values.slice(0, 3), ["-x", "a b;$(id)", "/bin/sh"]);
  ok(!values.join("\n").includes("the-secret"));
});

test("the environment is small, tells the client's address and has nothing of our own", async () => {
  const file = `${folder}/environment`;
  process.env["POPKEEP_TEST_SECRET"] = "hidden";
  await open(`/usr/bin/env >${file}; exit 1`).checkPassword(
    "al",
    octets("the-secret"),
    "192.0.2.7",
  );
  delete process.env["POPKEEP_TEST_SECRET"];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const names = lines.map((line) => line.slice(0, line.indexOf("=")));
  for (const line of ["PROTO=TCP", "SERVICE=pop3", "TCPREMOTEIP=192.0.2.7"]) {
    ok(lines.includes(line), line);
  }
  // The shell sets PWD, Deno names the descriptors.
  const known = ["PATH", "PROTO", "SERVICE", "TCPREMOTEIP", "ORIG_UID", "PWD"];
  deepStrictEqual(names.filter((name) => !known.includes(name) && !name.startsWith("DENO_")), []);
});

test("no descriptor beyond the two of the interface is handed over", async () => {
  const file = `${folder}/descriptors`;
  const lines = `for at in /proc/$$/fd/*; do printf '%s %s\\n' "\${at##*/}" "$(readlink "$at")"; ` +
    `done >${file}; exit 1`;
  // Something that is open while the program is started.
  writeFileSync(`${folder}/open`, "");
  const descriptor = openSync(`${folder}/open`, "r");
  await open(lines).checkPassword("alice", octets("right"), undefined);
  closeSync(descriptor);
  ok(!readFileSync(file, "utf8").includes(`${folder}/open`));
});

test("the name that the program reports is the account's", async () => {
  const directory = open('exec 3<&-; USER=alice@example.com; export USER; exec "$@"');
  const check = await directory.checkPassword("Alice", octets("right"), undefined);
  ok(check.kind === "right");
  deepStrictEqual(check.entry.account, { user: "alice@example.com", extra: {} });
});

test("the name as sent is the account's where the program reports none", async () => {
  const check = await open('exec "$@"').checkPassword("Alice", octets("right"), undefined);
  ok(check.kind === "right");
  strictEqual(check.entry.account.user, "Alice");
});

test("the variables that EXTRA names are extra fields, as in Dovecot", async () => {
  const directory = open(
    `export HOME=/home/a EXTRA="userdb_mail userdb_quota_rule plan password MISSING"
export userdb_mail="maildir:~/Mail
x=1" userdb_quota_rule="*:storage=1G" plan=gold password=secret other=1; exec "$@"`,
  );
  const check = await directory.checkPassword("alice", octets("right"), undefined);
  ok(check.kind === "right");
  deepStrictEqual(check.entry.account, {
    user: "alice",
    home: "/home/a",
    extra: { plan: "gold", mail: "maildir:~/Mail\nx=1", quota_rule: "*:storage=1G" },
  });
});

test("userdb_home goes before HOME", async () => {
  const directory = open('HOME=/a EXTRA=userdb_home userdb_home=/b exec "$@"');
  const check = await directory.checkPassword("alice", octets("right"), undefined);
  ok(check.kind === "right");
  strictEqual(check.entry.account.home, "/b");
});

test("nologin disables the account, and allow_nets says where from", async () => {
  const directory = open('EXTRA="nologin allow_nets" nologin=1 allow_nets=10.0.0.0/8 exec "$@"');
  const check = await directory.checkPassword("alice", octets("right"), undefined);
  ok(check.kind === "right");
  strictEqual(check.entry.disabled, true);
  strictEqual(check.entry.allowedNetworks?.("10.1.2.3"), true);
  strictEqual(check.entry.allowedNetworks?.("11.1.2.3"), false);
});

test("a report that no entry can be made of lets nobody in", async () => {
  const cases: readonly [string, RegExp][] = [
    ["USER=../root", /a user name cannot/],
    ["USER=", /a user name cannot be empty/],
    ["HOME=relative", /no absolute path/],
    ["EXTRA=allow_nets allow_nets=everywhere", /allow_nets is no list/],
  ];
  for (const [variables, reason] of cases) {
    const directory = open(`env ${variables} "$@"`);
    await rejects(directory.checkPassword("alice", octets("right"), undefined), reason);
  }
});

test("what the program writes to its standard output means nothing", async () => {
  const directory = open('echo HOME=/evil; printf "USER=root\\0"; HOME=/home/a exec "$@"');
  const check = await directory.checkPassword("alice", octets("right"), undefined);
  ok(check.kind === "right");
  deepStrictEqual(check.entry.account, { user: "alice", home: "/home/a", extra: {} });
});

test("a report without end is cut off, and an error", async () => {
  const directory = open("exec cat /dev/zero >&4", { timeLimitMs: 30_000 });
  await rejects(
    directory.checkPassword("alice", octets("right"), undefined),
    /reported too much/,
  );
});

test("credentials that the interface cannot carry are wrong, and no program runs", async () => {
  const file = `${folder}/ran`;
  const directory = open(`touch ${file}; exec "$@"`);
  const cases: readonly [string, string][] = [
    ["alice", ""],
    ["alice", "right\0"],
    ["alice", "x".repeat(512 - "alice".length - 2)],
    ["../alice", "right"],
    ["", "right"],
  ];
  for (const [user, password] of cases) {
    deepStrictEqual(await directory.checkPassword(user, octets(password), undefined), {
      kind: "wrong",
    });
  }
  strictEqual(existsSync(file), false);
});

test("the longest credentials that the interface carries arrive whole", async () => {
  const file = `${folder}/longest`;
  const password = "x".repeat(512 - "alice".length - 3);
  await open(`cat <&3 >${file}; exit 1`).checkPassword("alice", octets(password), undefined);
  strictEqual(readFileSync(file).length, 512);
});

test("a program that does not end is killed with all that it started, and others go on", async () => {
  const file = `${folder}/pids`;
  const hanging = open(`sleep 600 & echo "$$ $!" >${file}; wait`, { timeLimitMs: 3_000 });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const hung = rejects(
    hanging.checkPassword("alice", octets("right"), undefined),
    /took too long/,
  );
  const check = await open(ORDINARY).checkPassword("bob", octets("right"), undefined);
  strictEqual(check.kind, "right");
  await hung;
  clearInterval(timer);
  ok(ticks > 10, `the event loop stood still: ${ticks}`);
  for (const pid of readFileSync(file, "utf8").trim().split(" ")) await untilGone(pid);
});

test("a program that was killed has given back its turn", async () => {
  const directory = open(`${READ}[ "$user" = slow ] && exec sleep 600; exec "$@"`, {
    processes: 1,
    timeLimitMs: 3_000,
  });
  await rejects(directory.checkPassword("slow", octets("x"), undefined), /took too long/);
  const next = await directory.checkPassword("alice", octets("x"), undefined);
  strictEqual(next.kind, "right");
});

test("no more programs run at once than are set", async () => {
  const running = `${folder}/running`;
  const most = `${folder}/most`;
  const lines = `mkdir -p ${running}; touch ${running}/$$; ls ${running} | wc -l >>${most}
sleep 0.1; rm ${running}/$$; exit 1`;
  const directory = open(lines, { processes: 2 });
  const password = octets("x");
  await Promise.all(
    Array.from({ length: 6 }, () => directory.checkPassword("alice", password, undefined)),
  );
  const counts = readFileSync(most, "utf8").trim().split("\n").map(Number);
  strictEqual(counts.length, 6);
  ok(Math.max(...counts) <= 2, counts.join());
});

test("closing kills the programs that run, and fails the logins that wait", async () => {
  const file = `${folder}/closed`;
  const directory = open(`echo $$ >${file}; exec sleep 600`, { processes: 1 });
  const running = rejects(directory.checkPassword("alice", octets("x"), undefined), /closed/);
  const waiting = rejects(directory.checkPassword("bob", octets("x"), undefined), /closed/);
  while (!existsSync(file) || readFileSync(file, "utf8") === "") {
    await new Promise((done) => setTimeout(done, 5));
  }
  await directory.close();
  await Promise.all([running, waiting]);
  await rejects(directory.checkPassword("carl", octets("x"), undefined), /closed/);
  await untilGone(readFileSync(file, "utf8").trim());
});

test("nobody is found without a password", async () => {
  const directory = open(ORDINARY);
  strictEqual(directory.findsByName, false);
  strictEqual(await directory.lookUp(), undefined);
});

test("what a program complains of is in the log, unless the password is in it", async () => {
  const said = await complaintsOf(async () => {
    const complain = open("echo the database is away >&2; exit 111");
    await rejects(complain.checkPassword("alice", octets("right"), undefined));
    const trace = open(`${READ}echo "+ [ $password = right ]" >&2; exit 111`);
    await rejects(trace.checkPassword("alice", octets("the-secret"), undefined));
  });
  deepStrictEqual(said, ["the database is away"]);
});

test("a complaint that is cut ends before what may be the beginning of the password", async () => {
  const said = await complaintsOf(async () => {
    const lines = `${READ}printf '%01014d' 0 >&2; echo "$password" >&2; exit 111`;
    await rejects(open(lines).checkPassword("alice", octets("the-secret-word"), undefined));
  });
  strictEqual(said.length, 1);
  ok(!said.join().includes("the-"), said.join());
});

async function complaintsOf(work: () => Promise<void>): Promise<string[]> {
  const said: string[] = [];
  await configure({
    reset: true,
    sinks: { kept: ({ properties }) => void said.push(String(properties["said"])) },
    loggers: [
      { category: ["popkeep"], lowestLevel: "debug", sinks: ["kept"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    await work();
  } finally {
    await reset();
  }
  return said;
}

/** Gone, or dead and not yet reaped. */
async function untilGone(pid: string): Promise<void> {
  ok(/^[0-9]+$/.test(pid), `no process: "${pid}"`);
  for (;;) {
    let state = "";
    try {
      state = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "");
    } catch {
      return;
    }
    if (state.startsWith("Z")) return;
    await new Promise((done) => setTimeout(done, 5));
  }
}
