/**
 * The waist's snapshot, made of a mailbox's table: which rows there were, and how large. It stays as it is
 * while the table goes on changing.
 */

import type { MessageNumber } from "../maildrop/message_number.ts";
import type { Snapshot } from "../maildrop/snapshot.ts";
import { decimalUniqueId, type UniqueId } from "../maildrop/unique_id.ts";
import { Entry } from "./entry.ts";
import { DecimalCounter } from "../maildrop/decimal.ts";
import type { MessageTable } from "./message_table.ts";

/** Stands for a size that does not go into 32 bits. */
const TOO_LARGE = 0xffff_ffff;

/** Most ids are one more than the one before. */
const ids = new DecimalCounter();

/** What a snapshot and the one in the other direction have in common. */
interface Columns {
  readonly table: MessageTable;
  readonly count: number;
  /** The rows, in ascending order; undefined when they are all of 0 to `count` - 1. */
  readonly rows: Uint32Array | undefined;
  readonly octets: Uint32Array;
  readonly largeOctets: ReadonlyMap<number, number>;
  readonly totalOctets: number;
}

export class MailboxSnapshot implements Snapshot {
  readonly #columns: Columns;
  readonly #isDescending: boolean;
  #descending: MailboxSnapshot | undefined;

  private constructor(columns: Columns, isDescending: boolean) {
    this.#columns = columns;
    this.#isDescending = isDescending;
  }

  /** The messages of the table that are in a folder, oldest first. */
  static of(table: MessageTable, exactSizes: boolean): MailboxSnapshot {
    const rows = rowsInFolders(table);
    const count = rows?.length ?? table.count;
    const octets = new Uint32Array(count);
    const largeOctets = new Map<number, number>();
    let totalOctets = 0;
    for (let index = 0; index < count; index++) {
      const row = rows === undefined ? index : rows[index]!;
      const size = exactSizes ? table.exactOf(row) ?? table.storedOf(row) : table.storedOf(row);
      octets[index] = Math.min(size, TOO_LARGE);
      if (size >= TOO_LARGE) largeOctets.set(index, size);
      totalOctets += size;
    }
    return new MailboxSnapshot({ table, count, rows, octets, largeOctets, totalOctets }, false);
  }

  /** Octets of memory, the table apart. */
  get memoryOctets(): number {
    return this.#columns.octets.byteLength + (this.#columns.rows?.byteLength ?? 0);
  }

  get count(): number {
    return this.#columns.count;
  }

  get totalOctets(): number {
    return this.#columns.totalOctets;
  }

  octetsOf(number: MessageNumber): number {
    const index = this.#indexOf(number);
    const octets = this.#columns.octets[index] ?? 0;
    return octets === TOO_LARGE ? this.#columns.largeOctets.get(index) ?? octets : octets;
  }

  uniqueIdOf(number: MessageNumber): UniqueId {
    const { table } = this.#columns;
    const row = this.#rowOf(number);
    return (table.carriedOf(row) as UniqueId | undefined) ?? decimalUniqueId(table.idOf(row));
  }

  writeUniqueId(number: MessageNumber, target: Uint8Array, at: number): number {
    const { table } = this.#columns;
    const row = this.#rowOf(number);
    const carried = table.carriedOf(row);
    if (carried === undefined) return ids.write(table.idOf(row), target, at);
    for (let character = 0; character < carried.length; character++) {
      target[at + character] = carried.charCodeAt(character);
    }
    return at + carried.length;
  }

  /** @throws {RangeError} If the snapshot has no message of that number. */
  entryOf(number: MessageNumber): Entry {
    return new Entry(this.#columns.table, this.#rowOf(number));
  }

  /** The same messages, newest first (Exchange's MessageRetrievalSortOrder). */
  get descending(): MailboxSnapshot {
    this.#descending ??= new MailboxSnapshot(this.#columns, !this.#isDescending);
    return this.#descending;
  }

  #indexOf(number: MessageNumber): number {
    return this.#isDescending ? this.#columns.count - number : number - 1;
  }

  #rowOf(number: MessageNumber): number {
    const index = this.#indexOf(number);
    const { count, rows } = this.#columns;
    if (!(index >= 0 && index < count)) {
      throw new RangeError(`Message number ${number} is not in the snapshot`);
    }
    return rows === undefined ? index : rows[index]!;
  }
}

function rowsInFolders(table: MessageTable): Uint32Array | undefined {
  let count = 0;
  for (let row = 0; row < table.count; row++) if (table.isInFolder(row)) count++;
  if (count === table.count) return undefined;
  const rows = new Uint32Array(count);
  let index = 0;
  for (let row = 0; row < table.count; row++) if (table.isInFolder(row)) rows[index++] = row;
  return rows;
}
