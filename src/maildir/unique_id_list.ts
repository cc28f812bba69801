/**
 * The sidecar `popkeep-uidlist`, version 1: one text file in each Maildir that owns its unique-ids.
 *
 *     popkeep-uidlist 1
 *     next 1795385109390214
 *     + 1795385109389772 2048 2101 - 1700000000.M1P1.host,S=2048
 *     + 1795385109389773 917 - 4f2a.7 1700000004.M9P1.host
 *     = 1795385109389773 917 940
 *     - 1795385109389772
 *     ? 1795385109389773 1795385200
 *
 * Every line ends with LF; fields are parted by one space. The first line names the format and its
 * version. Then, in any mix:
 *
 * | line                           | says                                                          |
 * | ------------------------------ | ------------------------------------------------------------- |
 * | `next ID`                      | no id below this may be given to a message any more           |
 * | `+ ID STORED EXACT CARRIED NAME` | a message: its id, octets of its file, octets as sent (`-`: not |
 * |                                | counted yet), unique-id carried over from another server (`-`: none, |
 * |                                | the id itself is shown), unique name                          |
 * | `= ID STORED EXACT`            | better sizes for that message                                 |
 * | `- ID`                         | popkeep removed that message                                  |
 * | `? ID SECONDS`                 | its file was not there; first missed then (seconds since 1970) |
 *
 * In NAME and CARRIED an octet up to 0x20, 0x7F or `%` is written `%XX`.
 *
 * Rules that every reader follows, so that all hosts see the same whatever the writers did:
 * 1. Only lines that end with LF count: a torn last line never happened.
 * 2. Ids of `+` lines rise through the file. A `+` line whose id is not above all before it, or whose
 *    name already has an id, is void: the first one wins. So two writers that both believed that they
 *    held the lock cannot give one id to two messages.
 * 3. The next id is above every id of every line, and not below `next`.
 *
 * The counter is also never below the clock, in microseconds since 1970, when ids are given (see
 * `firstFreeId`). So ids given after the file was lost, cut short or put back from an old copy are
 * still above all that were given before, though nothing on disk remembers them. Within one file they
 * are consecutive where one delivery brought several messages ([MS-STANXPOP3] C0007 to C0009).
 *
 * *Knows* the text. *Does not know* the disk; sidecar.ts does.
 */

import { parseUniqueId } from "../maildrop/unique_id.ts";

/** A message that has a unique-id; shared by all that look at the mailbox in this process. */
export interface Entry {
  readonly id: number;
  readonly uniqueName: string;
  /** A unique-id of another server that clients know this message by. */
  readonly carried: string | undefined;
  storedOctets: number;
  /** Octets as sent, before byte-stuffing; undefined until counted. */
  exactOctets: number | undefined;
  /** popkeep removed its file. */
  removed: boolean;
  /** When its file was first found missing, seconds since 1970. */
  missingSinceS: number | undefined;
  /** Where its file was when last seen; undefined when it was not in the last listing. */
  folder: "new" | "cur" | undefined;
  fileName: string;
  /**
   * Listings in a row that did not have its file; 0 also before this process has made one, when that it
   * has no folder says nothing.
   */
  misses: number;
  /** Which of its mailbox's matchings with the folders found it last. */
  matching: number;
}

export const HEADER = "popkeep-uidlist 1\n";

/** Ids stay exact in a double up to here; microseconds reach it in the year 2255. */
const LARGEST_ID = Number.MAX_SAFE_INTEGER;

export class UniqueIdList {
  /** In the order of ids, which is the order of the file. */
  readonly entries: Entry[] = [];
  readonly #byName = new Map<string, Entry>();
  #next = 1;
  /** Lines that a compaction would save, entries apart. */
  #spareLines = 0;

  /** No id below this may be given. */
  get next(): number {
    return this.#next;
  }

  get spareLines(): number {
    return this.#spareLines;
  }

  find(uniqueName: string): Entry | undefined {
    return this.#byName.get(uniqueName);
  }

  /**
   * The id that the next message gets: above all given ids, and not below the clock.
   *
   * @param nowMs milliseconds since 1970.
   */
  firstFreeId(nowMs: number): number {
    return Math.max(this.#next, Math.floor(nowMs) * 1000);
  }

  /** Takes one line, without its LF, after the header. False if it is no line of this format. */
  apply(line: string): boolean {
    // Nearly all lines are messages, and there may be a million.
    if (line.startsWith("+ ")) return this.#applyMessage(line);
    const fields = line.split(" ");
    switch (fields[0]) {
      case "=":
        return fields.length === 4 && this.#applySizes(fields);
      case "-":
        return fields.length === 2 && this.#applyRemoved(fields);
      case "?":
        return fields.length === 3 && this.#applyMissing(fields);
      case "next": {
        const next = wholeNumber(fields[1]);
        if (next === undefined || fields.length !== 2) return false;
        this.#next = Math.max(this.#next, next);
        return true;
      }
      default:
        return false;
    }
  }

  #applyMessage(line: string): boolean {
    const afterId = line.indexOf(" ", 2);
    const afterStored = line.indexOf(" ", afterId + 1);
    const afterExact = line.indexOf(" ", afterStored + 1);
    const afterCarried = line.indexOf(" ", afterExact + 1);
    if (afterCarried < 0 || line.includes(" ", afterCarried + 1)) return false;
    const id = wholeNumberAt(line, 2, afterId);
    const storedOctets = wholeNumberAt(line, afterId + 1, afterStored);
    if (id === undefined || storedOctets === undefined) return false;
    let exactOctets: number | undefined;
    if (!isNothing(line, afterStored + 1, afterExact)) {
      exactOctets = wholeNumberAt(line, afterStored + 1, afterExact);
      if (exactOctets === undefined) return false;
    }
    let carried: string | undefined;
    if (!isNothing(line, afterExact + 1, afterCarried)) {
      carried = unescapeField(line.slice(afterExact + 1, afterCarried));
      if (carried === undefined || parseUniqueId(carried) === undefined) return false;
    }
    const uniqueName = unescapeField(line.slice(afterCarried + 1));
    if (uniqueName === undefined || uniqueName === "") return false;
    if (uniqueName.startsWith(".") || uniqueName.includes("/")) return false;
    this.#addMessage({ id, uniqueName, carried, storedOctets, exactOctets });
    return true;
  }

