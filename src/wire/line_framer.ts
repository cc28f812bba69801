/**
 * Cuts what a client sends into lines.
 *
 * A line ends at LF; one CR before it is dropped with it. A line that is longer than its limit is
 * reported once, as soon as that is certain, and its tail up to the LF is never seen by anybody.
 *
 * Cost: linear in the octets, also when they drip in one by one, since the framer remembers how far
 * it has searched and its buffer grows by a quarter. Memory: what was pushed and not yet taken; while
 * a line that is too long is being thrown away, nothing is kept.
 *
 * *Does not know* what a line means.
 */

const CR = 13;
const LF = 10;
const NOTHING = new Uint8Array(0);

export class LineFramer {
  /** Octets `#start` to `#end` are pending. Taken octets are never overwritten: lines stay valid. */
  #buffer: Uint8Array = NOTHING;
  #start = 0;
  #end = 0;
  /** No LF is in `#start` to `#searched`. */
  #searched = 0;
  #discarding = false;

  /** Octets that are held. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Whether what comes next is thrown away, up to the end of a line that is too long. */
  get discarding(): boolean {
    return this.#discarding;
  }

  /** Whether the next line begins with `word`, which is upper-case ASCII, in any letter case. */
  beginsWith(word: string): boolean {
    if (this.pending < word.length) return false;
    for (let at = 0; at < word.length; at++) {
      const octet = this.#buffer[this.#start + at]!;
      const upper = octet >= 97 && octet <= 122 ? octet - 32 : octet;
      if (upper !== word.charCodeAt(at)) return false;
    }
    return true;
  }

  /** Takes the next octets; the framer keeps the array, so nobody may change it afterwards. */
  push(chunk: Uint8Array): void {
    if (this.#discarding) {
      const lf = chunk.indexOf(LF);
      if (lf < 0) return;
      this.#discarding = false;
      chunk = chunk.subarray(lf + 1);
    }
    if (chunk.length === 0) return;
    if (this.pending === 0) {
      this.#buffer = chunk;
      this.#start = this.#searched = 0;
      this.#end = chunk.length;
      return;
    }
    this.#append(chunk);
  }

  /**
   * Returns the next line without its end, "too-long" for one that exceeds `limitOctets` with its end,
   * or undefined when no whole line is there.
   */
  next(limitOctets: number): Uint8Array | "too-long" | undefined {
    const lf = this.#indexOfLf();
    if (lf < 0) {
      this.#searched = this.#end;
      // Its LF is still to come, so the line will be at least one octet longer than what is here.
      if (this.pending < limitOctets) return undefined;
      this.discardAll();
      this.#discarding = true;
      return "too-long";
    }
    const start = this.#start;
    this.#start = this.#searched = lf + 1;
    if (lf + 1 - start > limitOctets) return "too-long";
    const end = lf > start && this.#buffer[lf - 1] === CR ? lf - 1 : lf;
    return this.#buffer.subarray(start, end);
  }

  /** Forgets all pending octets, as at STLS: nothing read before TLS may be used after it. */
  discardAll(): void {
    this.#buffer = NOTHING;
    this.#start = this.#end = this.#searched = 0;
    this.#discarding = false;
  }

  #indexOfLf(): number {
    if (this.#end === this.#buffer.length) return this.#buffer.indexOf(LF, this.#searched);
    // The room behind `#end` is not searched, or dripping octets would cost its length each.
    const lf = this.#buffer.subarray(this.#searched, this.#end).indexOf(LF);
    return lf < 0 ? -1 : this.#searched + lf;
  }

  #append(chunk: Uint8Array): void {
    // An adopted chunk is full, so that this makes room before anything is written.
    if (this.#end + chunk.length > this.#buffer.length) {
      const pending = this.pending;
      const needed = pending + chunk.length;
      const grown = new Uint8Array(needed + Math.max(256, needed >> 2));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#searched -= this.#start;
      this.#buffer = grown;
      this.#start = 0;
      this.#end = pending;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }
}
