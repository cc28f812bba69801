/**
 * A secret of the server's own that stays the same over a restart: what is made up for users who are not
 * there must not change when it does.
 *
 * *Knows* files. *Does not know* what is made of the key.
 */

import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";

const logger = getLogger(["popkeep", "auth"]);

const FILE = "made_up.key";
const KEY_OCTETS = 32;

/**
 * Reads the key in the folder, or makes one, file and folder, that only the server's user can read. Where
 * that cannot be done the key is a new one each time, and the log says so. Never rejects.
 */
export async function keptKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, FILE);
  try {
    return await read(path) ?? await make(folder, path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn("what is made up for unknown users changes with each start", { folder, reason });
    return randomBytes(KEY_OCTETS);
  }
}

/** Undefined if there is none, or what is there is none. */
async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    const octets = await readFile(path);
    return octets.length === KEY_OCTETS ? octets : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Two servers that begin at the same time have one key: that of the first to put its file in place. */
async function make(folder: string, path: string): Promise<Uint8Array> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  await writeFile(draft, randomBytes(KEY_OCTETS), { mode: 0o600, flag: "wx" });
  try {
    if (await exists(path)) await unlink(path);
    await link(draft, path).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await unlink(draft);
  }
  const kept = await read(path);
  if (kept === undefined) throw new Error(`"${path}" is no key.`);
  return kept;
}

/** A file that is no key, since `read` did not take it. */
async function exists(path: string): Promise<boolean> {
  return await readFile(path).then(() => true, () => false);
}
