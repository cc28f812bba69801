/**
 * The C values that GSS-API calls take and give, laid out by hand (64-bit ABI, little endian).
 *
 * What C is given addresses of has to live until the call is over: all of it is made by one `CallMemory`,
 * which keeps it until `release`.
 *
 * *Knows* the layouts of gssapi.h (RFC 2744). *Does not know* what is done with them.
 */

import { addressOf, foreignMemory, readMemory } from "../../platform/foreign_functions.ts";

const POINTER_OCTETS = 8;

/** A pointer-sized variable that C writes to: a handle, or an address. */
export class PointerSlot {
  readonly memory = foreignMemory(POINTER_OCTETS);
  readonly #view = new DataView(this.memory.buffer);

  get value(): bigint {
    return this.#view.getBigUint64(0, true);
  }

  set value(address: bigint) {
    this.#view.setBigUint64(0, address, true);
  }
}

/** An `OM_uint32` or `int` that C writes to. */
export class NumberSlot {
  readonly memory = foreignMemory(4);
  readonly #view = new DataView(this.memory.buffer);

  get value(): number {
    return this.#view.getUint32(0, true);
  }

  set value(number: number) {
    this.#view.setUint32(0, number, true);
  }
}

/** `gss_buffer_desc { size_t length; void *value; }`, for what C gives. */
export class BufferSlot {
  readonly memory = foreignMemory(2 * POINTER_OCTETS);
  readonly #view = new DataView(this.memory.buffer);

  /** A copy of what it holds; the caller still has gss_release_buffer to call. */
  get octets(): Uint8Array {
    const length = Number(this.#view.getBigUint64(0, true));
    return readMemory(this.#view.getBigUint64(POINTER_OCTETS, true), length);
  }
}

/** Makes what one call needs, and keeps it from the garbage collector. */
export class CallMemory {
  #kept: Uint8Array[] = [];

  /** Lets go of everything: after the call. */
  release(): void {
    this.#kept = [];
  }

  /** The octets, where C can find them. */
  octets(octets: Uint8Array): Uint8Array {
    const memory = this.#make(octets.length);
    memory.set(octets);
    return memory;
  }

  /** The address of a NUL-terminated text. */
  text(text: string): bigint {
    return addressOf(this.octets(new TextEncoder().encode(`${text}\0`)));
  }

  /** `gss_buffer_desc` around a copy of the octets. */
  buffer(octets: Uint8Array): Uint8Array {
    return this.#struct([BigInt(octets.length), addressOf(this.octets(octets))]);
  }

  /** `gss_OID_desc { OM_uint32 length; void *elements; }`, padded to two words. */
  oid(elements: Uint8Array): Uint8Array {
    return this.buffer(elements);
  }

  /** `gss_OID_set_desc { size_t count; gss_OID elements; }` of one. */
  oidSet(elements: Uint8Array): Uint8Array {
    return this.#struct([1n, addressOf(this.oid(elements))]);
  }

  /**
   * `gss_key_value_set_desc { OM_uint32 count; gss_key_value_element_desc *elements; }`, whose elements
   * are pairs of texts.
   */
  keyValues(pairs: readonly (readonly [key: string, value: string])[]): Uint8Array {
    const elements = this.#struct(pairs.flat().map((text) => this.text(text)));
    return this.#struct([BigInt(pairs.length), addressOf(elements)]);
  }

  /**
   * `gss_channel_bindings_struct`: address type and address of the initiator, the same of the acceptor,
   * all empty, and the application data (RFC 5056 §2.1, RFC 2744 §3.11).
   */
  channelBindings(applicationData: Uint8Array): Uint8Array {
    const none = [0n, 0n, 0n];
    const data = [BigInt(applicationData.length), addressOf(this.octets(applicationData))];
    return this.#struct([...none, ...none, ...data]);
  }

  /** A structure of words; a 32-bit number takes a word too, since pointers follow it. */
  #struct(words: readonly bigint[]): Uint8Array {
    const memory = this.#make(words.length * POINTER_OCTETS);
    const view = new DataView(memory.buffer);
    words.forEach((word, i) => view.setBigUint64(i * POINTER_OCTETS, word, true));
    return memory;
  }

  #make(octets: number): Uint8Array {
    const memory = foreignMemory(octets);
    this.#kept.push(memory);
    return memory;
  }
}
