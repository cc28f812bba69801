/** Foreign functions by `Deno.dlopen`, for foreign_functions.ts. Needs --allow-ffi. */

import type { ArgumentKind, Declarations, ForeignInterface } from "./foreign_interface.ts";

/** Addresses as u64: what is an object of Deno's own otherwise is a bigint then. */
const TYPES = {
  pointer: "u64",
  buffer: "buffer",
  i32: "i32",
  u32: "u32",
  u64: "u64",
  size: "usize",
  none: "void",
} as const satisfies Record<ArgumentKind | "none", Deno.NativeResultType>;

export function openUnderDeno(): ForeignInterface {
  return {
    open(name, declarations) {
      const library = Deno.dlopen(name, symbolsOf(declarations));
      const functions: Record<string, (...values: never[]) => unknown> = {};
      for (const [name, { gives }] of Object.entries(declarations)) {
        const call = library.symbols[name] as (...values: unknown[]) => unknown;
        functions[name] = gives === "size" ? (...values) => Number(call(...values)) : call;
      }
      return { functions, close: () => library.close() };
    },
    addressOf: (octets) =>
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(octets as Uint8Array<ArrayBuffer>)),
    readMemory(address, octets) {
      const copy = new Uint8Array(octets);
      new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!).copyInto(copy);
      return copy;
    },
    memoryAt: (address, octets) =>
      Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(address)!, octets),
    openCallback({ takes, gives }, call) {
      const parameters = takes.map((kind) => TYPES[kind]);
      const callback = new Deno.UnsafeCallback(
        { parameters, result: TYPES[gives] },
        call as (...values: unknown[]) => number | bigint,
      );
      return {
        address: Deno.UnsafePointer.value(callback.pointer),
        close: () => callback.close(),
      };
    },
  };
}

function symbolsOf(declarations: Declarations): Record<string, Deno.ForeignFunction> {
  return Object.fromEntries(
    Object.entries(declarations).map(([name, { takes, gives }]) => [
      name,
      { parameters: takes.map((kind) => TYPES[kind]), result: TYPES[gives] },
    ]),
  );
}
