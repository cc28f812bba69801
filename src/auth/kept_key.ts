/**
 * A secret of the server's own that stays the same over a restart: what is made up for users who are not
 * there must not change when it does.
 *
 * *Knows* files. *Does not know* what is made of the key.
 */

import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
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
  const key = randomBytes(KEY_OCTETS);
  await writeFile(draft, key, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, path);
    return key;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    const others = await read(path);
    if (others !== undefined) return others;
    // What is there is no key.
    await rename(draft, path);
    return key;
  } finally {
    await rm(draft, { force: true });
  }
}
