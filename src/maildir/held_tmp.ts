/**
 * tmp/ of a Maildir, held open while what nobody needs is removed from it. Names alone decide what that is, and in
 * the place of tmp/ its owner may put a link to another's mail: what goes must lie in the folder that was looked at.
 *
 * Linux names what a process has open, `/proc/self/fd/N`, and a path that begins so goes on from there: what
 * openat(2) does. Where that cannot be had, as under Deno without all permissions, the path has to do: then somebody
 * who changes it between the look and a removal is not stopped.
 *
 * *Knows* the folder. *Does not know* what is in it.
 */

import { constants, type Dirent } from "node:fs";
import { DiskTimeout } from "./disk.ts";
import type { DiskFile } from "./disk_file.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

export class HeldTmp {
  /** Its path, for as long as it is held. */
  readonly path: string;
  readonly #disk: MailboxDisk;
  readonly #file: DiskFile;

  private constructor(disk: MailboxDisk, file: DiskFile, path: string) {
    this.#disk = disk;
    this.#file = file;
    this.path = path;
  }

  /**
   * Opens it. Its owner closes it.
   *
   * @throws {StorageFailure} If the way to the Maildir leads through a link that is not to be followed.
   * @throws {Error} What `node:fs` says: ENOENT where there is none, ENOTDIR or ELOOP for a link, whoever made it.
   */
  static async open(disk: MailboxDisk): Promise<HeldTmp> {
    await refuseForeignLinks(disk, disk.path);
    const path = `${disk.path}/tmp`;
    const file = await disk.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      const held = `/proc/self/fd/${file.descriptor}`;
      return new HeldTmp(disk, file, await isReached(disk, `${held}/.`) ? held : path);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  entries(): Promise<Dirent[]> {
    return this.#disk.entries(this.path);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function isReached(disk: MailboxDisk, path: string): Promise<boolean> {
  try {
    return (await disk.lstat(path)).isDirectory();
  } catch (error) {
    if (error instanceof DiskTimeout) throw error;
    return false;
  }
}
