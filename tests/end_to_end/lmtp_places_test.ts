/** Where LMTP is listened on: sockets of this machine, several workers, reloads, the end, and limits. */

import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { freePort } from "../support/free_port.ts";
import { LmtpClient, type LmtpPlace } from "../support/lmtp_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { logged } from "./server_log.ts";
import { processOf } from "./worker_processes.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(`${tmpdir()}/popkeep-lmtp-`);
});

after(() => rmSync(folder, { recursive: true, force: true }));

const USERS = ["alice", "bob"];

async function withServer(
  settings: string,
  body: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({ users: USERS, settings });
  try {
    for (const user of USERS) mkdirSync(server.homeOf(user), { recursive: true });
    await body(server);
    assert.doesNotMatch(server.log, /fault in popkeep/);
  } finally {
    await server.stop();
  }
}

function count(server: RunningServer, user: string): number {
  const path = `${server.homeOf(user)}/Maildir/new`;
  return existsSync(path) ? readdirSync(path).length : 0;
}

async function delivers(place: LmtpPlace): Promise<void> {
  const { client } = await LmtpClient.greeted(place);
  for (const reply of await client.deliver(["alice"], "x\r\n")) assert.match(reply, /^250 /);
  await client.quit();
}

/** Delivers, though nobody may listen for a moment. */
async function deliversSoon(place: LmtpPlace): Promise<void> {
  const giveUpAtMs = performance.now() + 60_000;
  for (;;) {
    try {
      return await delivers(place);
    } catch (error) {
      if (performance.now() > giveUpAtMs) throw error;
    }
  }
}

function change(server: RunningServer, from: RegExp, to: string): void {
  const file = `${server.folder}/popkeep.toml`;
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
}

async function reload(server: RunningServer, message = "reloaded"): Promise<void> {
  const since = server.log.length;
  server.signal("SIGHUP");
  await logged(server, { since, message });
}

function firstOctets(socket: net.Socket): Promise<string> {
  return new Promise((done, fail) => {
    socket.once("data", (octets) => done(String(octets)));
    socket.once("error", fail);
  });
}

/** A socket that was left behind: nobody listens any more. */
async function leaveSocket(path: string): Promise<void> {
  const listening = net.createServer();
  await new Promise<void>((done) => listening.listen(`${path}.made`, done));
  // The listener removes the name that it knows.
  renameSync(`${path}.made`, path);
  await new Promise((done) => listening.close(done));
  assert.ok(lstatSync(path).isSocket());
}

test("a socket is its owner's and its group's, replaces one that was left, and goes with the server", async () => {
  const path = `${folder}/left`;
  await leaveSocket(path);
  await withServer(`lmtp_bindings = ["unix:${path}"]`, async (server) => {
    const { mode } = lstatSync(path);
    assert.equal(mode & 0o7777, 0o660);
    assert.deepEqual(readdirSync(folder), ["left"]);
    await delivers({ path });
    assert.equal(count(server, "alice"), 1);
    assert.equal(await server.halt(), 0);
    assert.deepEqual(readdirSync(folder), []);
  });
});

test("a socket in a folder with the set-group-ID bit is that folder's group's", {
  skip: process.getuid?.() === 0 ? false : "takes root, to give a folder away",
}, async () => {
  const ofGroup = `${folder}/group`;
  mkdirSync(ofGroup);
  chownSync(ofGroup, 0, 12);
  chmodSync(ofGroup, 0o2750);
  await withServer(`lmtp_bindings = ["unix:${ofGroup}/lmtp"]`, () => {
    assert.equal(lstatSync(`${ofGroup}/lmtp`).gid, 12);
    return Promise.resolve();
  });
});

test("what another program serves is left to it, and so is what is no socket", async () => {
  const served = `${folder}/served`;
  // Who only tries whether somebody serves it is gone before it hears that.
  const other = net.createServer((socket) => socket.on("error", () => {}).end("other\r\n"));
  await new Promise<void>((done) => other.listen(served, done));
  writeFileSync(`${folder}/file`, "mine");
  try {
    for (
      const [path, why] of [[served, "another program is listening there already"], [
        `${folder}/file`,
        "there is something else of that name",
      ], [`${folder}/no/lmtp`, "its folder is not there"]]
    ) {
      await assert.rejects(
        startServer({ users: USERS, settings: `lmtp_bindings = ["unix:${path}"]` }),
        new RegExp(`Cannot listen on ${path}: ${why}`),
      );
    }
    assert.equal(readFileSync(`${folder}/file`, "utf8"), "mine");
    const socket = net.connect(served);
    assert.equal(await firstOctets(socket), "other\r\n");
    socket.destroy();
  } finally {
    await new Promise((done) => other.close(done));
    rmSync(`${folder}/file`);
  }
});

