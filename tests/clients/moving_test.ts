/**
 * Mailboxes move in from a real Dovecot and a real Courier, as docs/moving-in.md has it: clients that leave mail on
 * the server download nothing twice, and what comes later once. The old server's files stay as they were, and
 * Dovecot goes on beside popkeep.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { popkeep } from "../support/command_line.ts";
import { CourierServer } from "../support/courier_server.ts";
import { unprivileged } from "../support/daemon.ts";
import { DovecotServer } from "../support/dovecot_server.ts";
import { freePort } from "../support/free_port.ts";
import { KeepingClient } from "../support/keeping_clients.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { clientTest } from "../support/real_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const CLIENTS = ["fetchmail", "getmail", "mpop"] as const;

const MESSAGES = 12;

const PLAIN = 'login_type = "plaintext_login"';

interface OldServer {
  readonly port: number;
  stop(): Promise<void>;
}

interface Old {
  readonly from: "dovecot" | "courier";
  readonly commands: readonly string[];
  /** Options of import-uids besides. */
  readonly options?: readonly string[];
  readonly start: (folder: string, homes: string) => Promise<OldServer>;
}

const dovecot = (settings = ""): Old["start"] => (folder, homes) =>
  DovecotServer.start(folder, {
    homes,
    owner: unprivileged() ?? { uid: process.getuid!(), gid: process.getgid!() },
    password: PASSWORD,
    users: ["alice", "bob"],
    settings,
  });

const OLD_SERVERS: Readonly<Record<string, Old>> = {
  "Dovecot": { from: "dovecot", commands: ["dovecot"], start: dovecot() },
  "Dovecot that keeps ids of another pop3_uidl_format in its list": {
    from: "dovecot",
    commands: ["dovecot"],
    start: dovecot("pop3_uidl_format = %v.%u\nprotocol pop3 {\n  pop3_save_uidl = yes\n}"),
  },
  "Dovecot with file names as unique-ids": {
    from: "dovecot",
    commands: ["dovecot"],
    options: ["--uidl-format", "%f"],
    start: dovecot("pop3_uidl_format = %f"),
  },
  "Courier": {
    from: "courier",
    commands: ["courierpop3d"],
    start: (_, homes) => CourierServer.start({ homes, password: PASSWORD }),
  },
};

for (const [name, old] of Object.entries(OLD_SERVERS)) {
  if (process.getuid?.() !== 0) {
    test(`a mailbox moves in from ${name}`, { skip: "takes root, as Dovecot does" }, () => {});
    continue;
  }
  clientTest(
    [...CLIENTS, ...old.commands],
    `a mailbox moves in from ${name}: clients download nothing twice, and what is new once`,
    (folder) => movesIn(old, folder),
  );
  clientTest(
    old.commands,
    `what a running ${name} shows over POP3 is kept by copies of its messages under other names`,
    (folder) => movesInLive(old, folder),
  );
}

if (process.getuid?.() === 0) {
  clientTest(
    ["dovecot"],
    "everybody's unique-ids are had of a running Dovecot by its master user",
    allMoveInLive,
  );
}

async function allMoveInLive(folder: string): Promise<void> {
  const users = ["alice", "bob"];
  const server = await startServer({ users, settings: PLAIN });
  try {
    const homes = `${oldFolder(folder)}/homes`;
    for (const user of users) {
      const there = new TestMaildir(`${homes}/${user}/Maildir`);
      own(there.deliver(message(user.length)), there);
      server.maildir(user).deliver(message(user.length));
    }
    chmodSync(homes, 0o755);
    writeFileSync(`${folder}/masters`, "admin:{PLAIN}master-secret\n");
    chmodSync(`${folder}/masters`, 0o644);
    const oldServer = await dovecot(`auth_master_user_separator = *
passdb {
  driver = passwd-file
  args = ${folder}/masters
  master = yes
}`)(`${folder}/old`, homes);
    writeFileSync(`${server.folder}/master`, "master-secret\n");
    const rows = await importUids(
      server,
      ...["--all", "--from", "live", "--host", "127.0.0.1", "--tls", "none"],
      ...["--port", String(oldServer.port), "--master-user", "admin"],
      ...["--password-file", `${server.folder}/master`],
    );
    assert.deepEqual(rows.map(({ kept }) => kept), [1, 1]);
    await oldServer.stop();
    const shown = readFileSync(server.maildir("bob").sidecar, "utf8");
    assert.match(shown, /^\+ [0-9]+ [0-9]+ [0-9]+ 00000001[0-9a-f]{8} /m);
  } finally {
    await server.stop();
  }
}

