/**
 * One maildirsize that popkeep, a real Dovecot and a real Courier keep together: what one has written the others
 * read, whoever delivers and whoever deletes.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { popkeep } from "../support/command_line.ts";
import { CourierServer } from "../support/courier_server.ts";
import { unprivileged } from "../support/daemon.ts";
import { DovecotServer } from "../support/dovecot_server.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { clientTest } from "../support/real_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import type { TestMaildir } from "../support/test_maildir.ts";

const LIMITS = { octets: 20_000, messages: 100 };

/** Together with what the others do: Dovecot is told not to count Trash, Courier never does. */
const SETTINGS = `login_type = "plaintext_login"
user = "root"
quota_storage_size = ${LIMITS.octets}
quota_message_count = ${LIMITS.messages}
quota_warning_percentages = []
`;

const DOVECOTS = `mail_plugins = quota
plugin {
  quota = maildir:User quota
  quota_rule = *:bytes=${LIMITS.octets}:messages=${LIMITS.messages}
  quota_rule2 = Trash:ignore
}`;

const isRoot = process.getuid?.() === 0;

interface World {
  readonly server: RunningServer;
  readonly maildir: TestMaildir;
  readonly folder: string;
}

function peerTest(
  commands: readonly string[],
  name: string,
  work: (world: World) => Promise<void>,
): void {
  if (!isRoot) {
    test(name, { skip: "takes root, as the other servers do" }, () => {});
    return;
  }
  clientTest(commands, name, async (folder) => {
    const server = await startServer({ users: ["alice"], settings: SETTINGS });
    try {
      const maildir = server.maildir("alice");
      chmodSync(server.folder, 0o755);
      giveAway(`${server.folder}/home`);
      await work({ server, maildir, folder });
    } finally {
      await server.stop();
    }
  });
}

/** To the user whom the others run as. */
function giveAway(path: string): void {
  const { uid, gid } = unprivileged()!;
  chownSync(path, uid, gid);
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveAway(`${path}/${name}`);
}

function message(octets: number): string {
  const header = "Subject: quota\n\n";
  return `${header}${"x".repeat(octets - header.length - 1)}\n`;
}

function deliver({ server }: World, octets: number) {
  return popkeep(["deliver", "--config", `${server.folder}/popkeep.toml`, "--", "alice"], {
    folder: server.folder,
    input: message(octets),
  });
}

/** How much there is by popkeep's word. */
async function popkeepsWord({ server }: World): Promise<[octets: number, messages: number]> {
  const args = ["quota", "show", "alice", "--config", `${server.folder}/popkeep.toml`, "--json"];
  const { exitCode, stderr, stdout } = await popkeep(args, { folder: server.folder });
  assert.equal(exitCode, 0, stderr);
  const [{ messages, octets }] = JSON.parse(stdout);
  return [octets, messages];
}

/** How much there is, looked at file by file. */
function truth({ maildir }: World): [octets: number, messages: number] {
  const files = maildir.files();
  const octets = files.map((file) => statSync(`${maildir.path}/${file}`).size);
  return [octets.reduce((sum, size) => sum + size, 0), files.length];
}

function sizeFile({ maildir }: World): string {
  return readFileSync(`${maildir.path}/maildirsize`, "latin1");
}

/** Delivers by Courier's program; its exit code. */
function deliverByCourier({ folder, maildir }: World, octets: number): number | null {
  // From a file: a pipe that a runtime has made need not be one that this program can read.
  const file = `${folder}/message`;
  writeFileSync(file, message(octets));
  chmodSync(file, 0o644);
  const words = ["-c", 'exec deliverquota "$1" < "$2"', "sh", maildir.path, file];
  return spawnSync("sh", words, unprivileged()).status;
}

/** A session in which the oldest so many messages are deleted. */
async function deleteBy(port: number, count: number): Promise<void> {
  const client = await Pop3Client.connect({ port });
  await client.login("alice", PASSWORD);
  for (let number = 1; number <= count; number++) await client.command(`DELE ${number}`);
  await client.quit();
}

