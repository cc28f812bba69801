/**
 * Started as root: popkeep becomes the user that it is told, in every thread and every worker, for good; and
 * it never serves as root untold. What the kernel says of its threads counts, not what popkeep says.
 */

import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { RIGHT_HASH } from "../support/pam_service.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import type { RunningServer } from "../support/server.ts";
import { mayMakeAccounts, withSystemAccount } from "../support/system_account.ts";
import {
  deliverAs,
  ends,
  giveTo,
  type RootStarted,
  threadsOf,
  withRootStart,
} from "../support/root_start.ts";
import { logged } from "./server_log.ts";

const skip = mayMakeAccounts ? false : "takes root";

const SETTINGS = `
user = "USER"
maildir = "FOLDER/home/{user}/Maildir"
login_type = "plaintext_login"
log_level = "debug"
`;

const NONE = "0000000000000000";
/** CAP_NET_BIND_SERVICE alone. */
const LOW_PORTS = "0000000000000400";
const SETS = ["CapInh", "CapPrm", "CapEff", "CapAmb"];

/** All threads of a process are the user's, have these capabilities at most, and can have no more. */
function belongsTo(pid: number, { userId, groupId }: RootStarted, mostCapabilities = NONE): void {
  const threads = threadsOf(pid);
  assert.ok(threads.length > 1, "a runtime has several threads");
  for (const thread of threads) {
    const said = JSON.stringify([...thread]);
    assert.equal(thread.get("Uid"), Array(4).fill(userId).join("\t"), said);
    assert.equal(thread.get("Gid"), Array(4).fill(groupId).join("\t"), said);
    assert.ok(!thread.get("Groups")!.split(" ").includes("0"), said);
    assert.equal(thread.get("NoNewPrivs"), "1", said);
    for (const set of SETS) {
      assert.ok([NONE, mostCapabilities].includes(thread.get(set)!), `${set} ${said}`);
    }
  }
  const main = threads.find((thread) => thread.get("Pid") === String(pid))!;
  assert.equal(main.get("CapEff"), mostCapabilities);
  assert.equal(main.get("CapBnd"), mostCapabilities);
}

async function fetchesAndDeletes(server: RunningServer): Promise<void> {
  const client = await server.login("alice", { tls: true });
  assert.match(await client.ok("STAT"), /^1 /);
  await client.retrieve("RETR 1");
  await client.ok("DELE 1");
  await client.quit();
}

test(
  "root is left behind by every thread, with ports below 1024 and a key that only root can read",
  {
    skip,
  },
  () =>
    withRootStart(
      { settings: `${SETTINGS}protocol_log = true`, lowPorts: true },
      async (started) => {
        const { server, user, userId, groupId } = started;
        const { folder } = server;
        const pid = server.child.pid!;
        belongsTo(pid, started);
        // It has started itself anew meanwhile, and is still called by its own name.
        const [, program = ""] = /([^/]{1,15})[^/]*$/.exec(readlinkSync(`/proc/${pid}/exe`)) ?? [];
        assert.equal(readFileSync(`/proc/${pid}/comm`, "latin1"), `${program}\n`);
        deliverAs(user, server, "alice", "Subject: one\n\nbody\n");
        await fetchesAndDeletes(server);
        // Threads that were started since, for passwords and the disk, have no more.
        belongsTo(pid, started);

        const places: [path: string, mode: number][] = [
          [`${server.homeOf("alice")}/Maildir/popkeep-uidlist`, 0o600],
          [`${folder}/state`, 0o700],
          [`${folder}/state/made_up.key`, 0o600],
          [`${folder}/log`, 0o750],
        ];
        for (const [path, mode] of places) {
          const { uid, gid, mode: found } = statSync(path);
          assert.deepEqual([uid, gid, found & 0o777], [userId, groupId, mode], path);
        }
        assert.equal(await server.halt(), 0);
      },
    ),
);

test(
  "mail that the user may not read is not served, though root began",
  { skip },
  () =>
    withRootStart({ settings: SETTINGS }, async ({ server, user }) => {
      deliverAs(user, server, "alice", "Subject: one\n\nbody\n");
      giveTo("root", server.homeOf("alice"));
      chmodSync(server.homeOf("alice"), 0o700);
      const client = await server.connect();
      await client.ok("USER alice");
      assert.match((await client.err("PASS secret")).line, /^-ERR \[SYS\/PERM\]/);
      await client.quit();
    }),
);