async function movesIn(old: Old, folder: string): Promise<void> {
  const server = await startServer({ users: ["alice"], settings: PLAIN });
  const switched = await SwitchedPort.open();
  try {
    const maildir = deliverAll(server);
    const oldServer = await old.start(oldFolder(folder), `${server.folder}/home`);
    switched.port = oldServer.port;
    const clients = CLIENTS.map((name) => new KeepingClient(name, folder));
    const visit = { port: switched.listensOn, user: "alice", password: PASSWORD };
    for (const client of clients) {
      assert.equal(await client.sync(visit), MESSAGES, `${client.name}: messages at first`);
    }
    const shown = await listingOf(oldServer.port);
    const before = await quietFilesOf(maildir.path);

    const from = ["alice", "--from", old.from, ...old.options ?? []];
    const dry = await importUids(server, ...from, "--dry-run", "--json");
    assert.equal(dry[0]?.again, 0, "messages that would be downloaded again");
    assert.equal(dry[0]?.kept, MESSAGES);
    assert.deepEqual(filesOf(maildir.path), before, "a dry run changes nothing");
    assert.equal((await importUids(server, ...from, "--json"))[0]?.kept, MESSAGES);
    const after = filesOf(maildir.path);
    assert.ok(after.delete("popkeep-uidlist"), "there is a list of popkeep's");
    assert.deepEqual(after, before, "nothing of the old server's is changed");
    assert.equal((await importUids(server, ...from, "--json"))[0]?.same, MESSAGES);

    assert.deepEqual(await listingOf(server.plainPort), shown, "ids, and their order");
    switched.port = server.plainPort;
    for (const client of clients) {
      assert.equal(await client.sync(visit), 0, `${client.name}: messages after the move`);
    }
    own(maildir.deliver(message(MESSAGES + 1)), maildir);
    for (const client of clients) {
      assert.equal(await client.sync(visit), 1, `${client.name}: messages that came later`);
      assert.equal(await client.sync(visit), 0, `${client.name}: messages at last`);
    }
    const [, newest] = (await listingOf(server.plainPort)).at(-1)!.split(" ");
    assert.match(newest!, /^[0-9]+$/, "what is new is counted decimally");
    // The way back: the old server beside popkeep, on the same files.
    const stillShown = await listingOf(oldServer.port);
    assert.deepEqual(stillShown.slice(0, MESSAGES), shown, "the old server shows what it did");
    await oldServer.stop();
  } finally {
    await switched.close();
    await server.stop();
  }
}

