/**
 * The form in which a message is kept: lines that end in LF alone, the last one too, as Maildir has it.
 *
 * A CR that no LF follows is an octet as any other. Pure.
 */

const CR = 13;
const LF = 10;
const NOTHING = new Uint8Array(0);
const ONE_CR = Uint8Array.of(CR);
const ONE_LF = Uint8Array.of(LF);

/** Brings a message into that form, chunk by chunk; for one message. */
export class LineFeeds {
  /** Whether the last octet taken was a CR, which is not given back before the next one is known. */
  #heldCr = false;
  #last = LF;

  /** Returns the next octets in that form: `chunk` itself where nothing is to change, else a new array. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return NOTHING;
    const held = this.#heldCr;
    this.#heldCr = chunk[chunk.length - 1] === CR;
    const from = held && chunk[0] !== LF ? ONE_CR : NOTHING;
    const whole = this.#heldCr ? chunk.subarray(0, -1) : chunk;
    const octets = joined(from, withoutCrBeforeLf(whole));
    if (octets.length > 0) this.#last = octets[octets.length - 1]!;
    return octets;
  }

  /** Returns what must follow the last chunk: the end of a last line that has none. */
  end(): Uint8Array {
    if (this.#heldCr) {
      this.#heldCr = false;
      this.#last = LF;
      return Uint8Array.of(CR, LF);
    }
    if (this.#last === LF) return NOTHING;
    this.#last = LF;
    return ONE_LF;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function withoutCrBeforeLf(chunk: Uint8Array): Uint8Array {
  let at = nextCrLf(chunk, 0);
  if (at < 0) return chunk;
  const kept = new Uint8Array(chunk.length);
  let length = 0;
  let from = 0;
  for (; at >= 0; at = nextCrLf(chunk, from)) {
    kept.set(chunk.subarray(from, at), length);
    length += at - from;
    from = at + 1;
  }
  kept.set(chunk.subarray(from), length);
  return kept.subarray(0, length + chunk.length - from);
}

/** Where the next CR stands that has an LF behind it; -1 if nowhere. */
function nextCrLf(chunk: Uint8Array, from: number): number {
  let at = chunk.indexOf(CR, from);
  while (at >= 0 && chunk[at + 1] !== LF) at = chunk.indexOf(CR, at + 1);
  return at;
}