test(
  "a reload reads what the user may read, and says what it may not",
  { skip },
  () =>
    withRootStart({ settings: SETTINGS, lowPorts: true }, async (started) => {
      const { server, user } = started;
      const { folder } = server;
      const settings = readFileSync(`${folder}/popkeep.toml`, "utf8");
      let since = server.log.length;
      server.signal("SIGHUP");
      const { fault } = await logged(server, { since, message: "fault in the settings" });
      assert.match(String(fault), /key\.pem, which this user may not read/);
      await logged(server, { since, message: "not reloaded; the old settings hold" });
      await (await server.connect({ tls: true })).quit();

      giveTo(user, `${folder}/key.pem`);
      since = server.log.length;
      server.signal("SIGHUP");
      await logged(server, { since, message: "reloaded" });

      writeFileSync(
        `${folder}/popkeep.toml`,
        settings.replace(`"127.0.0.1:${server.plainPort}"`, '"127.0.0.1:599"'),
      );
      since = server.log.length;
      server.signal("SIGHUP");
      const { reason } = await logged(server, {
        since,
        message: "not reloaded; the old settings hold",
      });
      assert.match(String(reason), /Cannot listen on 127\.0\.0\.1:599: this user may not/);
      await (await server.connect()).quit();
      belongsTo(server.child.pid!, started);
    }),
);

async function workerOf(server: RunningServer, since: number, worker: number): Promise<number> {
  const serves = await logged(server, { since, message: "worker serves", worker });
  return Number(serves["process"]);
}

test("supervisor and workers leave root, and a worker that is started again gets ports and key", {
  skip,
}, () =>
  withRootStart({ settings: `${SETTINGS}workers = 2`, lowPorts: true }, async (started) => {
    const { server, user } = started;
    deliverAs(user, server, "alice", "Subject: one\n\nbody\n");
    const first = await workerOf(server, 0, 1);
    const second = await workerOf(server, 0, 2);
    for (const pid of [server.child.pid!, first, second]) belongsTo(pid, started, LOW_PORTS);
    const since = server.log.length;
    process.kill(first, "SIGKILL");
    process.kill(second, "SIGKILL");
    for (const worker of [1, 2]) {
      belongsTo(await workerOf(server, since, worker), started, LOW_PORTS);
    }
    await fetchesAndDeletes(server);
    assert.equal(await server.halt(), 0);
  }));

test(
  "workers on ports that are anybody's keep no capability at all",
  { skip },
  () =>
    withRootStart({ settings: `${SETTINGS}workers = 2` }, async (started) => {
      const { server, user } = started;
      deliverAs(user, server, "alice", "Subject: one\n\nbody\n");
      for (const pid of [server.child.pid!, await workerOf(server, 0, 1)]) belongsTo(pid, started);
      await fetchesAndDeletes(server);
    }),
);

test(
  "a program that checks passwords runs as the user, and can become nobody else",
  { skip },
  () =>
    withRootStart({
      settings: `${SETTINGS}
[[directories]]
kind = "checkpassword"
program = ["FOLDER/check"]
`,
      prepare: (folder) => {
        writeFileSync(
          `${folder}/check`,
          `#!/bin/sh
grep -E '^(Uid|CapPrm|CapBnd|NoNewPrivs)' /proc/self/status >"${folder}/home/status"
export USER=alice HOME="${folder}/home/alice"
exec "$@"
`,
          { mode: 0o755 },
        );
      },
    }, async ({ server, user, userId }) => {
      deliverAs(user, server, "alice", "Subject: one\n\nbody\n");
      await fetchesAndDeletes(server);
      const status = readFileSync(`${server.folder}/home/status`, "latin1");
      const ids = Array(4).fill(userId).join("\t");
      assert.equal(
        status,
        `Uid:\t${ids}\nCapPrm:\t${NONE}\nCapBnd:\t${NONE}\nNoNewPrivs:\t1\n`,
      );
    }),
);