async function movesInLive(old: Old, folder: string): Promise<void> {
  const server = await startServer({ users: ["alice"], settings: PLAIN });
  try {
    const oldHomes = `${oldFolder(folder)}/homes`;
    const there = new TestMaildir(`${oldHomes}/alice/Maildir`);
    for (let n = 1; n <= MESSAGES; n++) there.deliver(message(n));
    // Two copies of one message: each has an id of its own.
    there.deliver(message(1));
    own(there.deliver(message(MESSAGES + 1)), there);
    chmodSync(oldHomes, 0o755);
    const oldServer = await old.start(`${folder}/old`, oldHomes);
    const shown = await listingOf(oldServer.port);
    // Copied as by an IMAP client: names, and the order of names, are others.
    const here = server.maildir("alice");
    const files = [...filesOf(there.path).keys()].filter((name) => /^(?:new|cur)\//.test(name));
    for (const [n, name] of files.reverse().entries()) {
      copyFileSync(`${there.path}/${name}`, `${here.path}/new/${1_800_000_000 + n}.M${n}P7.other`);
    }
    here.deliver("Subject: came meanwhile\n\nnew\n", "1900000000.M1P1.other");

    const live = ["alice", "--from", "live", "--host", "127.0.0.1", "--tls", "none"];
    const to = ["--port", String(oldServer.port), "--password-stdin"];
    const [row] = await importUids({ ...inputOf(server), input: `${PASSWORD}\n` }, ...live, ...to);
    assert.equal(row?.kept, MESSAGES + 2);
    assert.equal(row?.unlisted, 1);
    const listing = await listingOf(server.plainPort);
    const ids = (lines: readonly string[]) => lines.map((line) => line.split(" ")[1]);
    assert.deepEqual(ids(listing).slice(0, -1), ids(shown));
    assert.equal(await digestsOf(server.plainPort, MESSAGES + 2), await digestsOf(oldServer.port));
    await oldServer.stop();
  } finally {
    await server.stop();
  }
}

function oldFolder(folder: string): string {
  const path = `${folder}/old`;
  mkdirSync(path);
  chmodSync(folder, 0o755);
  chmodSync(path, 0o755);
  return path;
}

/** The user's Maildir with messages, which belong to whom the old server serves them as. */
function deliverAll(server: RunningServer): TestMaildir {
  const maildir = server.maildir("alice");
  for (let n = 1; n < MESSAGES; n++) maildir.deliver(message(n));
  own(maildir.deliver(message(MESSAGES)), maildir);
  for (const path of [server.folder, `${server.folder}/home`]) chmodSync(path, 0o755);
  return maildir;
}

/** Gives the home and everything in it to its owner. */
function own(_delivered: string, { path }: TestMaildir): void {
  const owner = unprivileged();
  if (owner === undefined) return;
  const home = path.replace(/\/Maildir$/, "");
  const names = readdirSync(home, { recursive: true }).map((name) => `${home}/${name}`);
  for (const name of [home, ...names]) chownSync(name, owner.uid, owner.gid);
}

function message(n: number): string {
  return `From: sender${n}@example.org\nSubject: message ${n}\nMessage-ID: <${n}@example.org>\n` +
    `Date: Mon, 1 Jan 2024 10:00:${String(n).padStart(2, "0")} +0000\n\n${"text\n".repeat(n)}`;
}

interface Result {
  readonly kept: number;
  readonly same: number;
  readonly again: number;
  readonly unlisted: number;
}

interface Input {
  readonly folder: string;
  readonly input?: string;
}

function inputOf({ folder }: RunningServer): Input {
  return { folder };
}

async function importUids(where: Input, ...args: readonly string[]): Promise<Result[]> {
  const { folder, input = "" } = where;
  const json = args.includes("--json") ? [] : ["--json"];
  const config = ["--config", `${folder}/popkeep.toml`];
  const ended = await popkeep(["import-uids", ...args, ...json, ...config], { folder, input });
  assert.equal(ended.exitCode, 0, ended.stderr);
  return JSON.parse(ended.stdout);
}

/** `NUMBER UNIQUE-ID` for each message, as a client sees them. */
async function listingOf(port: number): Promise<string[]> {
  const client = await Pop3Client.connect({ port });
  try {
    await client.login("alice", PASSWORD);
    const listing = await client.listing("UIDL");
    await client.quit();
    return listing;
  } finally {
    client.disconnect();
  }
}

/** Of all messages as a client gets them, in order. */
async function digestsOf(port: number, most = Infinity): Promise<string> {
  const client = await Pop3Client.connect({ port });
  const hash = createHash("sha256");
  try {
    await client.login("alice", PASSWORD);
    const { length } = await client.listing("UIDL");
    for (let n = 1; n <= Math.min(length, most); n++) {
      hash.update(await client.retrieve(`RETR ${n}`)).update("\0");
    }
    return hash.digest("hex");
  } finally {
    client.disconnect();
  }
}

/** Names, digests and times of all files in a folder and below. */
function filesOf(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const stats = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
    // Locks come and go.
    if (stats?.isFile() !== true) continue;
    const digest = createHash("sha256").update(readFileSync(`${folder}/${name}`)).digest("hex");
    found.set(name, `${digest} ${stats.mtimeMs} ${stats.ino}`);
  }
  return found;
}

/** The same when the old server, which tidies up behind its clients, has come to rest. */
async function quietFilesOf(folder: string): Promise<Map<string, string>> {
  for (let before = filesOf(folder);;) {
    await sleep(300);
    const now = filesOf(folder);
    if (isDeepStrictEqual(now, before)) return now;
    before = now;
  }
}

/** A port behind which the server can change: clients know servers by port. */
class SwitchedPort {
  port = 0;
  readonly listensOn: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(listensOn: number) {
    this.listensOn = listensOn;
    this.#server = createServer((client) => {
      const server = createConnection({ host: "127.0.0.1", port: this.port });
      for (const [one, other] of [[client, server], [server, client]] as const) {
        this.#sockets.add(one);
        one.on("data", (octets) => other.write(octets));
        one.on("end", () => other.end());
        one.on("error", () => other.destroy());
        one.on("close", () => this.#sockets.delete(one));
      }
    });
  }

  static async open(): Promise<SwitchedPort> {
    const switched = new SwitchedPort(await freePort());
    await new Promise<void>((resolve) => {
      switched.#server.listen(switched.listensOn, "127.0.0.1", () => resolve());
    });
    return switched;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
