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
   * An iterable is drawn at the speed of the client, and `return` is called on it if it is left early;
   * the arrays that it gives are the receiver's to keep. If it throws, the connection ends at once and the
   * terminator is never sent, so no part of a message passes for the whole.
   */
  readonly body?: Body;
  readonly next: Next;
}

export type Body = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
