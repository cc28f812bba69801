/**
 * `courierpop3dsizelist`, Courier's list of sizes and unique-ids in a Maildir (courier-libs, imap/pop3dserver.C):
 *
 *     /3 4 1700000000                      version, next number, mark of the list
 *     1700000001.M1P1.host,S=917:2,S 940 2:1700000000:0
 *
 * | version | a message's line                | its unique-id                             |
 * | ------- | ------------------------------- | ----------------------------------------- |
 * | 3       | `NAME SIZE NUMBER:MARK:UTF8`    | `UIDnumber-mark`, `UIDnumber` where the mark is 0 |
 * | 2       | `NAME SIZE NUMBER:MARK`         | the same                                  |
 * | 1       | `NAME SIZE NUMBER`              | `UIDnumber`                               |
 * | before: no first line `/...` | `NAME SIZE` | the file's name before its flags, with what is not plain as `+XX` |
 *
 * A number of 0 also stands for the file's name. The order of lines is the order that clients saw. A name that
 * comes twice has the first line's id. Only what is said of present messages is kept.
 *
 * *Knows* lines. *Does not know* the disk.
 */

import type { Buffer } from "node:buffer";
import { uniqueNameOf } from "../maildir/file_name.ts";
import type { MessageTable } from "../maildir/message_table.ts";
import { NAME_OCTETS, staged } from "../maildir/name_blocks.ts";
import { OldListFault, remarkOf } from "./old_ids.ts";

export class CourierSizeList {
  /** By row of the present messages. */
  readonly ids: (string | undefined)[];
  /** Rows in the order of lines. */
  readonly order: number[] = [];
  readonly #present: MessageTable;
  #version: number | undefined;
  #damaged = 0;
  #repeated = 0;

  constructor(present: MessageTable) {
    this.#present = present;
    this.ids = new Array(present.count).fill(undefined);
  }

  /** @throws {OldListFault} If the first line is of a version that is not known. */
  take(line: Buffer | undefined): void {
    const text = line?.toString("latin1");
    if (this.#version === undefined) {
      this.#version = versionOf(text);
      if (this.#version > 0) return;
    }
    if (text === undefined || !this.#takeMessage(text)) this.#damaged++;
  }

  /** Whether there was any line. */
  get hasLines(): boolean {
    return this.#version !== undefined;
  }

  /** What was odd, a clause each. */
  get remarks(): string[] {
    return [
      ...remarkOf(this.#damaged, "left out that cannot be read"),
      ...remarkOf(this.#repeated, "with a file that was named before: the first counts"),
    ];
  }

  /** False if it is no line of the format. */
  #takeMessage(line: string): boolean {
    const read = this.#version === 0
      ? /^(.+?) [0-9]{1,20}$/s.exec(line)
      : /^(.+) [0-9]{1,20} ([0-9]{1,20})(?::([0-9]{1,20})(?::[0-9]{1,20})?)?$/s.exec(line);
    if (read === null) return false;
    const [, file = "", number = "0", mark = "0"] = read;
    const name = uniqueNameOf(file);
    if (name === "" || name.length > NAME_OCTETS || file.includes("/")) return false;
    staged.putText(name);
    const row = this.#present.find();
    if (row < 0) return true;
    if (this.ids[row] !== undefined) {
      this.#repeated++;
      return true;
    }
    this.ids[row] = idOf(BigInt(number), BigInt(mark), name);
    this.order.push(row);
    return true;
  }
}

/** @throws {OldListFault} If it is a header of a version that is not known. */
function versionOf(first: string | undefined): number {
  if (first === undefined || !first.startsWith("/")) return 0;
  const version = /^\/([123]) [0-9]{1,20}(?: [0-9]{1,20})?$/.exec(first)?.[1];
  if (version !== undefined) return Number(version);
  throw new OldListFault("its first line is none of a courierpop3dsizelist of version 1, 2 or 3");
}

function idOf(number: bigint, mark: bigint, name: string): string {
  if (number === 0n) return plainName(name);
  return mark === 0n ? `UID${number}` : `UID${number}-${mark}`;
}

/** Courier's print_uidl: anything but 0x21 to 0x7E, quotes and "+" is written as +XX. */
function plainName(name: string): string {
  return name.replace(
    /[^\x21-\x7e]|['"+]/gs,
    (octet) => `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
