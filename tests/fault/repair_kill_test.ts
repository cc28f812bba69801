/**
 * `popkeep mailbox repair` killed at each system call by which it changes something: no message is lost, or changed,
 * or gets another unique-id, and repairing again mends what is left. On a full disk it says so, and leaves all as it is.
 *
 * POPKEEP_CRASH=all kills at every call; otherwise it is a few drawn ones, which POPKEEP_SEED repeats.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { Mailbox } from "../../src/maildir/mailbox.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { popkeep, popkeepCommand } from "../support/command_line.ts";
import { randomFrom, shuffled } from "./chance.ts";

const ALL = process.env["POPKEEP_CRASH"] === "all";

/** Kills that the test tries, of those that there are. */
const TRIED = 6;

const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

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

let folder: string;

before(() => {
  folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-repair-kill-`));
  writeFileSync(`${folder}/users`, "bob:{PLAIN}x\n");
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${folder}/mail/{user}"
`,
  );
});

after(() => rmSync(folder, { recursive: true, force: true }));

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

interface Kill {
  readonly call: string;
  /** Which of those that one thread makes, from 1. */
  readonly nth: number;
}

async function repair(
  kill?: Kill,
): Promise<{ readonly code: number | null; readonly trace: string }> {
  const table = `${folder}/trace`;
  const injections = kill === undefined
    ? []
    : ["-e", `inject=${kill.call}:signal=KILL:when=${kill.nth}`];
  const words = [
    ...["-f", "-y", "-o", table, "-e", `trace=${CALLS.map((name) => `?${name}`).join(",")}`],
    ...injections,
    ...popkeepCommand(),
    ...["mailbox", "repair", "--config", `${folder}/popkeep.toml`, "bob"],
  ];
  const child = spawn("strace", words, { stdio: "ignore" });
  const [code, signal] = await once(child, "exit");
  return { code: signal === null ? code : null, trace: readFileSync(table, "utf8") };
}

/** The calls that were made in the mailbox, each with how often its thread had made the like before. */
function killsOf(trace: string): Kill[] {
  const counts = new Map<string, number>();
  const kills = new Map<string, Kill>();
  for (const line of trace.split("\n")) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (call === undefined) continue;
    const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, nth);
    if (/\/mail\/bob|\/proc\/self\/fd/.test(line)) kills.set(`${call} ${nth}`, { call, nth });
  }
  return [...kills.values()];
}

test(`killed at any of its calls repair loses no message and no unique-id (POPKEEP_SEED=${SEED})`, async () => {
  const path = `${folder}/mail/bob`;
  await begin();
  const whole = await repair();
  assert.equal(whole.code, 0);
  const all = killsOf(whole.trace);
  assert.ok(all.length >= 10, JSON.stringify(all));
  let killed = 0;
  const kills = ALL ? all : shuffled(all, randomFrom(SEED)).slice(0, 4 * TRIED);
  for (const kill of kills) {
    if (!ALL && killed === TRIED) break;
    const about = `after ${JSON.stringify(kill)}`;
    const shown = await begin();
    const { code } = await repair(kill);
    if (code === null) killed++;
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
  assert.ok(killed >= (ALL ? all.length / 2 : 1), `${killed} of ${all.length} were killed`);
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
