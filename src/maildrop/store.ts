/**
 * What a session needs of a message store, and how a store may fail. The session and the Maildir
 * know this file and not each other.
 */

import type { MessageNumber } from "./message_number.ts";
import type { Snapshot } from "./snapshot.ts";

/** Whose maildrop to open. Made by a directory after a login; a store only reads it. */
export interface Account {
  /** The name as the directory spells it: what logs and per-user limits use. */
  readonly user: string;
  /** Home folder from the directory, absolute; undefined when the directory names none. */
  readonly home?: string;
  /**
   * A folder of the mailbox to open in its place, such as "Work", as the client named it; undefined means
   * the mailbox itself. It is never made.
   */
  readonly folder?: string;
  /**
   * Extra fields of the directory's entry, by name without the `userdb_` prefix. Never a secret. Those
   * that say where the mail is (`mail`) hold Dovecot's variables as they were written: the store puts them in.
   */
  readonly extra: Readonly<Record<string, string>>;
}

/** A place that holds maildrops. */
export interface MaildropStore {
  /**
   * Takes the snapshot and returns the open maildrop; a mailbox that does not exist yet is empty.
   *
   * Comes at once where nothing has to be waited for.
   *
   * @throws {StorageFailure} If the mailbox cannot be read or is none.
   */
  open(account: Account): Maildrop | Promise<Maildrop>;
}

/** One session's maildrop, from login to `close`. */
export interface Maildrop {
  readonly snapshot: Snapshot;

  /**
   * Opens a message's stored octets. The caller closes it, also after a failure.
   *
   * Comes at once where nothing has to be waited for.
   *
   * @throws {MessageGone} If it was removed since the snapshot; a renamed one is found.
   * @throws {StorageFailure} If it is there and cannot be read.
   */
  open(number: MessageNumber): StoredMessage | Promise<StoredMessage>;

  /**
   * Removes the marked messages and no other, then makes the retrieved ones seen where the settings
   * say so. Goes on after a failure ([MS-STANXPOP3] V0006). A marked message that somebody else has
   * removed already counts as removed.
   *
   * @param tellRemoved Called with each message that is not there any more, before it resolves.
   */
  update(
    marked: Iterable<MessageNumber>,
    retrieved: Iterable<MessageNumber>,
    tellRemoved?: (number: MessageNumber) => void,
  ): Promise<UpdateOutcome>;

  /**
   * Tells the store how many octets a message had as sent (canonical, before byte-stuffing), so
   * that it need not count them again. Costs nothing now; the store writes it down when it suits.
   */
  noteExactOctets(number: MessageNumber, octets: number): void;

  /** Ends the session's hold. Removes nothing. */
  close(): void;
}

/** An open message: its octets as stored, which the receiver makes canonical. */
export interface StoredMessage {
  /** Octets in storage. */
  readonly storedOctets: number;
  /**
   * The next octets in order, or undefined at the end. Those that come at once may be in `scratch`; those
   * that are waited for are in an array of their own, which the store does not touch again.
   *
   * @param scratch memory that does not move: an ArrayBuffer's of its own, or WebAssembly's.
   * @throws {StorageFailure} If reading fails or the file ends before `storedOctets`.
   */
  read(scratch: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  close(): void | Promise<void>;
}

export interface UpdateOutcome {
  readonly removed: number;
  /** Marked messages that are still there, or may be there again after a power cut. */
  readonly left: number;
}

/** A message of the snapshot that is no longer in the mailbox. The session goes on. */
export class MessageGone extends Error {
  override readonly name = "MessageGone";
}

/** Whether trying again later may help: the response code a client is told (RFC 3206 §4). */
export type FailureKind = "SYS/TEMP" | "SYS/PERM";

/** Storage could not do its work. The message is for the log, never for a client. */
export class StorageFailure extends Error {
  override readonly name = "StorageFailure";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
