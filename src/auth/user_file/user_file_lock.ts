/**
 * A lock file beside the user file, so that two editors do not undo each other's work.
 *
 * It is made with O_CREAT|O_EXCL. An edit takes milliseconds, so a lock that was watched for
 * `STALE_MS` without a change belongs to an editor that died, and is taken over. The lock only keeps
 * popkeep's own editors apart; against others user_file_edit.ts looks at the file again before it
 * replaces it.
 */

import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, unlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Watched for this long, a lock is taken over. */
const STALE_MS = 5_000;

const RETRY_MS = 25;

export interface UserFileLock {
  release(): Promise<void>;
}

export interface LockOptions {
  readonly staleMs?: number;
}

/**
 * Takes the lock at `path`, waiting for its holder.
 *
 * @throws {Error} What `node:fs` says when the file cannot be made at all.
 */
export async function lockUserFile(path: string, options: LockOptions = {}): Promise<UserFileLock> {
  const { staleMs = STALE_MS } = options;
  const mine = randomBytes(16).toString("hex");
  let seen = "";
  let seenSinceMs = performance.now();
  while (!await make(path, mine)) {
    const holder = await readFile(path, "latin1").catch(() => undefined);
    if (holder === undefined || holder !== seen) {
      seen = holder ?? "";
      seenSinceMs = performance.now();
    } else if (performance.now() - seenSinceMs >= staleMs) {
      await takeAway(path, holder);
    }
    await sleep(RETRY_MS);
  }
  return {
    async release() {
      const holder = await readFile(path, "latin1").catch(() => undefined);
      if (holder === mine) await unlink(path).catch(() => {});
    },
  };
}

async function make(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    await file.writeFile(content).finally(() => file.close());
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Two waiters may do this at once: who moves away a lock made since puts it back. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch {
    return; // Somebody else was faster.
  }
  const moved = await readFile(aside, "latin1").catch(() => "");
  if (moved !== holder) await link(aside, path).catch(() => {});
  await unlink(aside).catch(() => {});
}
