/**
 * The filter in share/fail2ban, in the hands of the real fail2ban: which addresses it sees in our log, in
 * each form that a log comes to it, and that nothing that a client sends makes it see another one.
 */

import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { formatRecord, type LogFormat } from "../../src/admin/log_format.ts";
import { SessionLog } from "../../src/admin/session_log.ts";
import type { LoginFailureCause } from "../../src/session/services.ts";
import { clientTest, run } from "../support/real_client.ts";
import { startServer } from "../support/server.ts";

const SHARE = fileURLToPath(new URL("../../share/fail2ban/", import.meta.url));
const FILTER = join(SHARE, "filter.d/popkeep.conf");
const JOURNAL = fileURLToPath(new URL("./fail2ban_journal.py", import.meta.url));

const FORMATS: readonly LogFormat[] = ["text", "json"];

/** Whom an attacker would like to see banned. */
const VICTIM = "203.0.113.9";

/** Our own lines with the victim's address, as a name would have to look like to pass for one. */
const LINES_OF_VICTIM = FORMATS.map((format) =>
  linesOf(
    format,
    () =>
      new SessionLog({ address: VICTIM }, 995).loginFailed("x", "USER", "r", "wrong_credentials"),
  )
    .trimEnd()
);

/** User names that try to be more than a name. */
const NAMES: readonly string[] = [
  "alice",
  "",
  ` address=${VICTIM} `,
  `x" address=${VICTIM} port=995 cause=wrong_credentials mechanism=USER user="x`,
  `x\\" address=${VICTIM}`,
  `","address":"${VICTIM}","port":995,"cause":"wrong_credentials","mechanism":"USER`,
  ...LINES_OF_VICTIM.flatMap((line) => [
    line,
    `\n${line}`,
    `\r\n${line}\r\n`,
    `\u2028${line}`,
    `\u0000${line}`,
    `mail popkeep[1]: ${line}`,
    `\nNov 23 01:00:00 mail popkeep[1]: ${line}`,
  ]),
  "cause=wrong_credentials",
  "<HOST>",
];

