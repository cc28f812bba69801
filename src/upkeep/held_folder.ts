/**
 * A folder that is held open, so that what is changed in it is changed in that one, whatever its owner puts in the
 * place of its name meanwhile. What root gives to a user must be what was looked at: a link that a user plants
 * between the look and the change would have root give away another's file.
 *
 * Linux names what a process has open, `/proc/self/fd/N`, and a path that begins so goes on from there: what
 * openat(2) does. A last part that is a link is never followed.
 *
 * *Knows* open files. *Does not know* Maildirs.
 */

import { constants, type Stats } from "node:fs";
import type { DiskFile, FileStats } from "../maildir/disk_file.ts";
import { type DiskPath, pathIn } from "../maildir/disk.ts";
import { refuseForeignLinks } from "../maildir/followed_links.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { StorageFailure } from "../maildrop/store.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

export class HeldFolder {
  readonly #disk: MailboxDisk;
  readonly #file: DiskFile;

  private constructor(disk: MailboxDisk, file: DiskFile) {
    this.#disk = disk;
    this.#file = file;
  }

  /**
   * Opens the folder at `top`, where links that administrators made are followed, and from there on down the
   * folders `below`, parted by `/`, where none is. Its owner closes it.
   *
   * @throws {StorageFailure} If `top` leads through a link that is not to be followed.
   * @throws {Error} What `node:fs` says: ELOOP or ENOTDIR for what is a link, or no folder.
   */
  static async open(disk: MailboxDisk, top: string, below = ""): Promise<HeldFolder> {
    await refuseForeignLinks(disk, top);
    let folder = new HeldFolder(disk, await disk.open(top, O_RDONLY | O_DIRECTORY));
    for (const part of below.split("/").filter((part) => part !== "")) {
      const above = folder;
      try {
        const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
        folder = new HeldFolder(disk, await disk.open(above.pathOf(part), flags));
      } finally {
        await above.close();
      }
    }
    return folder;
  }

  /** The path of what is called `octets` in it, a character an octet. */
  pathOf(octets: string): DiskPath {
    return pathIn(`/proc/self/fd/${this.#file.descriptor}`, octets);
  }

  /** What is called so: a link itself, not what it leads to. */
  look(octets: string): Promise<Stats> {
    return this.#disk.lstat(this.pathOf(octets));
  }

  /** The folder itself. */
  lookAtItself(): Promise<FileStats> {
    return this.#file.stat();
  }

  /**
   * Opens a file or folder in it; "" is the folder itself. What is another than `expected` by now is not opened.
   *
   * @throws {StorageFailure} If it is another.
   */
  async #openSame(octets: string, expected: FileStats): Promise<DiskFile> {
    const path = octets === "" ? this.pathOf(".") : this.pathOf(octets);
    const file = await this.#disk.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const found = await file.stat();
      if (found.ino === expected.ino && found.dev === expected.dev) return file;
      throw new StorageFailure("SYS/TEMP", "something else has taken its place meanwhile");
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Gives a file or folder to a user and a group. A file that has a second name somewhere is left: it may be
   * another's, who would lose it.
   *
   * @throws {StorageFailure} If it is another than `expected`, has a second name, or is neither file nor folder.
   */
  async giveTo(
    octets: string,
    expected: FileStats,
    userId: number,
    groupId: number,
  ): Promise<void> {
    const file = await this.#openSame(octets, expected);
    try {
      const found = await file.stat();
      if (!found.isDirectory() && !(found.isFile() && found.nlink === 1)) {
        throw new StorageFailure("SYS/PERM", "it has a second name, or is no file");
      }
      await file.chown(userId, groupId);
    } finally {
      await file.close();
    }
  }

  /** Sets permissions, of what is still `expected`. @throws {StorageFailure} If it is another. */
  async setMode(octets: string, expected: FileStats, mode: number): Promise<void> {
    let file: DiskFile;
    try {
      file = await this.#openSame(octets, expected);
    } catch (error) {
      if (error instanceof StorageFailure || !isRefusal(error)) throw error;
      // Whom a file belongs to can change what it may not read; such a user can harm nobody else's by its name.
      return await this.#disk.setMode(this.pathOf(octets === "" ? "." : octets), mode);
    }
    try {
      await file.chmod(mode);
    } finally {
      await file.close();
    }
  }

  /** Has the disk know the names in it. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EACCES";
}