test(
  "told to, popkeep stays root",
  { skip },
  () =>
    withRootStart({ settings: SETTINGS.replace("USER", "root") }, async ({ server, user }) => {
      deliverAs(user, server, "alice", "Subject: one\n\nbody\n");
      await fetchesAndDeletes(server);
      assert.equal(threadsOf(server.child.pid!)[0]!.get("Uid"), "0\t0\t0\t0");
      // Its files belong to whom the mailbox belongs to.
      const { uid } = statSync(`${server.homeOf("alice")}/Maildir/popkeep-uidlist`);
      assert.equal(uid, statSync(`${server.homeOf("alice")}/Maildir`).uid);
    }),
);

/** Debian's service for programs without one of their own, which asks pam_unix for passwords. */
const SYSTEM_ACCOUNTS = `${SETTINGS}
[[directories]]
kind = "pam"
service = "other"
`;

test("PAM asks with the rights of the user, whose groups say whether it reads passwords", {
  skip,
}, async () => {
  await withSystemAccount(["--password", RIGHT_HASH], async (account) => {
    const password = (client: Pop3Client, text: string) => client.command(`PASS ${text}`);
    await withRootStart({ settings: SYSTEM_ACCOUNTS, groups: ["shadow"] }, async (started) => {
      const { server, user } = started;
      deliverAs(user, server, account, "Subject: one\n\nbody\n");
      const client = await server.connect({ tls: true });
      await client.ok(`USER ${account}`);
      assert.equal((await password(client, "wrong")).code, "AUTH");
      await client.ok(`USER ${account}`);
      assert.equal((await password(client, "right")).status, "+OK");
      assert.match(await client.ok("STAT"), /^1 /);
      await client.quit();
      belongsTo(server.child.pid!, started);
    });
    await withRootStart({ settings: SYSTEM_ACCOUNTS }, async ({ server }) => {
      const client = await server.connect({ tls: true });
      await client.ok(`USER ${account}`);
      // Debian's rules make a wrong password of one that cannot be looked up.
      assert.equal((await password(client, "right")).code, "AUTH");
      await client.quit();
    });
  });
});

test("untold, popkeep does not serve as root", { skip }, async () => {
  const { exitCode, stderr } = await ends("");
  assert.equal(exitCode, 77, stderr);
  assert.match(
    stderr,
    /^popkeep: popkeep does not serve as root unless it is told to: name the user who owns/,
  );
  assert.ok(!stderr.includes("ready"), stderr);
});

test("users and groups that are not there end the start with 78", { skip }, async () => {
  const cases: [settings: string, said: RegExp][] = [
    ['user = "popkeep-nobody-has"', /user: this system has no user popkeep-nobody-has/],
    ['user = "nobody"\ngroup = "popkeep-none-has"', /group: this system has no group popkeep-n/],
    ['user = "4123456789"', /user: the system has no name for the user 4123456789; say group too/],
    ['user = "-1"', /user: found "-1"/],
  ];
  for (const [settings, said] of cases) {
    const { exitCode, stderr } = await ends(settings);
    assert.equal(exitCode, 78, stderr);
    assert.match(stderr, said);
  }
});

test("a user file that the user may not read is told with its name, the user's, and what to do", {
  skip,
}, async () => {
  const { exitCode, stderr } = await ends('user = "nobody"', {
    prepare: (folder) => chmodSync(`${folder}/users`, 0o600),
  });
  assert.equal(exitCode, 78, stderr);
  const [first, second] = stderr.split("\n");
  assert.match(
    first!,
    /user_file: found \S+\/users, which this user may not read; allowed is a file/,
  );
  assert.match(
    second!,
    /^popkeep: this user is nobody, as the setting user says: .*chown nobody FILE/,
  );
});