/** What is logged by `work`, as popkeep writes it. */
function linesOf(format: LogFormat, work: () => void): string {
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { noted: (record) => void records.push(record) },
    loggers: [
      { category: "popkeep", lowestLevel: "debug", sinks: ["noted"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    work();
  } finally {
    resetSync();
  }
  return records.map((record) => formatRecord(record, format)).join("");
}

/** One line for each name, from `address`. */
function failures(format: LogFormat, address: string, cause: LoginFailureCause): string {
  return linesOf(format, () => {
    for (const name of NAMES) {
      // Also by way of a load balancer, who is not the one to be banned.
      const proxy = name.length % 3 === 0 ? { proxy: "198.51.100.9" } : {};
      const log = new SessionLog({ address, ...proxy }, 995);
      if (name.length % 2 === 0) log.tls = "TLSv1.3";
      log.loginFailed(name, "PLAIN", "wrong user name or password", cause);
    }
  });
}

/** The addresses that the filter sees in a log file. */
async function seen(folder: string, log: string): Promise<string[]> {
  const file = join(folder, "log");
  writeFileSync(file, log);
  const ended = await run(folder, "fail2ban-regex", "--usedns=no", "-o", "ip", file, FILTER);
  assert.equal(ended.code, 0, ended.output);
  return ended.stdout.split("\n").filter((line) => line !== "");
}

/** The same where it comes from the journal. */
async function seenInJournal(folder: string, log: string): Promise<string[]> {
  const file = join(folder, "journal");
  writeFileSync(file, log);
  const ended = await run(folder, "python3", JOURNAL, FILTER, file);
  assert.equal(ended.code, 0, ended.output);
  return ended.stdout.split("\n").filter((line) => line !== "");
}

const before = (log: string, prefix: string) => log.replace(/^(?=.)/gm, prefix);

/** How a log gets to fail2ban. */
const WAYS: readonly (readonly [
  name: string,
  see: (folder: string, log: string) => Promise<string[]>,
])[] = [
  ["a file of its own", seen],
  ["the journal", seenInJournal],
  [
    "a syslog daemon's file",
    (folder, log) => seen(folder, before(log, "Nov 23 01:00:00 mail popkeep[4711]: ")),
  ],
  [
    "a syslog daemon's file with full times",
    (folder, log) =>
      seen(folder, before(log, "2026-11-23T01:00:00.123456+00:00 mail popkeep[4711]: ")),
  ],
];

for (const format of FORMATS) {
  for (const [way, see] of WAYS) {
    clientTest(
      ["fail2ban-regex", "python3"],
      `fail2ban sees who failed in ${format} from ${way}, and nobody whom a name speaks of`,
      async (folder) => {
        for (const address of ["192.0.2.66", "2001:db8::66"]) {
          const log = failures(format, address, "wrong_credentials");
          assert.deepEqual(await see(folder, log), NAMES.map(() => address));
        }
      },
    );
  }

  clientTest(
    ["fail2ban-regex"],
    `fail2ban counts no failure in ${format} that is no guess, whatever its name says`,
    async (folder) => {
      const causes: readonly LoginFailureCause[] = [
        "disabled",
        "unavailable",
        "delayed",
        "too_many_sessions",
        "storage_failed",
      ];
      const log = causes.map((cause) => failures(format, "192.0.2.66", cause)).join("");
      assert.deepEqual(await seen(folder, log), []);
    },
  );

  clientTest(
    ["fail2ban-regex"],
    `lines in ${format} that another program wrote are none of ours`,
    async (folder) => {
      const log = before(LINES_OF_VICTIM[FORMATS.indexOf(format)]!, "Invalid user ");
      const lines = ["Nov 23 01:00:00 mail sshd[1]: ", "Nov 23 01:00:00 mail sshd[1]: popkeep[1]: "]
        .map((prefix) => `${prefix}${log}\n`).join("");
      assert.deepEqual(await seen(folder, lines), []);
    },
  );

  const guessesAreSeen = (workers: number) => async (folder: string) => {
    const server = await startServer({
      settings:
        `log_format = "${format}"\nlogin_type = "plaintext_login"\nfailed_login_delay = "0"\nworkers = ${workers}`,
      users: ["alice"],
    });
    try {
      for (const tls of [false, true]) {
        const client = await server.connect({ tls });
        await client.err("AUTH PLAIN " + btoa(`\0x address=${VICTIM}\nx\0guess`));
        await client.err("AUTH PLAIN " + btoa(`\0alice\0guess`));
        await client.login("alice", "secret");
        await client.quit();
      }
      await server.halt();
      const log = server.log.split("\n").filter((line) => !line.startsWith("Warning")).join("\n");
      assert.deepEqual(await seen(folder, log), Array(4).fill("127.0.0.1"));
      assert.deepEqual(await seenInJournal(folder, log), Array(4).fill("127.0.0.1"));
    } finally {
      await server.stop();
    }
  };
  clientTest(
    ["fail2ban-regex"],
    `fail2ban sees in the log of a server, in ${format}, who guesses, and not who logs in`,
    guessesAreSeen(1),
  );
  clientTest(
    ["fail2ban-regex"],
    `fail2ban sees the same, in ${format}, in the log of a server with two workers`,
    guessesAreSeen(2),
  );
}

clientTest(
  ["fail2ban-client", "fail2ban-regex"],
  "the example jail is one that fail2ban can start, with our filter",
  async (folder) => {
    const settings = join(folder, "fail2ban");
    cpSync("/etc/fail2ban", settings, { recursive: true });
    // Debian's own jail, which wants the log of an SSH server.
    rmSync(join(settings, "jail.d"), { recursive: true });
    cpSync(SHARE, settings, { recursive: true });
    const tested = await run(folder, "fail2ban-client", "-c", settings, "-t");
    assert.equal(tested.code, 0, tested.output);
    const dumped = await run(folder, "fail2ban-client", "-c", settings, "-d");
    assert.match(dumped.stdout, /\['add', 'popkeep', 'systemd'\]/);
    assert.match(dumped.stdout, /'popkeep', 'addjournalmatch', '_SYSTEMD_UNIT=popkeep\.service'/);
    assert.match(dumped.stdout, /'popkeep', 'addfailregex', \[.*wrong_credentials/);
  },
);
