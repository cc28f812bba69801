/**
 * Crashes, of the process and of the machine, at every step of deleting messages that are kept, and of putting them
 * back: each message is in the maildrop or among the deleted, once and whole, and comes back under its unique-id.
 *
 * The states are computed from what the program did (crash/crash_states.ts). POPKEEP_CRASH=all tries every state;
 * otherwise it is a part, chosen by POPKEEP_SEED.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { listDeleted } from "../../src/maildir/deleted_messages.ts";
import { MailboxDisk } from "../../src/maildir/mailbox_disk.ts";
import { MaildirStore } from "../../src/maildir/maildir_store.ts";
import { restoreDeleted } from "../../src/maildir/restore_deleted.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { chosen, randomFrom } from "./chance.ts";
import { type CrashState, crashStates, stepsOf } from "./crash/crash_states.ts";
import { diskEvents } from "./crash/disk_events.ts";
import { type DiskImage, readImage, writeImage } from "./crash/disk_image.ts";
import { RECORDING } from "./crash/recording.ts";
import { tracedCalls } from "./crash/traced_calls.ts";

const ALL = process.env["POPKEEP_CRASH"] === "all";
const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const MESSAGES = 4;

/** States of one program that are tried if not all are. */
const STATES = 30;

/** Tried at a time: those that wait for a lock to be stale all wait at once. */
const LANES = 10;

/** What a mailbox holds, by unique-id. */
type Mail = ReadonlyMap<string, string>;

function storeAt(path: string): MaildirStore {
  return new MaildirStore({
    maildir: path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
    keepsDeleted: true,
  });
}

/** What a server that has just been started shows: texts by unique-id. */
async function shownAt(path: string): Promise<Map<string, string>> {
  const drop = await storeAt(path).open({ user: "alice", extra: {} });
  const shown = new Map<string, string>();
  for (let number = 1; number <= drop.snapshot.count; number++) {
    const message = await drop.open(number as MessageNumber);
    const octets = await message.read(new Uint8Array(65_536));
    shown.set(
      drop.snapshot.uniqueIdOf(number as MessageNumber),
      new TextDecoder().decode(octets),
    );
    await message.close();
  }
  drop.close();
  return shown;
}

/** The texts of all messages, wherever they are. */
function textsAt(path: string): string[] {
  return ["new", "cur", "popkeep-deleted"].flatMap((folder) => {
    try {
      return readdirSync(`${path}/${folder}`, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, "utf8"));
    } catch {
      return []; // there is no such folder yet
    }
  });
}

/** Runs a program on a mailbox under strace; what it did there. */
function recorded(program: string, path: string): { base: DiskImage; states: CrashState[] } {
  const folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-undelete-trace-`));
  try {
    const base = readImage(path);
    const main = fileURLToPath(new URL(program, import.meta.url));
    const runtime = "Deno" in globalThis
      ? [process.execPath, "run", "-A", "--no-check", main]
      : [process.execPath, main];
    const words = ["-f", "-o", `${folder}/trace`, ...RECORDING, ...runtime, path];
    const { stdout } = spawnSync("strace", words, { encoding: "utf8" });
    assert.equal(stdout, "done\n");
    const calls = tracedCalls(readFileSync(`${folder}/trace`, "latin1"));
    const events = diskEvents(calls, path);
    const steps = stepsOf({ base, folder: path, events });
    return { base, states: crashStates(base, steps, { random: randomFrom(SEED) }) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Looks at each state as who starts after the crash does. */
async function tryAll(states: readonly CrashState[], mail: Mail): Promise<void> {
  const failures: string[] = [];
  const left = [...(ALL ? states : chosen(states, STATES, randomFrom(SEED)))];
  const tried = left.length;
  const lane = async () => {
    for (let state; (state = left.pop()) !== undefined;) {
      const folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-undelete-state-`));
      try {
        await tryState(`${folder}/Maildir`, state, mail);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        failures.push(`${state.how}${state.isOrdered ? "" : " (unordered)"}: ${reason}`);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  assert.equal(failures.length, 0, `of ${tried}:\n${failures.slice(0, 10).join("\n")}`);
}

async function tryState(path: string, { image }: CrashState, mail: Mail): Promise<void> {
  writeImage(image, path);
  for (const part of ["new", "cur", "tmp"]) mkdirSync(`${path}/${part}`, { recursive: true });
  const texts = [...mail.values()];
  assert.deepEqual(textsAt(path).sort(), texts.toSorted(), "each message is there once, and whole");
  for (const [id, text] of await shownAt(path)) {
    assert.equal(mail.get(id), text, `the message ${id} is another`);
  }
  const disk = new MailboxDisk(path);
  for (const { outcome } of await restoreDeleted(disk, await listDeleted(disk))) {
    assert.equal(outcome, "restored");
  }
  assert.deepEqual(await shownAt(path), mail, "all are back, under their unique-ids");
}

async function withMailbox(work: (path: string, mail: Mail) => Promise<void>): Promise<void> {
  const folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-undelete-crash-`));
  try {
    const maildir = new TestMaildir(`${folder}/Maildir`);
    for (let n = 0; n < MESSAGES; n++) {
      const name = maildir.deliver(`Subject: ${n}\r\n\r\n${`line of ${n}\r\n`.repeat(20)}`);
      if (n % 2 === 1) maildir.flag(name, "FS");
    }
    // One is called as long as names may be.
    maildir.place(`1800000000.${"x".repeat(239)}:2,RS`, "Subject: long\r\n\r\nlong\r\n");
    await work(maildir.path, await shownAt(maildir.path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test(`deleting messages that are kept (POPKEEP_SEED=${SEED})`, () =>
  withMailbox(async (path, mail) => {
    const { states } = recorded("put_aside_program.ts", path);
    assert.ok(states.length > 20, String(states.length));
    await tryAll(states, mail);
  }));

test(`putting deleted messages back (POPKEEP_SEED=${SEED})`, () =>
  withMailbox(async (path, mail) => {
    recorded("put_aside_program.ts", path);
    assert.equal((await shownAt(path)).size, 0);
    const { states } = recorded("put_back_program.ts", path);
    assert.ok(states.length > 20, String(states.length));
    await tryAll(states, mail);
  }));
