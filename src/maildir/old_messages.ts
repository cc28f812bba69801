/**
 * The messages of a Maildir that have reached an age, and their removal.
 *
 * A message is as old as its youngest date: the time that its name begins with, when its file was written (the date
 * of delivery), and when its file got the name that it has now (ctime). So mail that was moved here from another
 * server, or put back after it was deleted, or marked as read yesterday, is as young as that: what is kept for a
 * time after it was read is there for that time. A wrong date can only keep mail.
 *
 * A file is removed under exactly the name that it was judged by. One that was marked meanwhile has another name,
 * and is judged again by the next pass. Nothing is written but where a file goes; the list of unique-ids finds out
 * by itself that it is missing.
 *
 * *Knows* folders. *Does not know* how old mail may be.
 */

import { getLogger } from "@logtape/logtape";
import { DeletedMessages } from "./deleted_messages.ts";
import { DiskTimeout, eachOf, isMissing, pathIn, storageFailure } from "./disk.ts";
import { compareDelivery, deliverySeconds, flagsOf } from "./file_name.ts";
import { listFolder } from "./folder.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import type { FolderName } from "./message_table.ts";
import { staged } from "./name_blocks.ts";
import { Sidecar } from "./sidecar.ts";

const log = getLogger(["popkeep", "maildir"]);

/** Looks and removals at once: a pass in the night is in no hurry. */
const WIDTH = 4;

/** Ages at which mail goes, ms; 0 is never. */
export interface Ages {
  readonly readMs: number;
  readonly unreadMs: number;
}

export interface OldMessage {
  readonly folder: FolderName;
  /** Octets of the name, a character each. */
  readonly fileName: string;
  readonly uniqueName: string;
  readonly storedOctets: number;
  /** Its youngest date, ms since 1970. */
  readonly sinceMs: number;
}

/** An old message with its unique-id. */
export interface NamedMessage extends OldMessage {
  /** Undefined if no session ever saw it. */
  readonly id: number | undefined;
  readonly carried: string | undefined;
}

/**
 * The messages that have reached their age; changes nothing. A folder that is not there has none.
 *
 * @throws {StorageFailure} If the mailbox cannot be looked at.
 */
export async function findOldMessages(
  disk: MailboxDisk,
  ages: Ages,
  nowMs: number,
): Promise<OldMessage[]> {
  if (ages.readMs === 0 && ages.unreadMs === 0) return [];
  try {
    const found: OldMessage[] = [];
    for (const folder of ["new", "cur"] as const) {
      await refuseForeignLinks(disk, `${disk.path}/${folder}`);
      const candidates = await candidatesIn(disk, folder, ages, nowMs);
      await eachOf([...candidates], WIDTH, async ([fileName, uniqueName]) => {
        const stats = await statsOf(disk, folder, fileName);
        if (stats === undefined || !stats.isFile()) return;
        const { mtimeMs, ctimeMs, size } = stats;
        const sinceMs = Math.max(mtimeMs, ctimeMs, deliverySeconds(uniqueName) * 1_000);
        if (sinceMs + ageFor(fileName, ages) > nowMs) return;
        found.push({ folder, fileName, uniqueName, storedOctets: size, sinceMs });
      });
    }
    return found.sort((one, other) =>
      one.sinceMs - other.sinceMs || compareDelivery(one.uniqueName, other.uniqueName)
    );
  } catch (error) {
    throw storageFailure("look for old messages", error);
  }
}

/** Those whose name does not say that they are younger, by the file's name. */
async function candidatesIn(
  disk: MailboxDisk,
  folder: FolderName,
  ages: Ages,
  nowMs: number,
): Promise<Map<string, string>> {
  const candidates = new Map<string, string>();
  await listFolder(disk, folder, (names) => {
    while (names.stageNext()) {
      const uniqueName = staged.text;
      const fileName = uniqueName + names.info;
      const ageMs = ageFor(fileName, ages);
      const isYounger = deliverySeconds(uniqueName) * 1_000 + ageMs > nowMs;
      if (ageMs > 0 && !isYounger) candidates.set(fileName, uniqueName);
    }
  });
  return candidates;
}

function ageFor(fileName: string, { readMs, unreadMs }: Ages): number {
  return flagsOf(fileName).includes("S") ? readMs : unreadMs;
}

async function statsOf(disk: MailboxDisk, folder: FolderName, fileName: string) {
  try {
    return await disk.lstat(pathIn(`${disk.path}/${folder}`, fileName));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Adds the unique-ids that clients know the messages by.
 *
 * @throws {StorageFailure} If the list cannot be read.
 */
export async function withUniqueIds(
  disk: MailboxDisk,
  messages: readonly OldMessage[],
): Promise<NamedMessage[]> {
  if (messages.length === 0) return [];
  try {
    const sidecar = new Sidecar(disk);
    await sidecar.refresh();
    const { list } = sidecar;
    return messages.map((message) => {
      const row = list.findPresent(message.uniqueName);
      if (row < 0) return { ...message, id: undefined, carried: undefined };
      return { ...message, id: list.table.idOf(row), carried: list.table.carriedOf(row) };
    });
  } catch (error) {
    throw storageFailure("look for unique-ids", error);
  }
}

export interface RemovedOld {
  /** Messages that it has begun with, the first ones; the others are as they were. */
  readonly begun: number;
  readonly removed: NamedMessage[];
  /** Those that could not be removed. */
  readonly failed: number;
  /** Why it came to an early end: the disk does not answer. */
  readonly timeout: DiskTimeout | undefined;
}

/** Removes messages, or puts them aside. Those that are not there under their names any more are left out. */
export async function removeOldMessages(
  disk: MailboxDisk,
  messages: readonly NamedMessage[],
  { keepsDeleted, mayGoOn = () => true }: {
    readonly keepsDeleted: boolean;
    /** Asked before each message; once it says no, no other is begun with. */
    readonly mayGoOn?: () => boolean;
  },
): Promise<RemovedOld> {
  const deleted = keepsDeleted ? new DeletedMessages(disk) : undefined;
  const removed = new Set<NamedMessage>();
  let begun = 0;
  let isOver = false;
  let failed = 0;
  let reason: string | undefined;
  let timeout: DiskTimeout | undefined;
  try {
    await eachOf(messages, WIDTH, async (message) => {
      isOver ||= !mayGoOn();
      if (isOver) return;
      begun++;
      try {
        const { folder, fileName } = message;
        if (deleted === undefined) await disk.unlink(pathIn(`${disk.path}/${folder}`, fileName));
        else await deleted.take({ ...message, by: "retention" });
        removed.add(message);
      } catch (error) {
        if (error instanceof DiskTimeout) throw error;
        if (isMissing(error)) return;
        failed++;
        reason ??= error instanceof Error ? error.message : String(error);
      }
    });
    await deleted?.sync();
  } catch (error) {
    if (error instanceof DiskTimeout) timeout = error;
    reason ??= error instanceof Error ? error.message : String(error);
  }
  if (reason !== undefined) {
    log.error("messages not removed", { mailbox: disk.path, messages: failed, reason });
  }
  // In their order: several go at a time.
  return { begun, removed: messages.filter((message) => removed.has(message)), failed, timeout };
}
