/**
 * Whether a message is an Internet message ([MS-STANXPOP3] C0011, RFC 5322), as far as its octets tell, read once from
 * beginning to end in pieces of any size. Of its header what is needed is kept, up to a limit; of its body nothing.
 *
 * Pure. *Knows* lines and header fields. *Does not know* what is in a field; field_contents.ts does.
 */

import { Buffer, isUtf8 } from "node:buffer";

/** Octets that a line may have, without its end (RFC 5322 §2.1.1). */
const LINE_OCTETS = 998;

/** Most that is kept of a header. */
const HEADER_OCTETS = 262_144;

const CR = 0x0d;
const LF = 0x0a;

/** Fields that a message has once at most (RFC 5322 §3.6). */
const ONCE = new Set([
  ...["date", "from", "sender", "reply-to", "to", "cc", "bcc"],
  ...["message-id", "in-reply-to", "references", "subject"],
]);

/** What a name of a field is made of (RFC 5322 §3.6.8). */
const FIELD = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/;

export interface MessageForm {
  /** What is wrong, a clause each, without a subject. */
  readonly faults: readonly string[];
  /** The first field of each name that a message has once at most, unfolded, by its name in lower case. */
  readonly fields: ReadonlyMap<string, string>;
}

export class FormReader {
  #header: Buffer[] = [];
  #headerOctets = 0;
  /** Whether the empty line behind the header has come. */
  #isBody = false;
  /** Octets of the line that has not ended, the CR at its end too. */
  #lineOctets = 0;
  #previous = -1;
  #octets = 0;
  #hasNul = false;
  #hasBareCr = false;
  #longestLine = 0;

  /** Takes the next octets, which are looked at at once. */
  push(octets: Uint8Array): void {
    const chunk = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    this.#octets += chunk.length;
    this.#hasNul ||= chunk.includes(0);
    let from = 0;
    while (from < chunk.length) {
      const found = chunk.indexOf(LF, from);
      const end = found < 0 ? chunk.length : found;
      this.#takePart(chunk.subarray(from, end));
      if (found < 0) return;
      this.#endLine();
      from = found + 1;
    }
  }

  /** Takes octets of a line, none of which is its LF. */
  #takePart(part: Buffer): void {
    if (part.length === 0) return;
    // A CR that anything but LF follows.
    if (this.#previous === CR) this.#hasBareCr = true;
    const cr = part.indexOf(CR);
    if (cr >= 0 && cr < part.length - 1) this.#hasBareCr = true;
    if (!this.#isBody && this.#headerOctets < HEADER_OCTETS) {
      this.#header.push(Buffer.from(part.subarray(0, HEADER_OCTETS - this.#headerOctets)));
      this.#headerOctets += part.length;
    }
    this.#lineOctets += part.length;
    this.#previous = part[part.length - 1]!;
  }

  #endLine(): void {
    const octets = this.#previous === CR ? this.#lineOctets - 1 : this.#lineOctets;
    this.#longestLine = Math.max(this.#longestLine, octets);
    if (!this.#isBody) {
      if (octets === 0) this.#isBody = true;
      else if (this.#headerOctets < HEADER_OCTETS) {
        this.#header.push(Buffer.of(LF));
        this.#headerOctets++;
      }
    }
    this.#lineOctets = 0;
    this.#previous = LF;
  }

  /** What there is to say of the whole message; call it once, after the last octets. */
  end(): MessageForm {
    this.#longestLine = Math.max(this.#longestLine, this.#lineOctets);
    const faults: string[] = [];
    const fields = this.#readHeader(faults);
    if (this.#hasNul) faults.push("has a NUL in it");
    if (this.#hasBareCr || this.#previous === CR) faults.push("has a CR without LF in it");
    if (this.#longestLine > LINE_OCTETS) {
      faults.push(`has a line of ${this.#longestLine} octets, and ${LINE_OCTETS} are allowed`);
    }
    return { faults, fields };
  }

  #readHeader(faults: string[]): ReadonlyMap<string, string> {
    const fields = new Map<string, string>();
    const counts = new Map<string, number>();
    const octets = Buffer.concat(this.#header);
    let current: string | undefined;
    let [found, others] = [0, 0];
    for (const [number, ended] of octets.toString("latin1").split("\n").entries()) {
      const line = ended.replace(/\r$/, "");
      if (line === "") continue;
      if (number === 0 && line.startsWith("From ")) {
        faults.push("begins with the line of an mbox file (From ...)");
        continue;
      }
      if (/^[ \t]/.test(line) && found > 0) {
        if (current !== undefined) fields.set(current, fields.get(current) + line);
        continue;
      }
      const name = FIELD.exec(line)?.[1]?.toLowerCase();
      current = undefined;
      if (name === undefined) {
        others++;
        continue;
      }
      found++;
      if (!ONCE.has(name)) continue;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (counts.get(name)! > 1) continue;
      current = name;
      fields.set(name, line.slice(line.indexOf(":") + 1));
    }
    if (found === 0) return faults.push("has no header"), fields;
    if (others > 0) faults.push("has a line in its header that is no header field");
    if (this.#headerOctets >= HEADER_OCTETS) faults.push("has a header of 256 KiB or more");
    for (const name of ["from", "date"]) {
      if (!counts.has(name)) faults.push(`has no ${titleOf(name)}`);
    }
    for (const [name, count] of counts) {
      if (count > 1) faults.push(`has ${titleOf(name)} ${count} times`);
    }
    if (octets.some((octet) => octet > 0x7f)) {
      faults.push(
        isUtf8(octets)
          ? "has UTF-8 in its header, which is allowed by RFC 6532 alone"
          : "has octets above 127 in its header that are no UTF-8",
      );
    }
    return fields;
  }
}

/** A field's name as it is written mostly. */
function titleOf(name: string): string {
  return name === "message-id"
    ? "Message-ID"
    : name.replace(/(^|-)./g, (letter) => letter.toUpperCase());
}
