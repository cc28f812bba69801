/** Looks for octets above 127 in a message's header, the part before the first blank line. */

const LF = 10;
const CRLF_OCTETS = 2;

/** Takes canonical chunks until it knows; for one message. */
export class HeaderScan {
  #lineOctets = 0;
  #over = false;
  #eightBit = false;

  /** Whether the answer is known: an octet was found, or the header is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the header holds an octet above 127, as far as was looked. */
  get eightBit(): boolean {
    return this.#eightBit;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#over; at++) {
      const octet = chunk[at]!;
      this.#lineOctets++;
      if (octet > 127) this.#eightBit = this.#over = true;
      if (octet !== LF) continue;
      if (this.#lineOctets === CRLF_OCTETS) this.#over = true;
      this.#lineOctets = 0;
    }
  }
}
