/**
 * Names of messages that were removed and are kept for a time in `popkeep-deleted/YYYY-MM-DD/`. A name says
 * all that it takes to put the message back, so that there is no second file to keep in step with it:
 *
 *     ID,MILLISECONDS,BY,FOLDER,UIDL,NAME
 *     1795385109389772,1795400000123,client,cur,,1700000000.M1P1.host,S=2048:2,S
 *
 * | part         | says                                                                             |
 * | ------------ | -------------------------------------------------------------------------------- |
 * | ID           | the number of its unique-id; `-` if it never had one                             |
 * | MILLISECONDS | when it was removed, since 1970                                                  |
 * | BY           | `client` (DELE and QUIT) or `retention`                                          |
 * | FOLDER       | `new` or `cur`                                                                   |
 * | UIDL         | the unique-id of another server that it is shown by; empty if it has none. `,`, |
 * |              | `/` and `%` are written `%XX`                                                    |
 * | NAME         | its file's name as it was, flags and all                                         |
 *
 * Where that is longer than a name may be, all up to the last comma is the name of a folder, in which the
 * file has its own name. No two messages get one name: an id is given once, and a message that was put back
 * is removed at another time.
 *
 * *Knows* names, a character an octet. *Does not know* the disk.
 */

import { parseUniqueId } from "../maildrop/unique_id.ts";
import { uniqueNameOf } from "./file_name.ts";
import type { FolderName } from "./message_table.ts";
import { PART_OCTETS } from "./plain_path.ts";

/** The folder in a Maildir that holds what was removed, a folder a day. */
export const DELETED_FOLDER = "popkeep-deleted";

/** Who removed a message. */
export type RemovedBy = "client" | "retention";

export interface DeletedMessage {
  /** Undefined if no session ever saw it. */
  readonly id: number | undefined;
  /** Since 1970. */
  readonly deletedMs: number;
  readonly by: RemovedBy;
  readonly folder: FolderName;
  readonly carried: string | undefined;
  /** Octets of the name, a character each. */
  readonly fileName: string;
}

export interface DeletedName {
  /** With the comma at its end. */
  readonly prefix: string;
  readonly fileName: string;
  /** Whether both together can be one name. */
  readonly fits: boolean;
}

export function deletedName(message: DeletedMessage): DeletedName {
  const { id, deletedMs, by, folder, carried = "", fileName } = message;
  const uidl = carried.replace(/[,/%]/g, escaped);
  const prefix = `${id ?? "-"},${Math.floor(deletedMs)},${by},${folder},${uidl},`;
  return { prefix, fileName, fits: prefix.length + fileName.length <= PART_OCTETS };
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

const NAME = /^(-|[1-9]\d{0,15}),(\d{1,15}),(client|retention),(new|cur),([^,]*),(.*)$/s;

/**
 * What a name says; undefined if it is none. Of a folder's name, which ends behind the last comma, the file
 * name is empty.
 */
export function parseDeletedName(name: string): DeletedMessage | undefined {
  const [, id, deletedMs, by, folder, uidl = "", fileName = ""] = NAME.exec(name) ?? [];
  if (id === undefined) return undefined;
  const number = id === "-" ? undefined : Number(id);
  if (number !== undefined && !Number.isSafeInteger(number)) return undefined;
  const carried = uidl === "" ? undefined : unescaped(uidl);
  if (uidl !== "" && carried === undefined) return undefined;
  if (fileName !== "" && !isFileName(fileName)) return undefined;
  return {
    id: number,
    deletedMs: Number(deletedMs),
    by: by as RemovedBy,
    folder: folder as FolderName,
    carried,
    fileName,
  };
}

/** Whether a message's file can have that name. */
export function isFileName(name: string): boolean {
  return uniqueNameOf(name) !== "" && !/^\.|[/\0]/.test(name);
}

function unescaped(uidl: string): string | undefined {
  if (/%(?!(?:2C|2F|25))|\//.test(uidl)) return undefined;
  const text = uidl.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return parseUniqueId(text);
}

/** The folder of a day, by UTC. */
export function dayFolderName(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** When a day's folder begins, ms since 1970; undefined if it is not called like one. */
export function dayOfFolder(name: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(name)) return undefined;
  const timeMs = Date.parse(`${name}T00:00:00Z`);
  return Number.isNaN(timeMs) || dayFolderName(timeMs) !== name ? undefined : timeMs;
}
