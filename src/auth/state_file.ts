/**
 * A small file in the state folder that a part of the server keeps what it remembers in, over a restart.
 *
 * It is written anew as a whole, beside its place and then put there, so that it is never half a file; and
 * no more than once in ten seconds, so that what happens a thousand times a second is not written as
 * often. A crash loses those ten seconds. Only the server's user can read it.
 *
 * A folder that cannot be written to is told once, until it can be again: what is remembered stays in
 * memory.
 *
 * *Knows* files and timers. *Does not know* what it says.
 */

import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { getLogger } from "@logtape/logtape";

const logger = getLogger(["popkeep", "auth"]);

/** How often it is written at most, ms. */
const WRITE_MS = 10_000;

export interface StateFileOptions {
  /** What it is to say now. */
  readonly content: () => string | Promise<string>;
  readonly writeMs?: number;
}

/**
 * Reads such a file; undefined if there is none, which is how it begins.
 *
 * @throws {Error} What `node:fs` says if it cannot be read, or that it is longer than `maxOctets`.
 */
export async function readStateFile(path: string, maxOctets: number): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > maxOctets) {
      throw new Error(`It has ${size} octets, and no more than ${maxOctets} are read.`);
    }
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

export class StateFile {
  readonly #path: string;
  readonly #content: () => string | Promise<string>;
  readonly #writeMs: number;
  #changed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #writable = true;
  #closed = false;

  constructor(path: string, { content, writeMs = WRITE_MS }: StateFileOptions) {
    this.#path = path;
    this.#content = content;
    this.#writeMs = writeMs;
  }

  /** What is to be kept is no longer what the file says. Cheap. */
  changed(): void {
    this.#changed = true;
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, this.#writeMs);
    // Not a reason to go on running: who stops calls `close`.
    this.#timer.unref();
  }

  /** Writes what has changed, now. Never rejects. */
  flush(): Promise<void> {
    return this.#write();
  }

  /** Writes what has changed, and nothing after it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#write();
  }

  /** One at a time. Never rejects. */
  #write(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      if (!this.#changed) return;
      this.#changed = false;
      try {
        await replace(this.#path, await this.#content());
        if (!this.#writable) logger.info("what is remembered can be written again", this.#who());
        this.#writable = true;
      } catch (error) {
        if (this.#writable) {
          logger.warning("what is remembered cannot be written", { ...this.#who(), error });
        }
        this.#writable = false;
        // Tried again, or one full disk would end it for as long as nothing else changes.
        this.changed();
      }
    });
    return this.#writing;
  }

  #who() {
    return { file: this.#path };
  }
}

async function replace(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // What a crash left there. The file is made anew, so that nobody else's is written into.
  await rm(beside, { force: true });
  const file = await open(beside, "wx", 0o600);
  try {
    try {
      await file.writeFile(text, "utf8");
      // Else a crash of the machine may leave an empty file under the name.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw error;
  }
}
