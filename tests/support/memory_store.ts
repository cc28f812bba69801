/**
 * A maildrop store in memory: what a session test needs of a mailbox, with the things that happen to
 * one while a session is open (mail delivered, removed, renamed by others; storage that fails).
 *
 * Stricter than a real store need be: whatever is used after it was closed throws. It counts what is
 * open, so that a test can see that everything was given back.
 */

import { Buffer } from "node:buffer";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import type { Snapshot } from "../../src/maildrop/snapshot.ts";
import {
  type Account,
  type FailureKind,
  type Maildrop,
  type MaildropStore,
  MessageGone,
  StorageFailure,
  type StoredMessage,
  type UpdateOutcome,
} from "../../src/maildrop/store.ts";
import { decimalUniqueId, type UniqueId } from "../../src/maildrop/unique_id.ts";
import { CanonicalCounter } from "../../src/message/canonical.ts";

export interface MemoryMessage {
  readonly uniqueId: UniqueId;
  readonly octets: Uint8Array;
  /** Changes when somebody renames the message; its identity does not. */
  name: string;
  seen: boolean;
  /** Reading fails after so many octets. */
  failReadAfter?: { readonly octets: number; readonly kind: FailureKind };
  /** Removing it fails. */
  failRemove?: boolean;
}

export interface MemoryStoreOptions {
  /** Sizes are exact octets and not stored ones. */
  readonly exactSizes?: boolean;
  /** The most octets that one `read` gives. */
  readonly readChunkOctets?: number;
  /** Messages are opened and read at once, into the reader's memory. */
  readonly atOnce?: boolean;
}

export class MemoryStore implements MaildropStore {
  readonly #mailboxes = new Map<string, MemoryMessage[]>();
  readonly #exactSizes: boolean;
  readonly #readChunkOctets: number;
  readonly #atOnce: boolean;
  #nextUniqueId = 1;
  /** `open` rejects with this. */
  failOpen: Error | undefined;
  /** `open` waits for this before it does anything. */
  holdOpen: Promise<void> | undefined;
  /** `update` waits for this before it does anything. */
  holdUpdate: Promise<void> | undefined;
  /** What sessions noted, by unique-id. */
  readonly exactOctets = new Map<UniqueId, number>();
  maildropsOpen = 0;
  messagesOpen = 0;
  updates = 0;

  constructor(options: MemoryStoreOptions = {}) {
    this.#exactSizes = options.exactSizes ?? false;
    this.#readChunkOctets = options.readChunkOctets ?? 65_536;
    this.#atOnce = options.atOnce ?? false;
  }

  /** The messages of a user as they are now, in order of their unique-ids. */
  mailbox(user: string): MemoryMessage[] {
    let mailbox = this.#mailboxes.get(user);
    if (mailbox === undefined) this.#mailboxes.set(user, mailbox = []);
    return mailbox;
  }

