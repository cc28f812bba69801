/**
 * Whether the list of unique-ids says what a list can say, and whether somebody left its lock behind.
 *
 * The list is read line by line as the server reads it (unique_id_list.ts), without a lock: whole lines are never
 * altered. What the server would mend when it writes the list next, repair has it mend now, by the same rewrite under
 * the same lock: killed anywhere, it leaves the old list or the new one, with the same ids.
 *
 * A list without one whole line is left: a server that runs knows the ids that it showed and puts them back.
 *
 * *Knows* the file. *Does not know* messages.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DiskTimeout, isMissing, storageFailure } from "../maildir/disk.ts";
import type { DiskFile } from "../maildir/disk_file.ts";
import { type DotLock, isLeftLock, takeDotLock } from "../maildir/dot_lock.ts";
import { stateOf } from "../maildir/folder.ts";
import { readFully } from "../maildir/read_part.ts";
import { Sidecar, SIDECAR_NAME } from "../maildir/sidecar.ts";
import { removeUnfinished, rewrite } from "../maildir/sidecar_rewrite.ts";
import { HEADER, UniqueIdList } from "../maildir/unique_id_list.ts";
import { StorageFailure } from "../maildrop/store.ts";
import type { CheckedMaildir } from "./checked_maildir.ts";
import type { Finding, Repair } from "./finding.ts";

/** A live holder of the lock needs milliseconds; a dead one is found out sooner than this. */
const LOCK_WAIT_MS = 30_000;

/** Times that the list is written while others write all the same. */
const TRIES = 5;

const PIECE_OCTETS = 1_048_576;

/** A line that is longer is none that popkeep wrote. */
const LONGEST_LINE_OCTETS = 16_777_216;

/** Whoever appends a line has done so sooner than this. */
const APPEND_MS = 300;

const LF = 0x0a;

/** Tells what is wrong; returns the list, without those lines, where there is one that can be used. */
export async function* checkIdList(
  maildir: CheckedMaildir,
): AsyncGenerator<Finding, UniqueIdList | undefined> {
  yield* checkLock(maildir);
  yield* checkKept(maildir);
  let look: ListLook | undefined;
  try {
    look = await lookAtList(maildir);
    if (look !== undefined && look.tornOctets > 0) {
      // It may be a line that is being written.
      await sleep(APPEND_MS);
      const later = await lookAtList(maildir);
      if (later === undefined || later.octets !== look.octets) look = later;
    }
  } catch (error) {
    if (error instanceof DiskTimeout) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    yield {
      severity: "error",
      kind: "list-unusable",
      path: maildir.nameOf(SIDECAR_NAME),
      reason: `it cannot be used, and logins are refused: ${reason}`,
      repair: "unique-ids would be given anew, and clients would download all mail again",
    };
    return undefined;
  }
  if (look === undefined) return undefined;
  yield* lookFindings(maildir, look);
  return look.list;
}

interface ListLook {
  readonly list: UniqueIdList;
  readonly octets: number;
  readonly lines: number;
  /** Numbers of lines, from 1. */
  readonly firstDamaged: number | undefined;
  readonly damaged: number;
  readonly void: number;
  /** Behind the last line's end. */
  readonly tornOctets: number;
}

/** Undefined if there is none. @throws {Error} If it cannot be read, or is of a later version. */
async function lookAtList({ disk, path }: CheckedMaildir): Promise<ListLook | undefined> {
  let file: DiskFile;
  try {
    file = await disk.openOwn(`${path}/${SIDECAR_NAME}`, constants.O_RDONLY);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return await readList(file);
  } finally {
    await file.close();
  }
}

async function readList(file: DiskFile): Promise<ListLook> {
  const list = new UniqueIdList();
  let [lines, damaged, voids, octets] = [0, 0, 0, 0];
  let firstDamaged: number | undefined;
  const take = (line: Buffer) => {
    lines++;
    if (lines === 1 && isHeader(line)) return;
    const before = list.table.count;
    if (!list.apply(line)) {
      damaged++;
      firstDamaged ??= lines;
    } else if (line[0] === 0x2b && list.table.count === before) voids++;
  };
  let chunk = Buffer.alloc(PIECE_OCTETS);
  for (;;) {
    const length = await readFully(file, chunk, octets);
    let from = 0;
    for (let end; (end = chunk.indexOf(LF, from)) >= 0 && end < length; from = end + 1) {
      take(chunk.subarray(from, end));
    }
    octets += from;
    if (length < chunk.length) {
      const tornOctets = length - from;
      return {
        list,
        octets: octets + tornOctets,
        lines,
        firstDamaged,
        damaged,
        void: voids,
        tornOctets,
      };
    }
    if (from > 0) continue;
    if (chunk.length >= LONGEST_LINE_OCTETS) throw new Error("it has a line without an end");
    chunk = Buffer.alloc(chunk.length * 4);
  }
}

