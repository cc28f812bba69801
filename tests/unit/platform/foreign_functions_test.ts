import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { test } from "node:test";
import {
  addressOf,
  foreignMemory,
  LibraryMissing,
  openCallback,
  openLibrary,
  readMemory,
  readText,
} from "../../../src/platform/foreign_functions.ts";

const C_LIBRARY = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

const { functions: libc } = openLibrary(C_LIBRARY, {
  getpid: { takes: [], gives: "i32" },
  abs: { takes: ["i32"], gives: "i32" },
  ntohl: { takes: ["u32"], gives: "u32" },
  strlen: { takes: ["buffer"], gives: "size" },
  strnlen: { takes: ["pointer", "size"], gives: "size" },
  memcpy: { takes: ["buffer", "pointer", "size"], gives: "pointer" },
  llabs: { takes: ["u64"], gives: "u64" },
  calloc: { takes: ["size", "size"], gives: "pointer" },
  strdup: { takes: ["buffer"], gives: "pointer" },
  free: { takes: ["pointer"], gives: "none" },
});

function foreignText(text: string): Uint8Array {
  const memory = foreignMemory(Buffer.byteLength(text) + 1);
  memory.set(Buffer.from(text));
  return memory;
}

test("a function of the system's library is called", () => {
  strictEqual(libc.getpid(), process.pid);
});

test("numbers of each kind go there and come back", () => {
  strictEqual(libc.abs(-2_147_483_647), 2_147_483_647);
  strictEqual(libc.ntohl(0x0100_00ff), 0xff00_0001);
  strictEqual(libc.llabs(0x7fff_ffff_ffff_fff1n), 0x7fff_ffff_ffff_fff1n);
});

test("the callee reads the octets of a buffer", () => {
  strictEqual(libc.strlen(foreignText("seven..")), 7);
});

test("the callee finds memory at the address that we say it has", () => {
  const text = foreignText("eight...");
  strictEqual(libc.strnlen(addressOf(text), 100), 8);
  strictEqual(libc.strnlen(addressOf(text), 3), 3);
});

test("the address of memory stays what it is while garbage is collected", () => {
  const kept = Array.from({ length: 64 }, (_, i) => foreignText(`text ${i}`));
  const addresses = kept.map(addressOf);
  for (let i = 0; i < 200; i++) new Array(10_000).fill(i);
  deepStrictEqual(kept.map(addressOf), addresses);
  deepStrictEqual(
    addresses.map((address) => readText(address)),
    kept.map((_, i) => `text ${i}`),
  );
});

test("what the callee writes to a buffer is there afterwards", () => {
  const from = foreignText("written");
  const to = foreignMemory(7);
  strictEqual(libc.memcpy(to, addressOf(from), 7), addressOf(to));
  strictEqual(Buffer.from(to).toString(), "written");
});

test("memory of the library's is read, and given back", () => {
  const address = libc.strdup(foreignText("caf\u00e9"));
  ok(typeof address === "bigint" && address !== 0n);
  strictEqual(readText(address), "caf\u00e9");
  strictEqual(readText(address, 3), "caf");
  const copy = readMemory(address, 4);
  libc.free(address);
  deepStrictEqual([...copy], [0x63, 0x61, 0x66, 0xc3]);
});

test("what was read is a copy", () => {
  const text = foreignText("before");
  const copy = readMemory(addressOf(text), 6);
  text.set(Buffer.from("after "));
  strictEqual(Buffer.from(copy).toString(), "before");
});

test("nothing is read at NULL", () => {
  throws(() => readMemory(0n, 1), RangeError);
  strictEqual(readText(0n), "");
  strictEqual(addressOf(foreignMemory(0)), 0n);
  strictEqual(readMemory(0n, 0).length, 0);
});

test("the first library of several names that is there is taken", () => {
  const library = openLibrary(["libthere_is_no_such.so.9", ...C_LIBRARY], {
    getpid: { takes: [], gives: "i32" },
  });
  ok(C_LIBRARY.includes(library.name));
  strictEqual(library.functions.getpid(), process.pid);
  library.close();
});

test("a library that is not there is told by all the names that were tried", () => {
  throws(
    () => openLibrary(["libno_such_a.so", "libno_such_b.so"], {}),
    (error) => {
      ok(error instanceof LibraryMissing);
      deepStrictEqual(error.tried, ["libno_such_a.so", "libno_such_b.so"]);
      ok(error.message.includes("libno_such_b.so"), error.message);
      return true;
    },
  );
});

test("a library that lacks a function cannot be used", () => {
  throws(
    () => openLibrary(C_LIBRARY, { no_such_function_at_all: { takes: [], gives: "i32" } }),
    LibraryMissing,
  );
});

test("the library calls a function of ours, with what it has and takes what we say", () => {
  const { functions: sorting, close } = openLibrary(C_LIBRARY, {
    qsort: { takes: ["buffer", "size", "size", "pointer"], gives: "none" },
  });
  const octets = foreignMemory(5);
  octets.set([3, 1, 4, 1, 5]);
  const kinds = new Set<string>();
  const descending = openCallback({ takes: ["pointer", "pointer"], gives: "i32" }, (one, other) => {
    kinds.add(typeof one);
    return readMemory(other, 1)[0]! - readMemory(one, 1)[0]!;
  });
  sorting.qsort(octets, octets.length, 1, descending.address);
  descending.close();
  close();
  deepStrictEqual([...octets], [5, 4, 3, 1, 1]);
  deepStrictEqual([...kinds], ["bigint"]);
});