test("a reload changes where it listens, or nothing; connections go on", async () => {
  const [one, two] = [await freePort(), await freePort()];
  const [first, second] = [`${folder}/first`, `${folder}/second`];
  await withServer(`lmtp_bindings = ["127.0.0.1:${one}", "unix:${first}"]`, async (server) => {
    const { client } = await LmtpClient.greeted({ path: first });
    change(server, /^lmtp_bindings.*$/m, `lmtp_bindings = ["127.0.0.1:${two}", "unix:${second}"]`);
    await reload(server);
    await delivers({ port: two });
    await delivers({ path: second });
    assert.match((await client.deliver(["bob"], "x\r\n"))[0]!, /^250 /);
    client.vanish();
    await assert.rejects(LmtpClient.connect({ port: one }));
    assert.ok(!existsSync(first));

    writeFileSync(first, "in the way");
    change(server, /^lmtp_bindings.*$/m, `lmtp_bindings = ["127.0.0.1:${one}", "unix:${first}"]`);
    await reload(server, "not reloaded; the old settings hold");
    await delivers({ port: two });
    await delivers({ path: second });
    await assert.rejects(LmtpClient.connect({ port: one }));
    rmSync(first);

    change(server, /^lmtp_bindings.*$/m, "");
    await reload(server);
    await assert.rejects(LmtpClient.connect({ port: two }));
    assert.ok(!existsSync(second));
  });
});

test("told to stop, a message under way comes to its end, and others are sent away", async () => {
  const path = `${folder}/stop`;
  await withServer(`lmtp_bindings = ["unix:${path}"]`, async (server) => {
    const idle = (await LmtpClient.greeted({ path })).client;
    const begun = (await LmtpClient.greeted({ path })).client;
    await begun.asked("MAIL FROM:<>", /^250/);
    const under = (await LmtpClient.greeted({ path })).client;
    await under.begin(["alice", "bob"]);
    under.send("half of it\r\n");
    server.signal("SIGTERM");
    for (const client of [idle, begun]) {
      assert.match(await client.untilClosed(), /^421 4\.3\.2 the server is shutting down\r\n$/);
      client.vanish();
    }
    assert.ok(!existsSync(path));
    under.send("and the rest\r\n.\r\nNOOP\r\n");
    for (const _ of ["alice", "bob"]) assert.match(await under.reply(), /^250 2\.0\.0 /);
    assert.match(await under.untilClosed(), /^421 4\.3\.2 /);
    under.vanish();
    // Another signal would end it where it has already put its own handling of them away.
    if (server.child.exitCode === null) await once(server.child, "exit");
    assert.equal(server.child.exitCode, 0);
    assert.deepEqual([count(server, "alice"), count(server, "bob")], [1, 1]);
  });
});

test("told to stop, a message that does not come to its end in time is none", async () => {
  const port = await freePort();
  const settings = `lmtp_bindings = ["127.0.0.1:${port}"]\nshutdown_grace_period = "1s"`;
  await withServer(settings, async (server) => {
    const { client } = await LmtpClient.greeted({ port });
    await client.begin(["alice"]);
    client.send("half of it\r\n");
    assert.equal(await server.halt(), 0);
    client.vanish();
    assert.equal(count(server, "alice"), 0);
    assert.deepEqual(readdirSync(`${server.homeOf("alice")}/Maildir/tmp`), []);
  });
});

test("of several workers one has the socket, and another takes it when that one is killed", async () => {
  const path = `${folder}/workers`;
  const port = await freePort();
  const settings = `workers = 2\nlmtp_bindings = ["unix:${path}", "127.0.0.1:${port}"]`;
  await withServer(settings, async (server) => {
    await logged(server, { since: 0, message: "ready" });
    for (let times = 0; times < 4; times++) {
      await delivers({ path });
      await delivers({ port });
      const since = server.log.length;
      process.kill(processOf(server, ownerOf(server, path)), "SIGKILL");
      await logged(server, { since, message: "listening", socket: path });
      await deliversSoon({ path });
      await logged(server, { since, message: "worker serves" });
    }
    assert.equal(count(server, "alice"), 12);
    const since = server.log.length;
    change(server, /^lmtp_bindings.*$/m, `lmtp_bindings = ["unix:${path}2"]`);
    await reload(server);
    await logged(server, { since, message: "no longer listening", socket: path });
    await delivers({ path: `${path}2` });
    assert.equal(await server.halt(), 0);
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("workers")), []);
  });
});

