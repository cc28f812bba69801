/**
 * Symbolic links on the way to a mailbox: which of them lead there.
 *
 * Administrators link homes and whole trees to other disks, and those are followed. But who may write into
 * a Maildir, or into the home that it lies in, could link another's mail into his own, and a server that
 * may read both would hand it out. So a link is followed only if
 * - root or the user that popkeep runs as made it, or
 * - what it leads to belongs to whom the link belongs to
 * (Apache's SymLinksIfOwnerMatch). Where one user owns all mail, that is every link. Message files and
 * popkeep's own are never links, whoever made them.
 *
 * What is looked at may be another thing a moment later: against somebody who changes it meanwhile only
 * the rights of the system help, which is why popkeep is to run as a user that others' mail does not
 * belong to, and not as root.
 *
 * *Knows* links and their owners. *Does not know* what a Maildir is.
 */

import process from "node:process";
import { StorageFailure } from "../maildrop/store.ts";
import { isLinkFree } from "../platform/warm_files.ts";
import { isMissing } from "./disk.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/** As many as Linux follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Looks at every link that `path`, an absolute one, leads through; what is not there is nobody's concern.
 *
 * @throws {StorageFailure} If one is not to be followed.
 */
export async function refuseForeignLinks(disk: MailboxDisk, path: string): Promise<void> {
  if (isLinkFree(path)) return;
  try {
    await follow(disk, path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function follow(disk: MailboxDisk, path: string): Promise<void> {
  const left = partsOf(path);
  /** Has no link in it, so that ".." is what stands before its last slash. */
  let at = "";
  for (let links = 0; left.length > 0;) {
    const part = left.shift()!;
    if (part === "..") {
      at = at.replace(/\/[^/]*$/, "");
      continue;
    }
    const here = `${at}/${part}`;
    const found = await disk.lstat(here);
    if (!found.isSymbolicLink()) {
      at = here;
      continue;
    }
    if (++links > MOST_LINKS) throw new StorageFailure("SYS/PERM", `"${path}" has too many links`);
    if (!isTrusted(found.uid) && (await disk.stat(here)).uid !== found.uid) {
      throw new StorageFailure(
        "SYS/PERM",
        `"${here}" is a link that the user ${found.uid} made to what is another's`,
      );
    }
    const target = await disk.readLink(here);
    if (target.startsWith("/")) at = "";
    left.unshift(...partsOf(target));
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function isTrusted(userId: number): boolean {
  return userId === 0 || userId === process.geteuid?.();
}
