/**
 * A mailbox folder of Cyrus IMAP as a maildrop: each message a file `UID.`, with CRLF line ends. The Maildir that
 * its messages were copied to has other file names, so they are paired by header and size.
 *
 * Everything is opened for reading alone, and no link is followed to a file.
 *
 * *Knows* the folder. *Does not know* the Maildir.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { isMissing } from "../maildir/disk.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { openMessageFile } from "../maildir/message_file.ts";
import { readFully } from "../maildir/read_part.ts";
import {
  CYRUS_HEAD_OCTETS,
  CYRUS_UIDL_FORMATS,
  type CyrusIndex,
  type CyrusUidlFormat,
  parseCyrusIndex,
} from "./cyrus_index.ts";
import { readHeaderOctets } from "./header_octets.ts";
import { OldListFault } from "./old_ids.ts";
import { oldListFault } from "./old_lines.ts";
import type { OldMaildrop, OldMessage } from "./old_maildrop.ts";

/** Above all UIDs (RFC 3501 §9 nz-number). */
const UID_END = 0x1_0000_0000;

/** @throws {OldListFault} If that is no mailbox folder of Cyrus, or it cannot be read. */
export async function cyrusMaildrop(
  disk: MailboxDisk,
  folder: string,
  format: CyrusUidlFormat,
): Promise<OldMaildrop> {
  const index = await readIndex(disk, `${folder}/cyrus.index`);
  const makeId = index.hasNewIds ? CYRUS_UIDL_FORMATS[format] : CYRUS_UIDL_FORMATS.uidonly;
  const uids = await readUids(disk, folder);
  const messages: OldMessage[] = [];
  const paths: string[] = [];
  for (const uid of uids) {
    const path = `${folder}/${uid}.`;
    const octets = await octetsOf(disk, path);
    if (octets === undefined) continue;
    messages.push({ id: makeId(uid, index.uidValidity), octets });
    paths.push(path);
  }
  return { messages, remarks: [], headers: () => headersOf(disk, paths) };
}

async function readIndex(disk: MailboxDisk, path: string): Promise<CyrusIndex> {
  const head = Buffer.alloc(CYRUS_HEAD_OCTETS);
  try {
    const file = await disk.openOwn(path, constants.O_RDONLY);
    try {
      await readFully(file, head, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw oldListFault(path, error);
  }
  const index = parseCyrusIndex(head);
  if (index === undefined) {
    throw new OldListFault(`${path} is no cyrus.index of a version from 6 to 20`);
  }
  return index;
}

async function readUids(disk: MailboxDisk, folder: string): Promise<number[]> {
  try {
    return (await disk.names(folder))
      .flatMap((name) => /^[1-9][0-9]{0,9}\.$/.test(name) ? [Number(name.slice(0, -1))] : [])
      .filter((uid) => uid < UID_END)
      .sort((one, other) => one - other);
  } catch (error) {
    throw oldListFault(folder, error);
  }
}

/** Undefined for what is gone, or no file. */
async function octetsOf(disk: MailboxDisk, path: string): Promise<number | undefined> {
  try {
    const found = await disk.lstat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw oldListFault(path, error);
  }
}

async function* headersOf(
  disk: MailboxDisk,
  paths: readonly string[],
): AsyncGenerator<Buffer | undefined> {
  for (const path of paths) {
    const message = await openMessageFile(disk, path);
    if (message === undefined) {
      yield undefined;
      continue;
    }
    try {
      yield await readHeaderOctets(message);
    } finally {
      await message.close();
    }
  }
}
