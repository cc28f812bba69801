/**
 * What a folder of mail holds, in numbers. Each message is looked at once, and none is read. Changes nothing.
 *
 * *Knows* Maildirs. *Does not know* users.
 */

import { listDeleted } from "../maildir/deleted_messages.ts";
import { eachOf, isMissing, pathIn } from "../maildir/disk.ts";
import { deliverySeconds, flagsOf, uniqueNameOf } from "../maildir/file_name.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { Sidecar } from "../maildir/sidecar.ts";

/** Files looked at at once. */
const WIDTH = 16;

export interface LargeMessage {
  readonly folder: "new" | "cur";
  /** Octets of the name, a character each. */
  readonly fileName: string;
  readonly octets: number;
}

export interface FolderStatistics {
  readonly messages: number;
  /** Of the files. */
  readonly octets: number;
  /** Messages in new/, which no reader has seen. */
  readonly fresh: number;
  /** Messages with the flag S. */
  readonly seen: number;
  /** When the first and the last came, ms since 1970; undefined where there are none. */
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
  /** The largest first. */
  readonly largest: readonly LargeMessage[];
  /** Messages that the list of unique-ids has, and what it takes on the disk; 0 where there is none. */
  readonly uniqueIds: number;
  readonly listOctets: number;
  /** Deleted messages that can be put back. */
  readonly deleted: number;
  readonly deletedOctets: number;
}

/**
 * @param mostLarge how many of the largest messages are told.
 * @param onFile is told each file before it is looked at, and how many there are in its folder.
 * @throws {StorageFailure} If the list of unique-ids is none.
 * @throws {Error} What `node:fs` says.
 */
export async function folderStatistics(
  disk: MailboxDisk,
  { mostLarge, onFile }: {
    readonly mostLarge: number;
    readonly onFile: (files: number) => void;
  },
): Promise<FolderStatistics> {
  let [messages, octets, fresh, seen] = [0, 0, 0, 0];
  let [oldestMs, newestMs] = [Infinity, -Infinity];
  const largest = new Largest(mostLarge);
  for (const folder of ["new", "cur"] as const) {
    const entries = await entriesOf(disk, folder);
    await eachOf(entries, WIDTH, async ({ name }) => {
      onFile(entries.length);
      if (name.startsWith(".") || name.startsWith(":")) return;
      const found = await lookAt(disk, `${folder}`, name);
      if (found?.isFile() !== true) return;
      messages++;
      octets += found.size;
      if (folder === "new") fresh++;
      if (flagsOf(name).includes("S")) seen++;
      const cameMs = deliverySeconds(uniqueNameOf(name)) * 1_000 || found.mtimeMs;
      oldestMs = Math.min(oldestMs, cameMs);
      newestMs = Math.max(newestMs, cameMs);
      largest.add({ folder, fileName: name, octets: found.size });
    });
  }
  const list = await listNumbers(disk);
  const deleted = await deletedNumbers(disk);
  return {
    ...{ messages, octets, fresh, seen, largest: largest.messages, ...list, ...deleted },
    oldestMs: messages === 0 ? undefined : oldestMs,
    newestMs: messages === 0 ? undefined : newestMs,
  };
}

async function entriesOf(disk: MailboxDisk, folder: string) {
  try {
    return await disk.entries(`${disk.path}/${folder}`);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function lookAt(disk: MailboxDisk, inside: string, name: string) {
  try {
    return await disk.lstat(pathIn(`${disk.path}/${inside}`, name));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function listNumbers(disk: MailboxDisk) {
  const sidecar = new Sidecar(disk);
  await sidecar.refresh();
  const { table } = sidecar.list;
  let uniqueIds = 0;
  for (let row = 0; row < table.count; row++) if (!table.isRemoved(row)) uniqueIds++;
  const listOctets = (await disk.lstat(sidecar.path).catch(() => undefined))?.size ?? 0;
  return { uniqueIds, listOctets };
}

async function deletedNumbers(disk: MailboxDisk) {
  let [deleted, deletedOctets] = [0, 0];
  await eachOf(await listDeleted(disk), WIDTH, async ({ place, storedName }) => {
    const found = await lookAt(disk, place, storedName);
    if (found?.isFile() !== true) return;
    deleted++;
    deletedOctets += found.size;
  });
  return { deleted, deletedOctets };
}

/** The largest of many messages, in memory for a few. */
export class Largest {
  readonly #most: number;
  #messages: LargeMessage[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** The largest first. */
  get messages(): readonly LargeMessage[] {
    return this.#messages;
  }

  add(message: LargeMessage): void {
    const { octets } = message;
    const isFull = this.#messages.length >= this.#most;
    if (isFull && octets <= (this.#messages.at(-1)?.octets ?? Infinity)) return;
    const at = this.#messages.findIndex((other) => other.octets < octets);
    this.#messages.splice(at < 0 ? this.#messages.length : at, 0, message);
    this.#messages.length = Math.min(this.#messages.length, this.#most);
  }
}
