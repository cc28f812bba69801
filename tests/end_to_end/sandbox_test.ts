/**
 * The unit's sandbox, as far as it can be tried without a running systemd: its file is right, and a whole
 * session works with the system calls refused that it refuses, and the system as it shows it.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { storedPassword } from "../../src/cli/user_file.ts";
import { twoFreePorts } from "../support/free_port.ts";
import { deliverAs, giveTo } from "../support/root_start.ts";
import { PASSWORD, popkeepCommand, RunningServer, writeCertificate } from "../support/server.ts";
import { logged } from "./server_log.ts";

const UNIT = new URL("../../share/popkeep.service", import.meta.url);
const unit = readFileSync(UNIT, "utf8");

/** Nobody that the system knows. */
const USER = "54321";

const has = (program: string) =>
  ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].some((folder) => existsSync(`${folder}/${program}`));

const skip = process.getuid?.() !== 0
  ? "takes root"
  : ["systemd-analyze", "strace", "setpriv", "unshare"].every(has)
  ? false
  : "takes systemd-analyze, strace, setpriv and unshare";

/** The values of a directive, in their order. */
function directives(key: string): string[] {
  return [...unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value]) => value!);
}

function analyze(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", words, { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  return stdout + stderr;
}

test("systemd finds no fault in the unit, and little that is left open", { skip }, () => {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-unit-`);
  try {
    const file = `${folder}/popkeep.service`;
    // What it starts has to be there.
    writeFileSync(file, unit.replace(/^ExecStart=.*$/m, "ExecStart=/bin/true"));
    assert.equal(analyze("verify", "--man=no", file).trim(), "");
    // In tenths; the page says what they are for.
    analyze("security", "--offline=true", "--threshold=15", "--no-pager", file);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The system calls of a set of systemd's, those of the sets in it among them. */
function callsOf(set: string): Set<string> {
  const lines = analyze("syscall-filter", set).split("\n").slice(1).map((line) => line.trim());
  const calls = new Set<string>();
  for (const name of lines.filter((line) => line !== "" && !line.startsWith("#"))) {
    if (name.startsWith("@")) { for (const call of callsOf(name)) calls.add(call); }
    else calls.add(name);
  }
  return calls;
}

/** Those that the unit lets through: of each line the sets and calls are added, or with "~" taken away. */
function allowedCalls(): Set<string> {
  const allowed = new Set<string>();
  for (const line of directives("SystemCallFilter")) {
    for (const set of line.replace("~", "").split(" ")) {
      for (const call of set.startsWith("@") ? callsOf(set) : [set]) {
        if (line.startsWith("~")) allowed.delete(call);
        else allowed.add(call);
      }
    }
  }
  return allowed;
}

interface Confined {
  /** The command line that is put before popkeep's. */
  readonly before: (folder: string) => readonly string[];
  readonly settings?: string;
}

/** As the unit's user: no right but to listen on ports, and no way to another one. */
const AS_USER = [
  "setpriv",
  `--reuid=${USER}`,
  `--regid=${USER}`,
  "--clear-groups",
  "--bounding-set=-all,+net_bind_service",
  "--inh-caps=-all,+net_bind_service",
  "--ambient-caps=-all,+net_bind_service",
  "--no-new-privs",
];

/** Runs `work` with a server that is started so. */
async function withConfined(
  { before, settings = "" }: Confined,
  work: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-sandbox-`);
  const ports = await twoFreePorts();
  const password = new TextEncoder().encode(PASSWORD);
  const users: string[] = [];
  for (
    const [user, scheme] of [["alice", "ARGON2ID"], ["bob", "SHA512-CRYPT"], ["carol", "PLAIN"]]
  ) {
    users.push(`${user}:${await storedPassword(scheme!, password)}::::${folder}/home/${user}::\n`);
  }
  mkdirSync(`${folder}/home`);
  writeFileSync(`${folder}/users`, users.join(""), { mode: 0o600 });
  await writeCertificate(folder);
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:${ports[0]}"]
ssl_bindings = ["127.0.0.1:${ports[1]}"]
never_blocked_addresses = ["127.0.0.0/8"]
login_type = "plaintext_login"
protocol_log = true
${settings}
[[certificates]]
certificate_file = "certificate.pem"
key_file = "key.pem"
`,
  );
  giveTo(USER, folder);
  chmodSync(folder, 0o755);
  const words = [
    ...before(folder),
    ...popkeepCommand(),
    "serve",
    "--config",
    `${folder}/popkeep.toml`,
  ];
  const child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
  const server = new RunningServer(folder, ports, child);
  let popkeep = 0;
  try {
    popkeep = Number((await logged(server, { since: 0, message: "popkeep starts" }))["process"]);
    await logged(server, { since: 0, message: "ready" });
    await work(server);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
    process.kill(popkeep, "SIGTERM");
    // Whoever runs it ends with it.
    assert.equal(await server.halt("SIGCONT"), 0);
    popkeep = 0;
  } finally {
    // It would outlive strace.
    if (popkeep !== 0) process.kill(popkeep, "SIGKILL");
    await server.stop();
  }
}

/** Each kind of hash, both kinds of TLS, and everything that writes. */
async function wholeSession(server: RunningServer): Promise<void> {
  for (const user of ["alice", "bob", "carol"]) {
    deliverAs(USER, server, user, `Subject: ${user}\n\nthe body\n`);
    deliverAs(USER, server, user, `Subject: second\n\n${"a line\n".repeat(100_000)}`);
    const client = await server.connect({ tls: user === "alice" });
    if (user === "bob") await client.stls();
    await client.login(user, PASSWORD);
    assert.match(await client.ok("STAT"), /^2 /);
    assert.ok((await client.retrieve("RETR 1")).includes(user));
    assert.ok((await client.retrieve("RETR 2")).length > 700_000);
    await client.ok("DELE 2");
    await client.quit();
    const list = `${server.homeOf(user)}/Maildir/popkeep-uidlist`;
    const { uid, mode } = statSync(list);
    assert.deepEqual([uid, mode & 0o777], [Number(USER), 0o600]);
  }
  const wrong = await server.connect();
  await wrong.ok("USER nobody");
  await wrong.err("PASS wrong");
  await wrong.quit();
}

async function reloads(server: RunningServer): Promise<void> {
  const since = server.log.length;
  const popkeep = await logged(server, { since: 0, message: "popkeep starts" });
  process.kill(Number(popkeep["process"]), "SIGHUP");
  await logged(server, { since, message: "reloaded" });
}

test("a whole session needs no system call that the unit refuses", { skip }, async () => {
  const refused = `!?${[...allowedCalls()].join(",?")}`;
  await withConfined({
    before: (folder) => [
      ...AS_USER,
      ...["strace", "-f", "--seccomp-bpf", "-o", `${folder}/trace`],
      ...["-e", `trace=${refused}`, "-e", `inject=${refused}:error=EPERM`],
    ],
    settings: "workers = 2",
  }, async (server) => {
    await wholeSession(server);
    await reloads(server);
    const since = server.log.length;
    const worker = await logged(server, { since: 0, message: "worker serves", worker: 1 });
    process.kill(Number(worker["process"]), "SIGKILL");
    await logged(server, { since, message: "worker serves", worker: 1 });
    assert.ok(!/cannot be written|is forgotten/.test(server.log), server.log);
  });
});

/**
 * ProtectSystem=strict, ProtectProc=invisible, PrivateDevices: all is read-only but the folder, and processes
 * of others are not seen.
 */
const AS_SHOWN = `set -e
mount --make-rprivate /
mount --bind "$0" "$0"
awk '{ print $5 }' /proc/self/mountinfo | sort -ru | while read -r place; do
  [ "$place" = "$0" ] || mount -o remount,bind,ro "$place" 2>/dev/null || true
done
mount -t tmpfs -o mode=755 dev /dev
for device in null zero full random urandom; do
  case $device in null) minor=3 ;; zero) minor=5 ;; full) minor=7 ;; random) minor=8 ;; *) minor=9 ;; esac
  mknod -m 666 /dev/$device c 1 $minor
