/**
 * A message as a client sends it behind DATA (RFC 5321 §4.5.2), taken off the wire: of two dots that begin a line
 * one goes, and a dot alone ends the message. A line begins after CR LF, and nowhere else (§2.3.8). A single dot
 * before something else, which no client may send, stays: there is no telling that it was put there.
 *
 * However many dots there are, a chunk comes back as one, at a cost that depends on its octets alone: who sends
 * the message may be a stranger. Pure.
 */

const DOT = 46;
const CR = 13;
const LF = 10;
const NOTHING = new Uint8Array(0);

export interface Unstuffed {
  /** The message's next octets. */
  readonly octets: Uint8Array;
  /** What stands behind the end of the message; undefined before it. */
  readonly rest?: Uint8Array;
}

/** For one message, up to its end. */
export class DotUnstuffing {
  /** What only the next octets will tell: a CR, or a dot that begins a line and maybe a CR behind it. */
  #held: Uint8Array = NOTHING;
  /** Whether the next octet, or what is held, begins a line. */
  #beginsLine = true;

  push(chunk: Uint8Array): Unstuffed {
    if (chunk.length === 0) return { octets: NOTHING };
    const whole = joined(this.#held, chunk);
    const octets = new Uint8Array(whole.length);
    let length = 0;
    let from = 0;
    const takeUpTo = (end: number) => {
      octets.set(whole.subarray(from, end), length);
      length += end - from;
      from = end;
    };
    let dot = this.#beginsLine && whole[0] === DOT ? 0 : nextLineWithDot(whole, 0);
    for (; dot >= 0; dot = nextLineWithDot(whole, dot + 1)) {
      const [next, afterNext] = [whole[dot + 1], whole[dot + 2]];
      if (next === CR && afterNext === LF) {
        takeUpTo(dot);
        return { octets: octets.subarray(0, length), rest: whole.subarray(dot + 3) };
      }
      if (next === DOT) {
        takeUpTo(dot);
        from = dot + 1;
      } else if (next === undefined || (next === CR && afterNext === undefined)) {
        takeUpTo(dot);
        this.#hold(whole.subarray(dot), true);
        return { octets: octets.subarray(0, length) };
      }
    }
    const last = whole[whole.length - 1];
    takeUpTo(last === CR ? whole.length - 1 : whole.length);
    this.#hold(whole.subarray(from), last === LF && whole[whole.length - 2] === CR);
    return { octets: octets.subarray(0, length) };
  }

  #hold(octets: Uint8Array, beginsLine: boolean): void {
    this.#held = octets.slice();
    this.#beginsLine = beginsLine;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Where the next dot stands that has CR LF before it; -1 if nowhere. */
function nextLineWithDot(octets: Uint8Array, from: number): number {
  let at = octets.indexOf(DOT, from);
  while (at >= 0 && (at < from + 2 || octets[at - 1] !== LF || octets[at - 2] !== CR)) {
    at = octets.indexOf(DOT, at + 1);
  }
  return at;
}