  /** Delivers a message: a string stands for its octets as latin1. */
  deliver(user: string, content: string | Uint8Array): MemoryMessage {
    const octets = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    const uniqueId = decimalUniqueId(this.#nextUniqueId++);
    const message = { uniqueId, octets, name: `new/${uniqueId}`, seen: false };
    this.mailbox(user).push(message);
    return message;
  }

  /** Somebody else removes a message; `index` counts from 1, as the mailbox is now. */
  unlink(user: string, index: number): void {
    if (this.mailbox(user).splice(index - 1, 1).length !== 1) throw new RangeError(`No ${index}`);
  }

  /** Somebody else renames a message, as an IMAP server does when it is read there. */
  rename(user: string, index: number): void {
    const message = this.mailbox(user)[index - 1];
    if (message === undefined) throw new RangeError(`No ${index}`);
    message.name = `cur/${message.uniqueId}:2,S`;
  }

  /** The figure that LIST shows for a message. */
  sizeOf(message: MemoryMessage): number {
    if (!this.#exactSizes) return message.octets.length;
    const counter = new CanonicalCounter();
    counter.push(message.octets);
    return counter.end();
  }

  async open(account: Account): Promise<Maildrop> {
    await this.holdOpen;
    if (this.failOpen !== undefined) throw this.failOpen;
    this.maildropsOpen++;
    return new MemoryMaildrop(this, account.user, this.#readChunkOctets, this.#atOnce);
  }
}

class MemoryMaildrop implements Maildrop {
  readonly snapshot: Snapshot;
  readonly #store: MemoryStore;
  readonly #user: string;
  readonly #messages: readonly MemoryMessage[];
  readonly #chunkOctets: number;
  readonly #atOnce: boolean;
  #closed = false;

  constructor(store: MemoryStore, user: string, chunkOctets: number, atOnce: boolean) {
    this.#store = store;
    this.#user = user;
    this.#chunkOctets = chunkOctets;
    this.#atOnce = atOnce;
    const messages = this.#messages = [...store.mailbox(user)];
    const sizes = messages.map((message) => store.sizeOf(message));
    this.snapshot = {
      count: messages.length,
      totalOctets: sizes.reduce((sum, size) => sum + size, 0),
      octetsOf: (number) => sizes[number - 1]!,
      uniqueIdOf: (number) => messages[number - 1]!.uniqueId,
      writeUniqueId(number, target, at) {
        const id = new TextEncoder().encode(this.uniqueIdOf(number));
        target.set(id, at);
        return at + id.length;
      },
    };
  }

  open(number: MessageNumber): StoredMessage | Promise<StoredMessage> {
    this.#checkOpen();
    return this.#atOnce ? this.#open(number) : Promise.resolve().then(() => this.#open(number));
  }

  #open(number: MessageNumber): StoredMessage {
    const message = this.#messages[number - 1]!;
    if (!this.#store.mailbox(this.#user).includes(message)) {
      throw new MessageGone(`Message ${number} is gone`);
    }
    this.#store.messagesOpen++;
    return new MemoryStoredMessage(this.#store, message, this.#chunkOctets, this.#atOnce);
  }

  async update(
    marked: Iterable<MessageNumber>,
    retrieved: Iterable<MessageNumber>,
    tellRemoved?: (number: MessageNumber) => void,
  ): Promise<UpdateOutcome> {
    this.#checkOpen();
    await this.#store.holdUpdate;
    this.#store.updates++;
    const mailbox = this.#store.mailbox(this.#user);
    let removed = 0, left = 0;
    for (const number of marked) {
      const message = this.#messages[number - 1]!;
      if (message.failRemove) left++;
      else removed++;
      const at = mailbox.indexOf(message);
      if (at < 0 || message.failRemove) continue;
      mailbox.splice(at, 1);
      tellRemoved?.(number);
    }
    for (const number of retrieved) this.#messages[number - 1]!.seen = true;
    return { removed, left };
  }

  noteExactOctets(number: MessageNumber, octets: number): void {
    this.#checkOpen();
    this.#store.exactOctets.set(this.snapshot.uniqueIdOf(number), octets);
  }

  close(): void {
    this.#checkOpen();
    this.#closed = true;
    this.#store.maildropsOpen--;
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("The maildrop is closed already");
  }
}

class MemoryStoredMessage implements StoredMessage {
  readonly storedOctets: number;
  readonly #store: MemoryStore;
  readonly #message: MemoryMessage;
  readonly #chunkOctets: number;
  readonly #atOnce: boolean;
  #given = 0;
  #closed = false;

  constructor(store: MemoryStore, message: MemoryMessage, chunkOctets: number, atOnce: boolean) {
    this.#store = store;
    this.#message = message;
    this.#chunkOctets = chunkOctets;
    this.#atOnce = atOnce;
    this.storedOctets = message.octets.length;
  }

  read(scratch: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#closed) throw new Error("The message is closed already");
    if (!this.#atOnce) {
      return Promise.resolve().then(() => {
        const chunk = this.#next();
        return chunk && new Uint8Array(chunk);
      });
    }
    const chunk = this.#next();
    if (chunk === undefined) return undefined;
    scratch.set(chunk);
    return scratch.subarray(0, chunk.length);
  }

  #next(): Uint8Array | undefined {
    const { octets, failReadAfter } = this.#message;
    const end = Math.min(octets.length, failReadAfter?.octets ?? octets.length);
    const chunk = octets.subarray(this.#given, Math.min(end, this.#given + this.#chunkOctets));
    if (chunk.length === 0) {
      if (failReadAfter === undefined) return undefined;
      throw new StorageFailure(failReadAfter.kind, "Reading failed as the test wants");
    }
    this.#given += chunk.length;
    return chunk;
  }

  close(): Promise<void> {
    if (!this.#closed) this.#store.messagesOpen--;
    this.#closed = true;
    return Promise.resolve();
  }
}
