/** An answer's body, piece by piece, as who sends it draws it. */

import type { Body } from "../../src/session/answer.ts";

/**
 * Yields copies, since what comes at once is lent. Leaving early leaves the body.
 */
export async function* piecesOf(body: Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) return yield new Uint8Array(body);
  if (!("draw" in body)) {
    for (const piece of body) yield new Uint8Array(piece);
    return;
  }
  let all = false;
  try {
    for (;;) {
      let piece = body.draw();
      piece = piece instanceof Promise ? await piece : piece && new Uint8Array(piece);
      if (piece === undefined) return void (all = true);
      yield piece;
    }
  } finally {
    if (!all) await body.leave();
  }
}
