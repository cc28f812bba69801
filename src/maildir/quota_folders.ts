/**
 * Which mail counts towards a user's quota: that of the INBOX and of every folder but those that are left out, as
 * Courier leaves out `.Trash` and Dovecot what a rule ignores. Messages that are marked as trashed (flag T) do not
 * count, as in Courier; nor do popkeep's own warnings, whose names say so.
 *
 * *Knows* how folders lie on disk. *Does not know* sizes.
 */

import { Buffer } from "node:buffer";
import type { Dirent } from "node:fs";
import { isMissing } from "./disk.ts";
import { flagsOf, uniqueNameOf } from "./file_name.ts";
import type { MailLocation } from "./mail_location.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { decodeModifiedUtf7 } from "./modified_utf7.ts";

/** What stands in the name of a message that does not count. */
export const UNCOUNTED = ",Q=0";

/** What a Maildir, and popkeep, have beside folders of mail where those lie in folders. */
const NO_MAIL: ReadonlySet<string> = new Set(["new", "cur", "tmp", "popkeep-deleted"]);

/** Folders in folders beyond this are not looked for. */
const MOST_DEPTH = 16;

/** Whether a message of this file name counts. Whoever removes one that does says so (maildirsize.ts). */
export function countsMessage(fileName: string): boolean {
  return !flagsOf(fileName).includes("T") && !isUncounted(uniqueNameOf(fileName));
}

export function isUncounted(uniqueName: string): boolean {
  const at = uniqueName.indexOf(UNCOUNTED);
  const behind = uniqueName[at + UNCOUNTED.length];
  return at >= 0 && (behind === undefined || behind === ",");
}

/**
 * Whether the mail of a folder counts.
 *
 * @param ignored names of folders that do not, with `*` for any text and `?` for any character, and `/` or, in
 * Maildir++, `.` between a folder and the one below it.
 */
export function countsFolder(
  location: MailLocation,
  path: string,
  ignored: readonly string[],
): boolean {
  const name = folderNameAt(location, path);
  return !ignored.some((mask) => isFolderOf(mask, name, location));
}

/** Whether a mask means a folder, by its name as `folderNameAt` gives it. */
export function isFolderOf(
  mask: string,
  name: string,
  { layout }: Pick<MailLocation, "layout">,
): boolean {
  if (mask.toUpperCase() === "INBOX") return name === "INBOX";
  return isMatch(layout === "fs" ? mask : mask.replaceAll(".", "/"), name);
}

/** The name of the folder whose Maildir is at a path, with `/` between its parts. */
export function folderNameAt(location: MailLocation, path: string): string {
  const { folders, inbox, layout, utf8Names } = location;
  if (path === inbox || !path.startsWith(`${folders}/`)) return "INBOX";
  const steps = path.slice(folders.length + 1);
  const decoded = (name: string) => utf8Names ? name : decodeModifiedUtf7(name) ?? name;
  return layout === "fs"
    ? steps.split("/").map(decoded).join("/")
    : decoded(steps.replace(/^\./, "")).replaceAll(".", "/");
}

/** Glob, each `*` widened only as far as it must be: no mask makes it slow. */
function isMatch(mask: string, name: string): boolean {
  let [atMask, atName, star, starName] = [0, 0, -1, 0];
  while (atName < name.length) {
    if (mask[atMask] === "*") {
      [star, starName] = [atMask++, atName];
    } else if (mask[atMask] === "?" || mask[atMask] === name[atName]) {
      atMask++;
      atName++;
    } else if (star >= 0) {
      atMask = star + 1;
      atName = ++starName;
    } else return false;
  }
  while (mask[atMask] === "*") atMask++;
  return atMask === mask.length;
}

/**
 * The Maildirs whose mail counts, each once. A folder that is a symbolic link is none.
 *
 * @throws {Error} What `node:fs` says.
 */
export async function countedMaildirs(
  location: MailLocation,
  ignored: readonly string[],
  disk: MailboxDisk,
): Promise<string[]> {
  const paths = new Set([location.inbox, location.folders]);
  const below = location.layout === "fs" ? foldersBelow : foldersBeside;
  for await (const path of below(disk, location.folders)) paths.add(path);
  return [...paths].filter((path) => countsFolder(location, path, ignored));
}

/** Maildir++: `.Work`, `.Work.2024`. */
async function* foldersBeside(disk: MailboxDisk, root: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(disk, root)) {
    const name = nameOf(entry);
    if (!/^\.[^.]/.test(name)) continue;
    if (await isFolder(disk, entry, `${root}/${name}`)) yield `${root}/${name}`;
  }
}

async function* foldersBelow(
  disk: MailboxDisk,
  folder: string,
  depth = 1,
): AsyncGenerator<string> {
  for (const entry of await entriesOf(disk, folder)) {
    const name = nameOf(entry);
    if (name.startsWith(".") || NO_MAIL.has(name)) continue;
    const path = `${folder}/${name}`;
    if (!await isFolder(disk, entry, path)) continue;
    yield path;
    if (depth < MOST_DEPTH) yield* foldersBelow(disk, path, depth + 1);
  }
}

function nameOf(entry: Dirent): string {
  return Buffer.from(entry.name, "latin1").toString("utf8");
}

async function entriesOf(disk: MailboxDisk, path: string): Promise<Dirent[]> {
  try {
    return await disk.entries(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Some filesystems do not tell kinds with names. */
async function isFolder(disk: MailboxDisk, entry: Dirent, path: string): Promise<boolean> {
  if (entry.isDirectory()) return true;
  if (entry.isFile() || entry.isSymbolicLink()) return false;
  try {
    return (await disk.lstat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