done
mount -t proc -o hidepid=invisible proc /proc
if touch /usr/popkeep-was-here 2>/dev/null; then echo "the system can be written" >&2; exit 1; fi
exec "$@"
`;

for (const workers of [1, 2]) {
  test(`a whole session needs nothing but the mail to be written, with workers = ${workers}`, {
    skip,
  }, () =>
    withConfined({
      before: (folder) => ["unshare", "-m", "sh", "-c", AS_SHOWN, folder, ...AS_USER],
      settings: `workers = ${workers}`,
    }, async (server) => {
      await wholeSession(server);
      await reloads(server);
      assert.ok(!/unwise|cannot be written/.test(server.log), server.log);
    }));
}

/** Who holds a lock, as popkeep writes it: the kernel's boot, the namespace of processes, process, start. */
function holder(pid: number): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  const namespace = readlinkSync("/proc/self/ns/pid").replace(/[^0-9]/g, "");
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "latin1") : "";
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "1";
  return `${boot}/${namespace} ${pid} ${start} aabb\n`;
}

test(
  "whose lock nobody holds any more is seen where other users' processes are not",
  { skip },
  () =>
    withConfined({
      before: (folder) => ["unshare", "-m", "sh", "-c", AS_SHOWN, folder, ...AS_USER],
      settings: "",
    }, async (server) => {
      deliverAs(USER, server, "alice", "Subject: one\n\nthe body\n");
      const lock = `${server.homeOf("alice")}/Maildir/popkeep-uidlist.lock`;
      // Somebody's who shows all the time that he lives: it is never stale by being watched.
      const touching = setInterval(() => {
        if (existsSync(lock)) utimesSync(lock, new Date(), new Date());
      }, 200);
      try {
        const gone = spawnSync("true").pid;
        writeFileSync(lock, holder(gone));
        await (await server.login("alice", { tls: true })).quit();
        assert.ok(!existsSync(lock), "the lock of a process that is gone");

        deliverAs(USER, server, "alice", "Subject: two\n\nthe body\n");
        // Root's, which is this test: it cannot be seen, and lives.
        writeFileSync(lock, holder(process.pid));
        const login = server.login("alice", { tls: true });
        await sleep(2_000);
        assert.equal(readFileSync(lock, "latin1"), holder(process.pid));
        rmSync(lock);
        const client = await login;
        assert.match(await client.ok("STAT"), /^2 /);
        await client.quit();
      } finally {
        clearInterval(touching);
      }
    }),
);
