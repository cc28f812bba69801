/** What a session wants done after a line from the client: the one thing it gives back. */

/**
 * - `read`: go on; `Session.expects` says which kind of line comes next.
 * - `start-tls`: send the line, then begin a TLS handshake, having thrown away all unread octets.
 * - `close`: send the line, then close.
 */
export type Next = "read" | "start-tls" | "close";

export interface Answer {
  /** The response line without CRLF, at most 510 octets as UTF-8 (a challenge `+ ...` may be longer). */
  readonly line: string;
  /**
   * The rest of a multi-line response: octets that are byte-stuffed and end with the terminator.
   * Octets that come at once, with an answer or out of a body, are lent: they stay what they are until
   * anything is waited for. What had to be waited for is the receiver's.
   */
  readonly body?: Body;
  readonly next: Next;
}

export type Body = Uint8Array | Iterable<Uint8Array> | DrawnBody;

/** A body that is made at the speed of the client, and may have to wait for a disk. */
export interface DrawnBody {
  /**
   * The next octets, or undefined at the end. What it throws or rejects with ends the connection at once:
   * the terminator is never sent, so no part of a message passes for the whole.
   */
  draw(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** To be called if it is not drawn to its end. */
  leave(): void | Promise<void>;
}
