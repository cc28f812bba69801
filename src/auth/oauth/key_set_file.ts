/**
 * Keys from a file, which is read again when somebody logs in and the last look is a second old, and at
 * once for a token whose key is not known. A file that cannot be used any more leaves the keys as they
 * were, and the log says so once.
 *
 * It is small, so it is read and compared rather than asked for its times.
 */

import { open } from "node:fs/promises";
import { Buffer } from "node:buffer";
import { getLogger } from "@logtape/logtape";
import { OAUTH_KEY_SET_OCTETS } from "../../limits.ts";
import { parseObject } from "./json_object.ts";
import { type KeySet, type KeySource, parseKeySet } from "./key_set.ts";

const logger = getLogger(["popkeep", "auth"]);

const LOOK_MS = 1_000;

interface Loaded {
  readonly octets: Buffer;
  readonly keys: KeySet;
}

/** @throws {Error} If the file cannot be read, or holds no key set. */
export async function openKeySetFile(
  path: string,
  options: { readonly nowMs?: () => number } = {},
): Promise<KeySource> {
  return new KeySetFile(path, await load(path), options.nowMs ?? (() => performance.now()));
}

class KeySetFile implements KeySource {
  readonly #path: string;
  readonly #nowMs: () => number;
  #loaded: Loaded;
  #lookedMs: number;
  #looking: Promise<void> | undefined;
  #usable = true;

  constructor(path: string, loaded: Loaded, nowMs: () => number) {
    this.#path = path;
    this.#loaded = loaded;
    this.#nowMs = nowMs;
    this.#lookedMs = nowMs();
  }

  async current(): Promise<KeySet> {
    if (this.#nowMs() - this.#lookedMs >= LOOK_MS) await this.#look();
    return this.#loaded.keys;
  }

  async newerThan(known: KeySet): Promise<KeySet | undefined> {
    await this.#look();
    if (this.#loaded.keys !== known) return this.#loaded.keys;
    if (!this.#usable) throw new Error(`${this.#path} cannot be used`);
    return undefined;
  }

  /** One look at a time; who comes meanwhile waits for it. */
  #look(): Promise<void> {
    this.#looking ??= this.#readAgain().finally(() => {
      this.#lookedMs = this.#nowMs();
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #readAgain(): Promise<void> {
    const file = this.#path;
    try {
      const loaded = await load(file, this.#loaded);
      if (loaded !== this.#loaded) logger.info("read the key set of access tokens", { file });
      if (!this.#usable) {
        logger.info("the key set of access tokens can be used again", { file });
      }
      this.#loaded = loaded;
      this.#usable = true;
    } catch (error) {
      if (this.#usable) {
        logger.error("the key set of access tokens cannot be used; the keys stay as they were", {
          file,
          error: error instanceof Error ? error.message : String(error),
        });
      }
      this.#usable = false;
    }
  }
}

/** Gives `before` back if the file holds what it held. */
async function load(path: string, before?: Loaded): Promise<Loaded> {
  const octets = await readBounded(path);
  if (before?.octets.equals(octets)) return before;
  return { octets, keys: parseKeySet(parseObject(octets)) };
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const buffer = Buffer.alloc(OAUTH_KEY_SET_OCTETS + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (length > OAUTH_KEY_SET_OCTETS) {
        throw new Error(`${path} is longer than ${OAUTH_KEY_SET_OCTETS} octets`);
      }
      if (bytesRead === 0) return Buffer.from(buffer.subarray(0, length));
    }
  } finally {
    await file.close();
  }
}