/** @throws {Error} If it is of a later version. */
function isHeader(line: Buffer): boolean {
  const text = line.toString("latin1", 0, 64);
  if (`${text}\n` === HEADER) return true;
  const version = /^popkeep-uidlist ([0-9]{1,9})$/.exec(text)?.[1];
  if (version !== undefined) {
    throw new Error(`it is of version ${version}, and this popkeep knows 1`);
  }
  return false;
}

function* lookFindings(maildir: CheckedMaildir, look: ListLook): Generator<Finding> {
  const path = maildir.nameOf(SIDECAR_NAME);
  if (look.lines === 0) {
    yield {
      severity: "error",
      kind: "list-damaged",
      path,
      reason: "there is not one whole line in it",
      repair:
        "a server that runs puts back what it knows at the next login; else ids are given anew",
    };
    return;
  }
  if (look.damaged > 0) {
    yield {
      severity: "error",
      kind: "list-damaged",
      path,
      reason: look.firstDamaged === 1
        ? "it does not begin as a list does"
        : `${count(look.damaged, "line")} cannot be read, the first is line ${look.firstDamaged}`,
      repair: rewriteRepair(
        maildir,
        `write it anew from what can be read, and keep it as ${path}.damaged`,
      ),
    };
  } else if (look.tornOctets > 0) {
    yield {
      severity: "warning",
      kind: "list-torn",
      path,
      reason: `its last line has no end, as after a crash (${count(look.tornOctets, "octet")})`,
      repair: rewriteRepair(maildir, "write it anew without that line, which never counted"),
    };
  }
  if (look.void > 0) {
    yield {
      severity: "warning",
      kind: "list-void-lines",
      path,
      reason: `${count(look.void, "line")} would give a unique-id or a name a second time; ` +
        "the first one counts",
      repair: rewriteRepair(maildir, "write it anew without them"),
    };
  }
}

function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

function rewriteRepair(maildir: CheckedMaildir, what: string): Repair {
  return {
    what,
    async run() {
      const look = await lookAtList(maildir);
      // The server may have done it by now, or what was found before this.
      if (look === undefined || look.lines === 0) return false;
      if (look.damaged + look.void + look.tornOctets === 0) return false;
      const sidecar = new Sidecar(maildir.disk);
      await underLock(sidecar, async (lock) => {
        for (let tries = 0; tries < TRIES; tries++) {
          await sidecar.refreshFromFile();
          if (await rewrite(sidecar, lock, Date.now())) return;
        }
        throw new StorageFailure("SYS/TEMP", "others kept writing the unique-id list");
      });
      return true;
    },
  };
}

/** Works under the lock of a Maildir's list. @throws {StorageFailure} If it cannot be had, or the work fails. */
export async function underLock(
  sidecar: Sidecar,
  work: (lock: DotLock) => Promise<void>,
): Promise<void> {
  const { disk, lockPath } = sidecar;
  try {
    // Where only this machine writes, nothing needs to be written to learn what is there.
    disk.isOn((await stateOf(disk, "cur"))?.facts.device);
    const lock = await takeDotLock(lockPath, { waitMs: LOCK_WAIT_MS, disk });
    if (lock === undefined) throw new StorageFailure("SYS/TEMP", "the unique-id list is in use");
    try {
      if (lock.tookOver) await removeUnfinished(disk);
      await work(lock);
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw storageFailure("write the unique-id list", error);
  }
}

async function* checkLock(maildir: CheckedMaildir): AsyncGenerator<Finding> {
  const { disk } = maildir;
  const sidecar = new Sidecar(disk);
  if (!await isLeftLock(sidecar.lockPath, { disk })) return;
  yield {
    severity: "warning",
    kind: "lock-left",
    path: maildir.nameOf(`${SIDECAR_NAME}.lock`),
    reason:
      "the lock was left by a process that is gone; who wants it next has to wait for a moment",
    repair: {
      what: "take it and give it back",
      async run() {
        if (!await isLeftLock(sidecar.lockPath, { disk })) return false;
        await underLock(sidecar, () => Promise.resolve());
        return true;
      },
    },
  };
}

async function* checkKept(maildir: CheckedMaildir): AsyncGenerator<Finding> {
  const name = `${SIDECAR_NAME}.damaged`;
  try {
    await maildir.disk.lstat(`${maildir.path}/${name}`);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  yield {
    severity: "note",
    kind: "list-kept",
    path: maildir.nameOf(name),
    reason: "the list was damaged once, and this is how it was",
    repair: "remove it when nobody wants to know any more",
  };
}
