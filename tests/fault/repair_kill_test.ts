/**
 * `popkeep mailbox repair` killed at each system call by which it changes something: no message is lost, or changed,
 * or gets another unique-id, and repairing again mends what is left. On a full disk it says so, and leaves all as it is.
 *
 * POPKEEP_CRASH=all kills at every call; otherwise it is a few drawn ones, which POPKEEP_SEED repeats.
 */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { after, test } from "node:test";
import { Mailbox } from "../../src/maildir/mailbox.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { popkeep } from "../support/command_line.ts";
import { ALL_KILLS, CommandKills, type Kill, killsToTry, SEED } from "./command_kills.ts";

/** Kills that the test tries, of those that there are. */
const TRIED = 6;

/** Those by which something changes; how each runtime makes them differs. */
const CALLS = [
  ...[
    "mkdir",
    "mkdirat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "chmod",
    "fchmod",
  ],
  ...[
    "fchmodat",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "utimensat",
  ],
];

const kills = new CommandKills("repair", CALLS);
const { folder } = kills;

after(() => kills.remove());

function message(subject: string): string {
  return `From: a@b.example\nDate: Tue, 14 Jul 2026 10:00:00 +0200\nSubject: ${subject}\n\n${subject}\n`;
}

/** The messages that the mailbox has, each of them once, and some of them in a place of no use. */
const TEXTS = ["one", "two", "twin", "stray", "second name"].map(message);

/** A mailbox that clients know, and then all of repair's work in it. Returns what clients were shown. */
async function begin(path = `${folder}/mail/bob`): Promise<ReadonlyMap<string, string>> {
  rmSync(path, { recursive: true, force: true });
  for (const part of ["new", "cur", "tmp"]) {
    mkdirSync(`${path}/${part}`, { recursive: true, mode: 0o700 });
  }
  writeFileSync(`${path}/new/1700000001.M1P1.test`, TEXTS[0]!);
  writeFileSync(`${path}/cur/1700000002.M2P1.test:2,S`, TEXTS[1]!);
  writeFileSync(`${path}/cur/1700000003.M3P1.test:2,S`, TEXTS[4]!);
  const shown = await idsOf(path);
  writeFileSync(`${path}/new/1700000002.M2P1.test`, TEXTS[2]!);
  writeFileSync(`${path}/1700000004.M4P1.test`, TEXTS[3]!);
  linkSync(`${path}/cur/1700000003.M3P1.test:2,S`, `${path}/new/1700000003.M3P1.test`);
  writeFileSync(`${path}/popkeep-uidlist`, "= 1 5 -\nnonsense\n+ 17", { flag: "a" });
  writeFileSync(`${path}/maildirsize`, "1000000S\n1 1\n");
  rmSync(`${path}/tmp`, { recursive: true });
  chmodSync(`${path}/cur`, 0o755);
  return shown;
}

/** Unique names of the maildrop, with the unique-ids that clients see. */
async function idsOf(path: string): Promise<Map<string, string>> {
  const snapshot = await new Mailbox(path, { exactSizes: false }).refresh();
  const ids = new Map<string, string>();
  for (let number = 1; number <= snapshot.count; number++) {
    const at = number as MessageNumber;
    ids.set(snapshot.entryOf(at).uniqueName, snapshot.uniqueIdOf(at));
  }
  return ids;
}

/** Every text is there, in new/, cur/ or beside them, and nothing else is in new/ and cur/. */
function mustHaveAll(path: string, about: string): void {
  const files = ["new", "cur", "."].flatMap((part) =>
    readdirSync(`${path}/${part}`, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^17\d{8}\./.test(entry.name))
      .map(({ name }) => readFileSync(`${path}/${part}/${name}`, "utf8"))
  );
  for (const text of TEXTS) assert.ok(files.includes(text), `lost: ${text} ${about}`);
  for (const file of files) assert.ok(TEXTS.includes(file), `${file} ${about}`);
}

const repair = (kill?: Kill) => kills.run({ words: ["mailbox", "repair", "bob"] }, kill);

test(`killed at any of its calls repair loses no message and no unique-id (POPKEEP_SEED=${SEED})`, async () => {
  const path = `${folder}/mail/bob`;
  await begin();
  const whole = await repair();
  assert.equal(whole.code, 0);
  const all = kills.killsOf(whole.trace);
  assert.ok(all.length >= 10, JSON.stringify(all));
  let killed = 0;
  for (const kill of killsToTry(all, TRIED)) {
    if (!ALL_KILLS && killed === TRIED) break;
    const about = `after ${JSON.stringify(kill)}`;
    const shown = await begin();
    const { code } = await repair(kill);
    if (code === undefined) killed++;
    mustHaveAll(path, about);
    const again = await popkeep(
      ["mailbox", "repair", "--config", `${folder}/popkeep.toml`, "bob"],
      { folder },
    );
    assert.equal(again.exitCode, 0, `${about}: ${again.stdout}${again.stderr}`);
    mustHaveAll(path, about);
    const ids = await idsOf(path);
    assert.equal(ids.size, TEXTS.length, about);
    for (const [name, id] of shown) assert.equal(ids.get(name), id, about);
  }
  assert.ok(killed >= (ALL_KILLS ? all.length / 2 : 1), `${killed} of ${all.length} were killed`);
});

const mounts = spawnSync("unshare", ["--mount", "true"]).status === 0;

test(
  "on a full disk repair says what it could not do, and the list is as it was",
  { skip: mounts ? false : "nothing can be mounted here" },
  async () => {
    const mail = `${folder}/mail`;
    mkdirSync(mail, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mail]);
    try {
      const shown = await begin();
      mkdirSync(`${mail}/bob/tmp`, { mode: 0o700 });
      const list = readFileSync(`${mail}/bob/popkeep-uidlist`, "latin1");
      fill(`${mail}/filler`);
      const { exitCode, stdout } = await popkeep(
        ["mailbox", "repair", "--config", `${folder}/popkeep.toml`, "bob"],
        { folder },
      );
      assert.equal(exitCode, 74, stdout);
      assert.match(stdout, /\tlist-damaged\t.*\tfailed: .*(?:ENOSPC|No space left)/);
      assert.match(stdout, /\tmaildirsize-wrong\t.*\tfailed: /);
      assert.equal(readFileSync(`${mail}/bob/popkeep-uidlist`, "latin1"), list);
      mustHaveAll(`${mail}/bob`, "on a full disk");
      rmSync(`${mail}/filler`);
      const again = await popkeep(
        ["mailbox", "repair", "--config", `${folder}/popkeep.toml`, "bob"],
        { folder },
      );
      assert.equal(again.exitCode, 0, again.stdout);
      mustHaveAll(`${mail}/bob`, "afterwards");
      const ids = await idsOf(`${mail}/bob`);
      for (const [name, id] of shown) assert.equal(ids.get(name), id, name);
    } finally {
      execFileSync("umount", [mail]);
    }
  },
);

/** Takes all the room that there is. */
function fill(path: string): void {
  for (let octets = 65_536; octets >= 1; octets = Math.floor(octets / 2)) {
    for (;;) {
      try {
        const before = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
        writeFileSync(path, "x".repeat(octets), { flag: "a" });
        if (statSync(path).size < before + octets) break;
      } catch {
        break;
      }
    }
  }
}