/** The worker that has begun to listen there last. */
function ownerOf(server: RunningServer, path: string): number {
  const lines = server.log.split("\n").filter((line) =>
    line.includes('"message":"listening"') && line.includes(`"socket":"${path}"`)
  );
  return Number(JSON.parse(lines.at(-1)!).worker);
}

test("a message is refused for its length, before it is sent and while it is", async () => {
  const port = await freePort();
  const settings = `lmtp_bindings = ["127.0.0.1:${port}"]\nmax_receive_size = "4KiB"`;
  await withServer(settings, async (server) => {
    const { client } = await LmtpClient.greeted({ port });
    await client.asked("MAIL FROM:<> SIZE=5000", /^552 5\.3\.4 /);
    await client.asked("MAIL FROM:<> SIZE=x", /^501 5\.5\.4 /);
    const replies = await client.deliver(
      ["alice", "bob"],
      "x".repeat(998).concat("\r\n").repeat(5_000),
    );
    for (const reply of replies) assert.match(reply, /^552 5\.3\.4 the message is longer/);
    assert.match((await client.deliver(["alice"], "x\r\n"))[0]!, /^250 /);
    await client.quit();
    assert.deepEqual([count(server, "alice"), count(server, "bob")], [1, 0]);
    for (const user of USERS) {
      assert.deepEqual(readdirSync(`${server.homeOf(user)}/Maildir/tmp`), []);
    }
  });
});

test("recipients, bad commands, long lines and connections have their limits", async () => {
  const path = `${folder}/limits`;
  await withServer(`lmtp_bindings = ["unix:${path}"]\nmax_bad_commands = 5`, async (server) => {
    const { client } = await LmtpClient.greeted({ path });
    await client.asked("MAIL FROM:<>", /^250/);
    for (let n = 0; n < 100; n++) await client.asked("RCPT TO:<alice>", /^250/);
    await client.asked("RCPT TO:<bob>", /^452 4\.5\.3 /);
    await client.asked("DATA", /^354/);
    client.send("x\r\n.\r\n");
    for (let n = 0; n < 100; n++) assert.match(await client.reply(), /^250 /);
    assert.equal(count(server, "alice"), 100);
    client.vanish();

    const bad = (await LmtpClient.greeted({ path })).client;
    for (const command of ["NO SUCH", "MAIL FROM:zoe", "RCPT TO:<x", "LHLO"]) {
      await bad.asked(command, /^5/);
    }
    bad.send("NO SUCH\r\nNOOP\r\n");
    assert.match(
      await bad.untilClosed(),
      /^500 5\.5\.2 .*\r\n421 4\.7\.0 too many bad commands\r\n$/,
    );
    bad.vanish();

    const long = (await LmtpClient.greeted({ path })).client;
    long.send(`MAIL FROM:<${"x".repeat(10_000)}`);
    assert.match(await long.untilClosed(), /^421 4\.4\.2 Error: Command line too long\r\n$/);
    long.vanish();

    const many: LmtpClient[] = [];
    for (let n = 0; n < 100; n++) many.push(await LmtpClient.connect({ path }));
    const last = net.connect(path);
    assert.equal(
      await firstOctets(last),
      "421 4.3.2 too many connections, try again later\r\n",
    );
    last.destroy();
    for (const one of many) one.vanish();
    await deliversSoon({ path });
  });
});

test("while a directory cannot tell who is a user, nobody is refused for good: 4.3.0", async () => {
  const port = await freePort();
  const settings = `lmtp_bindings = ["127.0.0.1:${port}"]
[[directories]]
kind = "checkpassword"
program = ["/bin/false"]
[[directories]]
kind = "user_file"
file = "users"
`;
  await withServer(settings, async () => {
    const { client } = await LmtpClient.greeted({ port });
    await client.asked("MAIL FROM:<>", /^250/);
    await client.asked("RCPT TO:<nobody>", /^451 4\.3\.0 /);
    await client.asked("RCPT TO:<alice>", /^250/);
    await client.quit();
  });
});