test("config check by root sees what the user will see, and not what root sees", {
  skip,
}, async () => {
  const checked = (settings: string, prepare: (folder: string) => void) =>
    ends(settings, { prepare, command: ["config", "check"] });
  const noMail = await checked('user = "nobody"\nmaildir = "mail/{user}"', (folder) => {
    mkdirSync(`${folder}/mail`, { mode: 0o700 });
    chmodSync(`${folder}/popkeep.toml`, 0o600);
  });
  assert.equal(noMail.exitCode, 0, noMail.stderr);
  assert.match(
    noMail.stdout,
    /popkeep\.toml is usable as the user nobody sees it; see the warnings\.\n/,
  );
  assert.match(
    noMail.stderr,
    /warning: maildir: this user may not enter the folder \S+\/mail, so ever/,
  );
  assert.match(
    noMail.stderr,
    /warning: settings: nobody may not read this: .* each reload is refused\n/,
  );
  const noUsers = await checked('user = "nobody"', (folder) => chmodSync(`${folder}/users`, 0o600));
  assert.equal(noUsers.exitCode, 78, noUsers.stderr);
  assert.match(noUsers.stderr, /user_file: found \S+\/users, which this user may not read/);
});

test("who is not root becomes nobody else", { skip }, async () => {
  const as = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const { exitCode, stderr } = await ends('user = "daemon"', { as });
  assert.equal(exitCode, 77, stderr);
  assert.match(stderr, /the setting user is daemon, and this is the user 65534: only root can/);
});

test("who is root in part does not serve so untold, whatever his effective id is", {
  skip,
}, async () => {
  const cases: [as: string[], settings: string, said: RegExp][] = [
    [
      ["--euid=65534"],
      "",
      /unless it is told to, and its real user id is 0, it has the capabilities [0-9a-f]{16}/,
    ],
    [["--euid=65534"], 'user = "nobody"', /unless it is told to, and its real user id is 0/],
    // A user's in all ids, with what opens every file.
    [
      ["--reuid=65534", "--clear-groups", "--regid=65534", ...withCapability("dac_override")],
      "",
      /unless it is told to, and it has the capabilities 0000000000000002, which capsh --decode names: start it/,
    ],
  ];
  for (const [as, settings, said] of cases) {
    const { exitCode, stderr } = await ends(settings, { as: ["setpriv", ...as] });
    assert.equal(exitCode, 77, stderr);
    assert.match(stderr, said);
  }
});

test("a start anew that the system refuses leaves no thread that could gain rights unseen", {
  skip,
}, async () => {
  // The one that starts popkeep is made before strace(1) begins.
  const as = ["strace", "-f", "-o", "/dev/null", "-e", "inject=execve:error=EACCES"];
  const { exitCode, stderr } = await ends('user = "nobody"', { as });
  assert.equal(exitCode, 77, stderr);
  assert.match(
    stderr,
    /cannot become the user nobody: A thread could gain rights by starting a pr/,
  );
});

test("told to, popkeep serves with a part of root's rights", { skip }, () =>
  withRootStart({
    settings: SETTINGS.replace("USER", "root"),
    as: ["setpriv", "--reuid=65534", ...withCapability("dac_override")],
  }, async ({ server, user }) => {
    deliverAs(user, server, "alice", "Subject: one\n\nbody\n");
    await fetchesAndDeletes(server);
  }));

test("who is in root's group serves, and is told so in the log", { skip }, () =>
  withRootStart({
    settings: SETTINGS.replace(/^user.*$/m, ""),
    prepare: (folder) => {
      for (const name of ["home", "users", "key.pem"]) giveTo("65534", `${folder}/${name}`);
    },
    as: ["setpriv", "--reuid=65534", "--regid=0", "--clear-groups"],
  }, async ({ server }) => {
    const { reason } = await logged(server, { since: 0, message: "unwise setting", key: "group" });
    assert.match(String(reason), /root's group/);
    await (await server.login("alice", { tls: true })).quit();
  }));

function withCapability(name: string): string[] {
  return [`--inh-caps=+${name}`, `--ambient-caps=+${name}`];
}

test("a user by number is one, with a group that is named", { skip }, () =>
  withRootStart({
    settings: SETTINGS.replace("USER", "54321").concat('group = "54322"'),
    prepare: (folder) => {
      for (const name of ["home", "users"]) giveTo("54321", `${folder}/${name}`);
    },
  }, async (started) => {
    const { server } = started;
    belongsTo(server.child.pid!, { ...started, userId: 54_321, groupId: 54_322 });
    rmSync(`${server.folder}/key.pem`);
    const client = await server.login("alice", { tls: true });
    await client.quit();
  }));
