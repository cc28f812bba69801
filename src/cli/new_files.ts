/**
 * Makes several files in a folder, all or none, over nothing that is there.
 *
 * *Knows*: the disk. *Does not know*: what is in the files.
 */

import { access, constants, lstat, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Buffer } from "node:buffer";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

export class NewFiles {
  readonly #folder: string;
  readonly #made: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Looks whether none of `names` is there and whether they could be made; makes the folder.
   *
   * @throws {Failure} If one is there, or the folder cannot be written.
   */
  async check(names: readonly string[]): Promise<void> {
    const there = [];
    for (const name of names) {
      if (await exists(join(this.#folder, name))) there.push(join(this.#folder, name));
    }
    if (there.length > 0) {
      const verb = there.length === 1 ? "exists" : "exist";
      throw new Failure(
        ExitCode.cannotCreate,
        `${there.join(", ")} ${verb} already; nothing was written`,
      );
    }
    try {
      await mkdir(this.#folder, { recursive: true });
      await access(this.#folder, constants.W_OK | constants.X_OK);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(
        ExitCode.cannotCreate,
        `files cannot be made in ${this.#folder}: ${reason}`,
        { cause: error },
      );
    }
  }

  /** Runs `work`; if it fails, takes away what it wrote. */
  async make(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const path of this.#made) await unlink(path).catch(() => {});
      throw error;
    }
  }

  /** @throws {Error} If the file is there, whoever made it, or cannot be made. */
  async write(name: string, content: string, mode: number): Promise<void> {
    const path = join(this.#folder, name);
    const file = await open(path, "wx", mode);
    this.#made.push(path);
    try {
      await file.writeFile(Buffer.from(content, "utf8"));
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Whether anything has that name, be it a link that leads nowhere. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
