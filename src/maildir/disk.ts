/**
 * How this room names files to the operating system and how it reads its refusals.
 *
 * Names of message files are strings of octets (see file_name.ts), paths of folders are ordinary
 * strings. *Knows* errno values. *Does not know* what a message is.
 */

import { Buffer } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import { StorageFailure } from "../maildrop/store.ts";

/** A path as `node:fs` takes it; octets where the name is not plain ASCII. */
export type DiskPath = string | Buffer;

/** The path of a file called `octets` in `folder`. */
export function pathIn(folder: string, octets: string): DiskPath {
  // deno-lint-ignore no-control-regex -- the range of ASCII is meant
  if (/^[\x00-\x7f]*$/.test(octets)) return `${folder}/${octets}`;
  return Buffer.concat([Buffer.from(`${folder}/`, "utf8"), Buffer.from(octets, "latin1")]);
}

/** The `code` of an errno error, or "" for anything else. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "";
}

/** True when there is nothing at that path. */
export function isMissing(error: unknown): boolean {
  return errnoOf(error) === "ENOENT";
}

/** Refusals that trying again later does not mend: somebody has to change something. */
const PERMANENT = new Set([
  "EACCES",
  "EPERM",
  "ENOTDIR",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "EROFS",
  "EINVAL",
]);

/** A call to the disk took too long, or was not made since an earlier one does. Trying later may help. */
export class DiskTimeout extends StorageFailure {
  constructor(message: string) {
    super("SYS/TEMP", message);
  }
}

/** Wraps what the disk said; `doing` completes "could not ..." for the log. */
export function storageFailure(doing: string, cause: unknown): StorageFailure {
  if (cause instanceof StorageFailure) return cause;
  const kind = PERMANENT.has(errnoOf(cause)) ? "SYS/PERM" : "SYS/TEMP";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageFailure(kind, `could not ${doing}: ${reason}`, { cause });
}

/**
 * Runs a disk operation, again at most twice where a shared filesystem says that its handle went stale
 * (another host replaced the file under the name).
 */
export async function retryStale<T>(operation: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await operation();
    } catch (error) {
      if (errnoOf(error) !== "ESTALE" || tries === 3) throw error;
    }
  }
}

/**
 * Runs `work` over all items, at most `width` at a time, and waits for all that were begun. After one has
 * failed no more are begun.
 *
 * @throws What the first one that failed does.
 */
export async function eachOf<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let at = 0;
  const failures: unknown[] = [];
  const lane = async () => {
    while (at < items.length && failures.length === 0) {
      try {
        await work(items[at++] as T);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}

/** Items worked through before others get their turn: about a millisecond of work. */
const TURN_ITEMS = 4_000;

/** Runs `work` over all items, letting the event loop come round now and then. */
export async function inTurns<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let done = 0;
  for (const item of items) {
    work(item);
    if (++done % TURN_ITEMS === 0) await nextTurn();
  }
}
