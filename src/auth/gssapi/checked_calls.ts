/**
 * Calls of GSS-API whose status is looked at, and what the library says of those that fail.
 *
 * *Knows* status codes as the library gives them. *Does not know* what they mean for a login.
 */

import { BufferSlot, CallMemory, NumberSlot } from "./foreign_values.ts";
import type { GssapiFunctions } from "./library.ts";

/** 1.2.840.113554.1.2.2 (RFC 4121 §1). */
export const KERBEROS_5 = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02);

const GSS_C_GSS_CODE = 1;
const GSS_C_MECH_CODE = 2;
/** Everything but the supplementary bits. */
const ERRORS = 0xffff_0000;
/** GSS_S_NO_CRED and GSS_S_FAILURE, as the third octet of a status: what failed is in the minor status. */
const TOLD_BY_MINOR: ReadonlySet<number> = new Set([7, 13]);

/** Of what the library says, this many characters at most. */
const WORDS_CHARACTERS = 300;

export class CallFailed extends Error {
  readonly major: number;
  readonly minor: number;

  /** @param words The library's own, which may have names in them that the client has sent. */
  constructor(major: number, minor: number, words: string) {
    super(words);
    this.major = major;
    this.minor = minor;
  }
}

export class CheckedCalls {
  readonly gss: GssapiFunctions;
  readonly #minor = new NumberSlot();

  constructor(gss: GssapiFunctions) {
    this.gss = gss;
  }

  /** For the minor status of the call that `must` is told the major status of. */
  get minor(): Uint8Array {
    return this.#minor.memory;
  }

  /** @throws {CallFailed} If the status is one of an error. */
  must(major: number): void {
    if ((major & ERRORS) === 0) return;
    const minor = this.#minor.value;
    throw new CallFailed(major >>> 0, minor, this.#wordsOf(major >>> 0, minor));
  }

  /**
   * The octets that a call gives.
   *
   * @throws {CallFailed} If the call fails.
   */
  take(call: (output: Uint8Array) => number): Uint8Array {
    const output = new BufferSlot();
    try {
      this.must(call(output.memory));
      return output.octets;
    } finally {
      this.releaseBuffer(output);
    }
  }

  releaseBuffer(buffer: BufferSlot): void {
    this.gss.gss_release_buffer(scratch(), buffer.memory);
  }

  #wordsOf(major: number, minor: number): string {
    const byMinor = minor !== 0 && TOLD_BY_MINOR.has((major >>> 16) & 0xff);
    const [status, kind] = byMinor ? [minor, GSS_C_MECH_CODE] : [major, GSS_C_GSS_CODE];
    const memory = new CallMemory();
    const text = new BufferSlot();
    this.gss.gss_display_status(
      scratch(),
      status,
      kind,
      memory.oid(KERBEROS_5),
      new NumberSlot().memory,
      text.memory,
    );
    const words = new TextDecoder().decode(text.octets);
    this.releaseBuffer(text);
    memory.release();
    // What the library says of garbage for which it has no code.
    return words === "Success" ? "" : words.slice(0, WORDS_CHARACTERS);
  }
}

/** For a minor status that nobody asks about: the one of a failure is to stay. */
export function scratch(): Uint8Array {
  return new NumberSlot().memory;
}