  #addMessage(
    message: Pick<Entry, "id" | "uniqueName" | "carried" | "storedOctets" | "exactOctets">,
  ): void {
    const { id, uniqueName } = message;
    const last = this.entries.at(-1);
    this.#next = Math.max(this.#next, id + 1);
    const rises = last === undefined || id > last.id;
    if (!rises || this.findPresent(uniqueName) !== undefined) {
      this.#spareLines++;
      return;
    }
    const entry: Entry = {
      ...message,
      removed: false,
      missingSinceS: undefined,
      folder: undefined,
      fileName: "",
      misses: 0,
      matching: 0,
    };
    this.entries.push(entry);
    this.#byName.set(uniqueName, entry);
  }

  /**
   * The entry that a file of that name belongs to: none if popkeep removed that message, since a file that
   * then comes under its name is another one.
   */
  findPresent(uniqueName: string): Entry | undefined {
    const entry = this.#byName.get(uniqueName);
    return entry?.removed === true ? undefined : entry;
  }

  #applySizes(fields: readonly string[]): boolean {
    const id = wholeNumber(fields[1]);
    const storedOctets = wholeNumber(fields[2]);
    const exactOctets = fields[3] === "-" ? undefined : wholeNumber(fields[3]);
    if (id === undefined || storedOctets === undefined) return false;
    if (exactOctets === undefined && fields[3] !== "-") return false;
    const entry = this.findById(id);
    if (entry !== undefined) {
      entry.storedOctets = storedOctets;
      entry.exactOctets = exactOctets;
    }
    return this.#spare(id);
  }

  #applyRemoved(fields: readonly string[]): boolean {
    const id = wholeNumber(fields[1]);
    if (id === undefined) return false;
    const entry = this.findById(id);
    if (entry !== undefined) entry.removed = true;
    return this.#spare(id);
  }

  #applyMissing(fields: readonly string[]): boolean {
    const id = wholeNumber(fields[1]);
    const sinceS = wholeNumber(fields[2]);
    if (id === undefined || sinceS === undefined) return false;
    const entry = this.findById(id);
    if (entry !== undefined) entry.missingSinceS = sinceS;
    return this.#spare(id);
  }

  #spare(id: number): true {
    this.#next = Math.max(this.#next, id + 1);
    this.#spareLines++;
    return true;
  }

  /** The entry with that id, by halving, or undefined. */
  findById(id: number): Entry | undefined {
    let low = 0;
    let high = this.entries.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const entry = this.entries[middle] as Entry;
      if (entry.id === id) return entry;
      if (entry.id < id) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}

export function encodeNext(next: number): string {
  return `next ${next}\n`;
}

export function encodeMessage(
  message: Pick<Entry, "id" | "storedOctets" | "exactOctets" | "carried" | "uniqueName">,
): string {
  const carried = message.carried === undefined ? "-" : escapeField(message.carried);
  return `+ ${message.id} ${message.storedOctets} ${message.exactOctets ?? "-"} ${carried} ` +
    `${escapeField(message.uniqueName)}\n`;
}

export function encodeSizes(entry: Entry): string {
  return `= ${entry.id} ${entry.storedOctets} ${entry.exactOctets ?? "-"}\n`;
}

export function encodeRemoved(entry: Entry): string {
  return `- ${entry.id}\n`;
}

export function encodeMissing(entry: Entry, sinceS: number): string {
  return `? ${entry.id} ${sinceS}\n`;
}

/** Decimal digits of a line, from one place to another, as a number. */
function wholeNumberAt(line: string, from: number, to: number): number | undefined {
  if (to <= from || to - from > 16) return undefined;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = line.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value < LARGEST_ID ? value : undefined;
}

/** Whether a field is the "-" that stands for nothing. */
function isNothing(line: string, from: number, to: number): boolean {
  return to - from === 1 && line[from] === "-";
}

function wholeNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumberAt(text, 0, text.length);
}

// deno-lint-ignore no-control-regex -- control octets are what must not stand in a line
const UNSAFE = /[\x00-\x20\x7f%]/g;

function escapeField(text: string): string {
  // "-" alone stands for nothing, so a field that is just that is escaped too.
  if (text === "-") return "%2D";
  return text.replace(
    UNSAFE,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

function unescapeField(text: string): string | undefined {
  if (!text.includes("%")) return text;
  if (/%(?![0-9A-F]{2})/.test(text)) return undefined;
  return text.replace(/%([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}
