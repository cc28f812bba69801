/**
 * Names of files as a listing gives them, one after the other: the unique name goes to `staged`
 * (name_blocks.ts), and what follows it is told beside.
 *
 * Messages only: a name that begins with a dot is none, nor is one that has nothing before its info. Names
 * that this runtime cannot open are counted and left out.
 *
 * *Knows* names. *Does not know* the disk.
 */

import { Buffer, isUtf8 } from "node:buffer";
import type { Dirent } from "node:fs";
import { fileNamesAreExact } from "../platform/file_names.ts";
import { PLAIN_FILE, RECORD } from "../platform/folder_records.ts";
import { NAME_OCTETS, staged } from "./name_blocks.ts";

/** U+FFFD, as octets of UTF-8: what stands in a name for octets that the runtime could not hand out. */
const REPLACED_OCTETS = "\u00ef\u00bf\u00bd";

const DOT = 0x2e;
const COLON = 0x3a;

/** Infos whose octets are compared before a string is made: a mailbox has but a few. */
const KNOWN_INFOS = 16;

/** A part of a listing, or all of it. */
export interface ListedNames {
  /** Puts the next message's unique name into `staged`; false at the end. */
  stageNext(): boolean;
  /** What follows the unique name that was staged last, a character an octet. */
  readonly info: string;
  /** Whether the listing says that it is a plain file. */
  readonly isFile: boolean;
  /** How many names there are in all, about, whatever they are of. */
  readonly expected: number;
  /** How many names so far this runtime cannot open. */
  readonly unreadable: number;
}

/** Names as `node:fs` lists them with their kinds, their characters octets. */
export class EntryNames implements ListedNames {
  info = "";
  unreadable = 0;
  readonly #entries: readonly Dirent[];
  #next = 0;

  constructor(entries: readonly Dirent[]) {
    this.#entries = entries;
  }

  get expected(): number {
    return this.#entries.length;
  }

  get isFile(): boolean {
    return this.#entries[this.#next - 1]!.isFile();
  }

  stageNext(): boolean {
    while (this.#next < this.#entries.length) {
      const { name } = this.#entries[this.#next++]!;
      if (name.length > NAME_OCTETS || name.startsWith(".") || name.startsWith(":")) continue;
      if (!fileNamesAreExact && name.includes(REPLACED_OCTETS)) {
        this.unreadable++;
        continue;
      }
      const colon = name.indexOf(":");
      staged.putText(name);
      if (colon >= 0) staged.cutTo(colon);
      this.info = colon < 0 ? "" : name.slice(colon);
      return true;
    }
    return false;
  }
}

/** Names in records of the system (folder_records.ts), which give no string but for an info that is new. */
export class RecordNames implements ListedNames {
  info = "";
  isFile = false;
  unreadable = 0;
  readonly #octets: Uint8Array;
  readonly #infos: KnownInfos;
  readonly #folderOctets: number;
  #next = 0;

  /** @param folderOctets what the folder itself takes on its disk. */
  constructor(records: Uint8Array, infos: KnownInfos, folderOctets: number) {
    this.#octets = records;
    this.#infos = infos;
    this.#folderOctets = folderOctets;
  }

  /** By what this part's names take: a folder has a few octets beside each, a record some twenty. */
  get expected(): number {
    return Math.ceil(this.#folderOctets / Math.max(this.#lengthAt(0) - 16, 16));
  }

  #lengthAt(record: number): number {
    const at = record + RECORD.length;
    return this.#octets[at]! | this.#octets[at + 1]! << 8;
  }

  stageNext(): boolean {
    const octets = this.#octets;
    while (this.#next < octets.length) {
      const record = this.#next;
      this.#next += this.#lengthAt(record);
      const from = record + RECORD.name;
      if (octets[from] === DOT || octets[from] === COLON) continue;
      const infoFrom = staged.putUntil(octets, from, COLON);
      let end = infoFrom;
      while (octets[end] !== 0) end++;
      if (end - from > NAME_OCTETS || end === from) continue;
      if (!fileNamesAreExact && !canBeOpened(octets.subarray(from, end))) {
        this.unreadable++;
        continue;
      }
      this.info = end === infoFrom ? "" : this.#infos.textOf(octets, infoFrom, end);
      this.isFile = octets[record + RECORD.kind] === PLAIN_FILE;
      return true;
    }
    return false;
  }
}

function canBeOpened(name: Uint8Array): boolean {
  return isUtf8(name) && !Buffer.from(name).includes(REPLACED_OCTETS, 0, "latin1");
}

/** Texts of infos by their octets, those that came lately. */
export class KnownInfos {
  readonly #texts: string[] = [];

  /** The text of the octets from one place to another, a character an octet. */
  textOf(octets: Uint8Array, from: number, to: number): string {
    const texts = this.#texts;
    for (let at = 0; at < texts.length; at++) {
      if (isTextAt(texts[at]!, octets, from, to)) return texts[at]!;
    }
    const text = String.fromCharCode(...octets.subarray(from, to));
    if (texts.unshift(text) > KNOWN_INFOS) texts.pop();
    return text;
  }
}

function isTextAt(text: string, octets: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  // From the end, where flags differ.
  for (let at = text.length - 1; at >= 0; at--) {
    if (text.charCodeAt(at) !== octets[from + at]) return false;
  }
  return true;
}
