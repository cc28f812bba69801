/**
 * A message that comes, in large pieces, however small are those in which it was sent: each piece goes to every
 * recipient. A client that lets one wait too long is told of, be it for one piece or for all of them together; while
 * we are busy with a piece, nobody is late.
 *
 * *Does not know* protocols, or what becomes of the message.
 */

import { Buffer } from "node:buffer";
import type { SMTPServerDataStream } from "smtp-server";
import { LMTP_PIECE_OCTETS, LMTP_PROMPT_PIECE_MS } from "../../limits.ts";

export interface PiecePatience {
  /** How long the first piece may take, or a message that is shorter, ms. */
  readonly firstMs: number;
  /** How long each other piece may take, ms. */
  readonly othersMs: number;
  /** How long all of them may take together, but for those that come promptly, ms. */
  readonly allMs: number;
  /** Called when one takes longer; has to give the stream up. */
  readonly tooSlow: () => void;
}

/** The octets of a message; each piece is the caller's to keep. @throws If it does not come to its end. */
export async function* messagePieces(
  stream: SMTPServerDataStream,
  { firstMs, othersMs, allMs, tooSlow }: PiecePatience,
): AsyncGenerator<Uint8Array> {
  let isWhole = false;
  stream.once("end", () => isWhole = true);
  let piece = Buffer.allocUnsafe(LMTP_PIECE_OCTETS);
  let length = 0;
  let leftMs = allMs;
  let sinceMs = performance.now();
  let timer = setTimeout(tooSlow, Math.min(firstMs, leftMs + LMTP_PROMPT_PIECE_MS));
  try {
    for await (const octets of stream as AsyncIterable<Uint8Array>) {
      for (let from = 0; from < octets.length;) {
        const taken = octets.subarray(from, from + piece.length - length);
        piece.set(taken, length);
        length += taken.length;
        from += taken.length;
        if (length < piece.length) continue;
        clearTimeout(timer);
        leftMs -= Math.max(performance.now() - sinceMs - LMTP_PROMPT_PIECE_MS, 0);
        yield piece;
        piece = Buffer.allocUnsafe(LMTP_PIECE_OCTETS);
        length = 0;
        sinceMs = performance.now();
        timer = setTimeout(tooSlow, Math.min(othersMs, leftMs + LMTP_PROMPT_PIECE_MS));
      }
    }
    // A stream that was given up need not say so to who reads it.
    if (!isWhole) throw new Error("the client is gone before the end of its message");
  } finally {
    clearTimeout(timer);
  }
  if (length > 0) yield piece.subarray(0, length);
}

/** Waits for the first piece, or that there is none, and returns all of them. Never rejects. */
export async function begun(
  pieces: AsyncGenerator<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const first = pieces.next();
  await first.catch(() => {});
  return (async function* () {
    const { done, value } = await first;
    if (done === true) return;
    yield value;
    yield* pieces;
  })();
}
