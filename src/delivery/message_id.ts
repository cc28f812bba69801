/**
 * The Message-ID of a message that passes by, for the log: by it a mail system's log and ours are about one
 * message. Pure.
 */

import { Buffer } from "node:buffer";

/** How far into a message it is looked for, octets. */
const LOOKED_AT_OCTETS = 65_536;

/** RFC 5322 §2.1.1 has lines of 998 octets at most. */
const ID_CHARACTERS = 250;

const HEADER = /^[^]*?(?:\r?\n(?=\r?\n)|$)/;
const FIELD = /^Message-ID[ \t]*:[ \t]*(?:\r?\n[ \t]+)?(\S+)/im;

export class MessageIdWatch {
  #octets: Buffer[] = [];
  #count = 0;

  /** Looks at octets of the message, in order. */
  push(octets: Uint8Array): void {
    if (this.#count >= LOOKED_AT_OCTETS) return;
    const part = octets.subarray(0, LOOKED_AT_OCTETS - this.#count);
    this.#octets.push(Buffer.from(part));
    this.#count += part.length;
  }

  /** Undefined if the header has none as far as it was looked at. */
  get messageId(): string | undefined {
    const header = HEADER.exec(Buffer.concat(this.#octets).toString("latin1"))?.[0] ?? "";
    return FIELD.exec(header)?.[1]?.slice(0, ID_CHARACTERS);
  }
}