peerTest(["dovecot"], "a Dovecot and popkeep read and write one maildirsize", async (world) => {
  const { folder, maildir, server } = world;
  const home = `${folder}/dovecot`;
  mkdirSync(home);
  chmodSync(folder, 0o755);
  const dovecot = await DovecotServer.start(home, {
    homes: `${server.folder}/home`,
    owner: unprivileged()!,
    password: PASSWORD,
    users: ["alice"],
    settings: DOVECOTS,
  });
  try {
    const doveadm = (...args: string[]) => {
      const { status, stderr, stdout } = spawnSync(
        "doveadm",
        ["-c", `${home}/dovecot.conf`, ...args],
        { encoding: "utf8" },
      );
      assert.equal(status, 0, `doveadm ${args.join(" ")}: ${stderr}`);
      return stdout;
    };
    /** KiB and messages. */
    const dovecotsWord = (): [number, number] => {
      const lines = doveadm("-f", "tab", "quota", "get", "-u", "alice").split("\n");
      const value = (type: string) =>
        Number(lines.find((line) => line.includes(type))?.split("\t")[2]);
      return [value("STORAGE"), value("MESSAGE")];
    };
    const agree = async (what: string) => {
      const [octets, messages] = truth(world);
      assert.deepEqual(await popkeepsWord(world), [octets, messages], `popkeep: ${what}`);
      const kib = Math.ceil(octets / 1_024);
      assert.deepEqual(dovecotsWord(), [kib, messages], `Dovecot: ${what}`);
    };

    for (const octets of [1_000, 3_000]) assert.equal((await deliver(world, octets)).exitCode, 0);
    const popkeeps = sizeFile(world);
    assert.match(popkeeps, /^20000S,100C\n +0 +0\n +\d+ +1\n +\d+ +1\n$/);
    await agree("popkeep delivered");
    assert.equal(sizeFile(world), popkeeps, "Dovecot took the file for its own");

    writeFileSync(`${home}/message`, message(5_000));
    chmodSync(`${home}/message`, 0o644);
    chmodSync(home, 0o755);
    doveadm("save", "-u", "alice", `${home}/message`);
    assert.equal(sizeFile(world), `${popkeeps}5000 1\n`);
    await agree("Dovecot saved");

    await deleteBy(server.plainPort, 1);
    assert.match(sizeFile(world), /\n5000 1\n +-\d+ +-1\n$/);
    await agree("popkeep's session deleted");

    await deleteBy(dovecot.port, 1);
    await agree("Dovecot's session deleted");

    const before = sizeFile(world);
    doveadm("quota", "recalc", "-u", "alice");
    assert.notEqual(sizeFile(world), before);
    await agree("Dovecot counted all");
    const dovecots = sizeFile(world);
    assert.equal((await deliver(world, 2_000)).exitCode, 0);
    assert.ok(sizeFile(world).startsWith(dovecots), "popkeep took the file for its own");
    await agree("popkeep delivered again");

    doveadm("mailbox", "create", "-u", "alice", "Work", "Trash");
    doveadm("save", "-u", "alice", "-m", "Work", `${home}/message`);
    doveadm("save", "-u", "alice", "-m", "Trash", `${home}/message`);
    const [octets, messages] = truth(world);
    assert.deepEqual(await popkeepsWord(world), [octets + 5_000, messages + 1]);
    assert.deepEqual(dovecotsWord()[1], messages + 1);

    // Full for the one is full for the other, which counts again first.
    const over = await deliver(world, LIMITS.octets - octets - 5_000 + 1);
    assert.equal(over.exitCode, 77, over.stderr);
    assert.match(sizeFile(world), /^20000S,100C\n[^\n]+\n$/);
    assert.deepEqual(maildir.names("tmp"), []);
    assert.deepEqual(await popkeepsWord(world), [octets + 5_000, messages + 1]);
    assert.deepEqual(dovecotsWord(), [Math.ceil((octets + 5_000) / 1_024), messages + 1]);
  } finally {
    await dovecot.stop();
  }
});

peerTest(
  ["courierpop3d", "deliverquota"],
  "a Courier and popkeep read and write one maildirsize",
  async (world) => {
    const { folder, server } = world;
    chmodSync(folder, 0o755);
    const courier = await CourierServer.start({
      homes: `${server.folder}/home`,
      password: PASSWORD,
    });
    try {
      const agree = async (what: string) =>
        assert.deepEqual(await popkeepsWord(world), truth(world), what);

      for (const octets of [1_000, 3_000]) assert.equal((await deliver(world, octets)).exitCode, 0);
      const popkeeps = sizeFile(world);
      assert.equal(deliverByCourier(world, 5_000), 0);
      assert.equal(
        sizeFile(world),
        `${popkeeps}        5000            1\n`,
        "Courier took the file for its own, and its lines are as popkeep's",
      );
      await agree("Courier delivered");

      await deleteBy(server.plainPort, 1);
      await agree("popkeep's session deleted");
      await deleteBy(courier.port, 1);
      assert.match(sizeFile(world), /\n +-\d+ +-1\n +-\d+ +-1\n$/);
      await agree("Courier's session deleted");

      // Over its limits Courier refuses by the file alone; what popkeep wrote is believed.
      const [octets] = truth(world);
      assert.equal(deliverByCourier(world, LIMITS.octets - octets + 1), 77);
      await agree("Courier counted all");
      const couriers = sizeFile(world);
      assert.match(couriers, /^20000S,100C\n[^\n]+\n$/);
      assert.equal((await deliver(world, 2_000)).exitCode, 0);
      assert.ok(sizeFile(world).startsWith(couriers), "popkeep took the file for its own");
      await agree("popkeep delivered again");
    } finally {
      await courier.stop();
    }
  },
);
