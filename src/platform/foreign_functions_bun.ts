/** Foreign functions by `bun:ffi`, for foreign_functions.ts. */

import process from "node:process";
import type { ArgumentKind, Declarations, ForeignInterface } from "./foreign_interface.ts";

/** What is used of `bun:ffi`. Addresses are numbers there: they have at most 53 bits. */
interface BunFfi {
  dlopen(
    name: string,
    symbols: Record<string, { readonly args: readonly string[]; readonly returns: string }>,
  ): { readonly symbols: Record<string, (...values: unknown[]) => unknown>; close(): void };
  readonly JSCallback: new (
    call: (...values: (number | bigint)[]) => number | bigint | void,
    declaration: { readonly args: readonly string[]; readonly returns: string },
  ) => { readonly ptr: number; close(): void };
  ptr(octets: Uint8Array): number;
  toArrayBuffer(address: number, offset: number, octets: number): ArrayBuffer;
}

/** Addresses as u64, so that they are bigint like Deno's: the ABI hands both over alike. */
const TYPES: Readonly<Record<ArgumentKind | "none", string>> = {
  pointer: "u64",
  buffer: "ptr",
  i32: "i32",
  u32: "u32",
  u64: "u64",
  size: "u64",
  none: "void",
};

export function openUnderBun(): ForeignInterface {
  const ffi = process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
  return {
    open(name, declarations) {
      const { symbols, close } = ffi.dlopen(name, symbolsOf(declarations));
      const functions: Record<string, (...values: never[]) => unknown> = {};
      for (const [name, { gives }] of Object.entries(declarations)) {
        const call = symbols[name] as (...values: unknown[]) => unknown;
        functions[name] = gives === "size" ? (...values) => Number(call(...values)) : call;
      }
      return { functions, close };
    },
    addressOf: (octets) => BigInt(ffi.ptr(octets)),
    readMemory: (address, octets) =>
      new Uint8Array(ffi.toArrayBuffer(Number(address), 0, octets)).slice(),
    memoryAt: (address, octets) => ffi.toArrayBuffer(Number(address), 0, octets),
    openCallback({ takes, gives }, call) {
      const args = takes.map((kind) => TYPES[kind]);
      const callback = new ffi.JSCallback(call, { args, returns: TYPES[gives] });
      return { address: BigInt(callback.ptr), close: () => callback.close() };
    },
  };
}

function symbolsOf(declarations: Declarations) {
  return Object.fromEntries(
    Object.entries(declarations).map(([name, { takes, gives }]) => [
      name,
      { args: takes.map((kind) => TYPES[kind]), returns: TYPES[gives] },
    ]),
  );
}
