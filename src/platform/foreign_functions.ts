/**
 * Functions of the system's own libraries (C ABI), alike under both runtimes.
 *
 * A call blocks the thread that makes it, and a wrong declaration or a stale address ends the process:
 * call what may take long from a worker thread, and keep declarations beside the header they are from.
 * Only for 64-bit systems, which are all that the runtimes run on.
 *
 * *Knows*: which runtime this is. *Does not know*: any library.
 */

import { openUnderBun } from "./foreign_functions_bun.ts";
import { openUnderDeno } from "./foreign_functions_deno.ts";
import type {
  Callback,
  CallbackDeclaration,
  Declarations,
  ForeignInterface,
  Functions,
  Library,
  ValueOf,
  ValuesOf,
} from "./foreign_interface.ts";

export type { Callback, Declarations, Functions, Library } from "./foreign_interface.ts";

/** No library of the names could be opened, or the one that was lacks a function. */
export class LibraryMissing extends Error {
  override readonly name = "LibraryMissing";
  readonly tried: readonly string[];

  constructor(tried: readonly string[], reason: string) {
    super(`None of the libraries "${tried.join('", "')}" can be used: ${reason}`);
    this.tried = tried;
  }
}

const foreign: ForeignInterface = "Deno" in globalThis ? openUnderDeno() : openUnderBun();

/**
 * Opens the first library of `names` that is there and has all the functions.
 *
 * @param names Names for the system's loader, such as "libpam.so.0", or paths.
 * @throws {LibraryMissing} If there is none.
 */
export function openLibrary<const D extends Declarations>(
  names: readonly string[],
  declarations: D,
): Library<D> {
  let reason = "no name was given";
  for (const name of names) {
    try {
      const { functions, close } = foreign.open(name, declarations);
      return { name, functions: functions as unknown as Functions<D>, close };
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  throw new LibraryMissing(names, reason);
}

/**
 * Makes a function of ours callable by C, on the thread that made it and only while that thread is in a
 * call of ours to C. It must not throw: there is nobody above it to catch.
 */
export function openCallback<const D extends CallbackDeclaration>(
  { takes, gives }: D,
  call: (...values: ValuesOf<D["takes"]>) => ValueOf[D["gives"]],
): Callback {
  const called = call as unknown as (...values: (number | bigint)[]) => number | bigint | void;
  return foreign.openCallback({ takes, gives }, (...values) =>
    called(
      ...values.map((value, at) =>
        takes[at] === "pointer" || takes[at] === "u64" ? BigInt(value) : Number(value)
      ),
    ));
}

/**
 * Octets whose address stays what it is for as long as the array is referred to: an array of another
 * make may lie where a garbage collector moves things.
 */
export function foreignMemory(octets: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(octets));
}

/** The address of the first octet of what `foreignMemory` gave. The caller keeps the array alive. */
export function addressOf(octets: Uint8Array): bigint {
  return octets.length === 0 ? 0n : foreign.addressOf(octets);
}

/** A copy of what stands at an address. */
export function readMemory(address: bigint, octets: number): Uint8Array {
  if (octets === 0) return new Uint8Array();
  if (address === 0n) throw new RangeError("Cannot read memory at NULL");
  return foreign.readMemory(address, octets);
}

/** The memory at an address, which is never given back: it must be there as long as the process runs. */
export function memoryAt(address: bigint, octets: number): ArrayBuffer {
  if (address === 0n) throw new RangeError("There is no memory at NULL");
  return foreign.memoryAt(address, octets);
}

/**
 * The text at an address up to its NUL, or up to `maxOctets`; what is no UTF-8 becomes U+FFFD. "" at NULL.
 */
export function readText(address: bigint, maxOctets = 4_096): string {
  if (address === 0n) return "";
  const octets: number[] = [];
  // One at a time, since what follows the NUL may not be ours to read.
  for (let at = 0n; octets.length < maxOctets; at++) {
    const octet = foreign.readMemory(address + at, 1)[0]!;
    if (octet === 0) break;
    octets.push(octet);
  }
  return new TextDecoder().decode(Uint8Array.from(octets));
}
