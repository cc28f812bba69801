/**
 * The file `maildirsize` in a user's Maildir: read, and kept right when messages come and go.
 *
 * Courier, Dovecot and others keep the same file, and nobody locks it: each change is one line, added by one write
 * at the file's end. What that can do wrong heals by the rules of Maildir++, since nobody is refused on the word of
 * an old sum: see `maildirSizeNow`.
 *
 * - A process that is killed, or a machine that loses power, between a message and its line: the sum is wrong by that
 *   much until the mail is counted again. Lines are not synced: they are worth less than the wait.
 * - A count by somebody else between a message and its line: the line counts it once more. A message that comes is
 *   counted after it is there, and what goes in the file that was there before it went. So the sum may be too
 *   high by such a line, never too low; and one that is too high is counted again before it refuses anything.
 * - A full disk: no line, or a part of one, which makes the file damaged and has it counted again.
 *
 * *Knows* the file. *Does not know* how mail is counted (quota_count.ts) and who has which limits.
 */

import { constants } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { isMissing } from "./disk.ts";
import type { DiskFile } from "./disk_file.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { parseDefinition, type QuotaLimits } from "../maildrop/quota_definition.ts";
import {
  encodeUsage,
  isOver,
  MAILDIRSIZE_OCTETS,
  parseMaildirSize,
  type Usage,
} from "./maildirsize_text.ts";
import { readFully } from "./read_part.ts";

const log = getLogger(["popkeep", "maildir"]);

export const MAILDIRSIZE_NAME = "maildirsize";

/** A sum above the limits that is older is not believed, ms (README.maildirquota: 15 minutes). */
const STALE_MS = 900_000;

/** What the file has, and whether the mail is to be counted again. */
export interface MaildirSize {
  /** As it stands in the file; undefined where there is no file, or no such line. */
  readonly definition: string | undefined;
  /** Undefined where the mail has to be counted. */
  readonly used: Usage | undefined;
  /** Whether it was counted and nothing came or went since. */
  readonly isFresh: boolean;
}

const NOTHING: MaildirSize = { definition: undefined, used: undefined, isFresh: false };

/** The file of the Maildir that a disk is of. */
export function maildirSizePath(disk: MailboxDisk): string {
  return `${disk.path}/${MAILDIRSIZE_NAME}`;
}

export interface WhatIsAsked {
  /** Those that are to hold. Where the file says others, it is to be written anew. Undefined asks for none. */
  readonly limits: QuotaLimits | undefined;
  /** What is to come besides. */
  readonly incoming?: Usage;
}

/**
 * What the file says, if it is to be believed (README.maildirquota, "Calculating the quota"): it is whole, shorter
 * than 5,120 octets, of these limits, and not above them, unless the mail was counted less than 15 minutes ago and
 * nothing came or went since.
 *
 * @throws {Error} What `node:fs` says of a file that is there and cannot be read.
 */
export async function maildirSizeNow(
  disk: MailboxDisk,
  { limits, incoming = { octets: 0, messages: 0 } }: WhatIsAsked,
): Promise<MaildirSize> {
  const file = await openIfThere(disk, constants.O_RDONLY);
  if (file === undefined) return NOTHING;
  try {
    const octets = new Uint8Array(MAILDIRSIZE_OCTETS);
    const length = await readFully(file, octets, 0);
    const text = String.fromCharCode(...octets.subarray(0, length));
    const { definition, used, lines } = parseMaildirSize(text);
    if (used === undefined || length === MAILDIRSIZE_OCTETS) return { ...NOTHING, definition };
    if (!isOfLimits(definition, limits)) return { ...NOTHING, definition };
    const then = {
      octets: used.octets + incoming.octets,
      messages: used.messages + incoming.messages,
    };
    const isFresh = lines === 1;
    if (limits !== undefined && isOver(then, limits)) {
      const { mtimeMs } = await file.stat();
      // A clock may have gone back.
      const isStale = Math.abs(Date.now() - mtimeMs) > STALE_MS;
      if (!isFresh || isStale) return { ...NOTHING, definition };
    }
    return { definition, used, isFresh };
  } finally {
    await file.close();
  }
}

function isOfLimits(definition: string | undefined, limits: QuotaLimits | undefined): boolean {
  if (limits === undefined) return true;
  const said = definition === undefined ? undefined : parseDefinition(definition);
  return said?.octets === limits.octets && said.messages === limits.messages;
}

/** The file that is there, to be open while messages are removed; undefined if there is none. */
async function openIfThere(disk: MailboxDisk, flags: number): Promise<DiskFile | undefined> {
  try {
    return await disk.openOwn(maildirSizePath(disk), flags);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Counts a message that has come, where there is a file; what fails is only said. */
export async function countDelivered(disk: MailboxDisk, octets: number): Promise<void> {
  const tally = await openTally(disk);
  await tally?.add({ octets, messages: 1 });
}

/** A message that was removed. */
export interface Removed {
  /** Of its file. */
  readonly octets: number;
}

/** The file, open for one line. Each of its methods closes it, and none throws. */
export class Tally {
  readonly #disk: MailboxDisk;
  readonly #file: DiskFile;

  constructor(disk: MailboxDisk, file: DiskFile) {
    this.#disk = disk;
    this.#file = file;
  }

  /** Counts what was removed, by one line for all. */
  async removed(removed: readonly Removed[]): Promise<void> {
    const octets = removed.reduce((sum, { octets }) => sum + octets, 0);
    await this.add({ octets: -octets, messages: -removed.length });
  }

  async add(change: Usage): Promise<void> {
    try {
      const isChange = change.octets !== 0 || change.messages !== 0;
      // One that is so long is counted anew by whoever reads it, and need not grow for ever where nobody does.
      if (isChange && (await this.#file.stat()).size < MAILDIRSIZE_OCTETS) {
        await this.#file.write(new TextEncoder().encode(encodeUsage(change)));
      }
    } catch (error) {
      tellNotCounted(this.#disk, error);
    } finally {
      await this.#file.close().catch(() => {});
    }
  }
}

/**
 * Opens the file before messages are removed, so that a count by somebody else meanwhile is not mistaken for one
 * before; undefined where there is none, which costs a look.
 */
export async function openTally(disk: MailboxDisk): Promise<Tally | undefined> {
  try {
    const file = await openIfThere(disk, constants.O_WRONLY | constants.O_APPEND);
    return file && new Tally(disk, file);
  } catch (error) {
    tellNotCounted(disk, error);
    return undefined;
  }
}

function tellNotCounted(disk: MailboxDisk, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  log.warn("messages that came or went are not counted", { mailbox: disk.path, reason });
}
