/** The waist's snapshot, made of a mailbox's entries: it stays as it is while they go on changing. */

import type { MessageNumber } from "../maildrop/message_number.ts";
import type { Snapshot } from "../maildrop/snapshot.ts";
import { decimalUniqueId, type UniqueId } from "../maildrop/unique_id.ts";
import type { Entry } from "./unique_id_list.ts";

export class MailboxSnapshot implements Snapshot {
  readonly #entries: readonly Entry[];
  readonly #octets: Float64Array;
  readonly totalOctets: number;
  readonly #exactSizes: boolean;
  #descending: MailboxSnapshot | undefined;

  /** @param entries in the order that messages are numbered. */
  constructor(entries: readonly Entry[], exactSizes: boolean) {
    this.#entries = entries;
    this.#exactSizes = exactSizes;
    this.#octets = Float64Array.from(entries, (entry) => {
      return exactSizes ? entry.exactOctets ?? entry.storedOctets : entry.storedOctets;
    });
    this.totalOctets = this.#octets.reduce((sum, octets) => sum + octets, 0);
  }

  get count(): number {
    return this.#entries.length;
  }

  octetsOf(number: MessageNumber): number {
    return this.#octets[number - 1] ?? 0;
  }

  uniqueIdOf(number: MessageNumber): UniqueId {
    const entry = this.entryOf(number);
    return (entry.carried as UniqueId | undefined) ?? decimalUniqueId(entry.id);
  }

  writeUniqueId(number: MessageNumber, target: Uint8Array, at: number): number {
    const id = this.uniqueIdOf(number);
    for (let character = 0; character < id.length; character++) {
      target[at + character] = id.charCodeAt(character);
    }
    return at + id.length;
  }

  entryOf(number: MessageNumber): Entry {
    const entry = this.#entries[number - 1];
    if (entry === undefined) {
      throw new RangeError(`Message number ${number} is not in the snapshot`);
    }
    return entry;
  }

  /** The same messages, newest first (Exchange's MessageRetrievalSortOrder). */
  get descending(): MailboxSnapshot {
    this.#descending ??= new MailboxSnapshot([...this.#entries].reverse(), this.#exactSizes);
    return this.#descending;
  }
}
