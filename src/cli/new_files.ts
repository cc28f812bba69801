/**
 * Makes several files in a folder, all or none, over nothing that is there.
 *
 * *Knows*: the disk. *Does not know*: what is in the files.
 */

import { access, constants, lstat, mkdir, open, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Buffer } from "node:buffer";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

export class NewFiles {
  readonly #folder: string;
  readonly #made: string[] = [];
  /** Folders that were made, each after the one it is in. */
  readonly #folders: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Looks whether none of `names` is there and whether they could be made. Makes nothing.
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
      await checkWritable(this.#folder);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(
        ExitCode.cannotCreate,
        `files cannot be made in ${this.#folder}: ${reason}`,
        { cause: error },
      );
    }
  }

  /** Makes the folder and runs `work`; if it fails, takes away what it made. */
  async make(work: () => Promise<void>): Promise<void> {
    try {
      await this.#makeFolder(resolve(this.#folder), 0o777);
      await work();
    } catch (error) {
      for (const path of this.#made) await unlink(path).catch(() => {});
      for (const path of this.#folders.reverse()) await rmdir(path).catch(() => {});
      throw error;
    }
  }

  /** Makes a folder in the folder, unless something is there already. */
  addFolder(name: string, mode: number): Promise<void> {
    return this.#makeFolder(join(resolve(this.#folder), name), mode);
  }

  async #makeFolder(path: string, mode: number): Promise<void> {
    if (await exists(path)) return;
    await this.#makeFolder(dirname(path), mode);
    await mkdir(path, mode);
    this.#folders.push(path);
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

/** @throws {Error} If neither the folder nor the one to make it in is there and may be written. */
async function checkWritable(folder: string): Promise<void> {
  let path = resolve(folder);
  while (!await exists(path)) path = dirname(path);
  if (!(await stat(path)).isDirectory()) throw new Error(`${path} is no folder`);
  await access(path, constants.W_OK | constants.X_OK);
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
