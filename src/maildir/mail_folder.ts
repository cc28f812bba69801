/**
 * Finds the folder that a client names beside the INBOX: `Work` or `Work/2024`.
 *
 * In a name `/` parts a folder from the one below it, and so does `.` in Maildir++, where a folder's name
 * is the parts with dots between them. On disk a name is modified UTF-7, or UTF-8 where the location says
 * so. The folder of the very name is taken, else the only one whose name differs in letter case alone:
 * clients put the name behind a user name, and many write those in lower case.
 *
 * None is ever made. A symbolic link is none: who may write into a Maildir must not reach another's
 * through the server.
 */

import { Buffer } from "node:buffer";
import { StorageFailure } from "../maildrop/store.ts";
import { DELETED_FOLDER } from "./deleted_name.ts";
import { isMissing, storageFailure } from "./disk.ts";
import type { MailLocation } from "./mail_location.ts";
import { MailboxDisk } from "./mailbox_disk.ts";
import { decodeModifiedUtf7, encodeModifiedUtf7 } from "./modified_utf7.ts";
import { PART_OCTETS } from "./plain_path.ts";

/** What a Maildir has of its own, which is no folder of mail where folders lie in folders. */
const OWN_FOLDERS: ReadonlySet<string> = new Set(["new", "cur", "tmp", DELETED_FOLDER]);

/** Why a name is no folder's: none can have it, none has it, or several that differ in letter case alone. */
export type FolderFault = "no name" | "missing" | "several";

/** There is no folder of a name. The message, which is for the log, leaves out the name: a client may have sent it. */
export class NoSuchFolder extends StorageFailure {
  readonly fault: FolderFault;
  /** As it was asked for. */
  readonly folder: string;

  constructor(fault: FolderFault, folder: string, message: string) {
    super("SYS/PERM", message);
    this.fault = fault;
    this.folder = folder;
  }
}

/**
 * The Maildir of a folder.
 *
 * @throws {NoSuchFolder} If there is no such folder.
 * @throws {StorageFailure} If it cannot be looked for.
 */
export async function findMailFolder(
  location: MailLocation,
  name: string,
  disk = new MailboxDisk(location.folders),
): Promise<string> {
  if (name.toLowerCase() === "inbox") return location.inbox;
  let path = location.folders;
  try {
    for (const step of stepsTo(location, name)) {
      path += `/${await found({ disk, path, location, name }, step)}`;
    }
  } catch (error) {
    throw storageFailure("look for a folder", error);
  }
  return path;
}

/**
 * Where the Maildir of a folder is that is to be made, under the very name.
 *
 * @throws {NoSuchFolder} If no folder can have the name.
 */
export function mailFolderPath(location: MailLocation, name: string): string {
  if (name.toLowerCase() === "inbox") return location.inbox;
  return [location.folders, ...stepsTo(location, name)].join("/");
}

/** The names of the folders on disk that lead there, one below the other. */
function stepsTo({ layout, utf8Names }: MailLocation, name: string): string[] {
  const parts = name.split(layout === "fs" ? "/" : /[./]/);
  const encoded = parts.map((part) => utf8Names ? part : encodeModifiedUtf7(part));
  const steps = layout === "fs" ? encoded : [`.${encoded.join(".")}`];
  const isName = parts.every((part) => part !== "" && !/[\p{Cc}\p{Cs}]/u.test(part)) &&
    steps.every((step) => Buffer.byteLength(step, "utf8") <= PART_OCTETS) &&
    (layout !== "fs" || steps.every((step) => !step.startsWith(".") && !OWN_FOLDERS.has(step)));
  if (!isName) throw new NoSuchFolder("no name", name, "no folder can have the name that was sent");
  return steps;
}

/** Where a name is looked for. */
interface Parent {
  readonly disk: MailboxDisk;
  readonly path: string;
  readonly location: MailLocation;
  /** All of the name that is looked for. */
  readonly name: string;
}

/** The name on disk of the folder that `step` means in a parent. */
async function found({ disk, path, location, name: asked }: Parent, step: string): Promise<string> {
  if (await isFolder(disk, `${path}/${step}`)) return step;
  const folded = foldedName(step, location);
  const names = await disk.names(path).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const alike: string[] = [];
  for (const name of names) {
    const isOther = OWN_FOLDERS.has(name) || foldedName(name, location) !== folded;
    if (!isOther && await isFolder(disk, `${path}/${name}`)) alike.push(name);
  }
  const [only] = alike;
  if (only !== undefined && alike.length === 1) return only;
  const [fault, why] = only === undefined
    ? ["missing", "there is none"] as const
    : ["several", "several differ in letter case alone"] as const;
  throw new NoSuchFolder(fault, asked, `no folder of the name that was sent in "${path}": ${why}`);
}

/** What names that differ in letter case alone share. */
function foldedName(onDisk: string, { utf8Names }: MailLocation): string {
  const name = utf8Names ? onDisk : decodeModifiedUtf7(onDisk) ?? onDisk;
  return name.normalize("NFC").toLowerCase();
}

async function isFolder(disk: MailboxDisk, path: string): Promise<boolean> {
  try {
    return (await disk.lstat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
