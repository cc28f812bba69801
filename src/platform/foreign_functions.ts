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

/**
 * How a value is handed over.
 * - `pointer`: an address, 0n for NULL.
 * - `buffer`: the octets of an array, for the time of the call only. The callee may write to them.
 * - `size`: `size_t`, as a number.
 */
export type ArgumentKind = "pointer" | "buffer" | "i32" | "u32" | "u64" | "size";

/** `none` is `void`. */
export type ResultKind = Exclude<ArgumentKind, "buffer"> | "none";

export interface Declaration {
  readonly takes: readonly ArgumentKind[];
  readonly gives: ResultKind;
}

export type Declarations = Readonly<Record<string, Declaration>>;

/** What stands for a value of a kind in JavaScript. */
export interface ValueOf {
  readonly pointer: bigint;
  readonly buffer: Uint8Array;
  readonly i32: number;
  readonly u32: number;
  readonly u64: bigint;
  readonly size: number;
  readonly none: void;
}

type ValuesOf<Kinds extends readonly ArgumentKind[]> = {
  -readonly [I in keyof Kinds]: ValueOf[Kinds[I]];
};

export type Functions<D extends Declarations> = {
  readonly [Name in keyof D]: (...values: ValuesOf<D[Name]["takes"]>) => ValueOf[D[Name]["gives"]];
};

export interface Library<D extends Declarations> {
  /** The name by which it was found. */
  readonly name: string;
  readonly functions: Functions<D>;
  /** No function of it may be called afterwards. */
  close(): void;
}

/** How a function of ours looks to C. */
export interface CallbackDeclaration {
  readonly takes: readonly Exclude<ArgumentKind, "buffer">[];
  readonly gives: ResultKind;
}

/** A function of ours that C can call. */
export interface Callback {
  readonly address: bigint;
  /** Nobody may call it afterwards. */
  close(): void;
}

/** What one runtime has to offer; the values of calls are as in `ValueOf`. */
export interface ForeignInterface {
  open(name: string, declarations: Declarations): {
    readonly functions: Readonly<Record<string, (...values: never[]) => unknown>>;
    close(): void;
  };
  addressOf(octets: Uint8Array): bigint;
  /** A copy. */
  readMemory(address: bigint, octets: number): Uint8Array;
  /** Values come as the runtime has them: a number or a bigint. */
  openCallback(
    declaration: CallbackDeclaration,
    call: (...values: (number | bigint)[]) => number | bigint | void,
  ): Callback;
}

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
