import { deepStrictEqual } from "node:assert/strict";
import type { Dirent } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  EntryNames,
  KnownInfos,
  type ListedNames,
  RecordNames,
} from "../../../src/maildir/listed_names.ts";
import { staged } from "../../../src/maildir/name_blocks.ts";
import { fileNamesAreExact } from "../../../src/platform/file_names.ts";

/** `d_type` values: not known, FIFO, folder, plain file, link. */
const KINDS = [0, 1, 4, 8, 10];

interface Entry {
  readonly name: string;
  readonly kind: number;
}

/** The records that getdents64(2) would give. */
function recordsOf(entries: readonly Entry[]): Uint8Array {
  const octets: number[] = [];
  for (const { name, kind } of entries) {
    const length = Math.ceil((19 + name.length + 1) / 8) * 8;
    const record = new Uint8Array(length).fill(0xee);
    record[16] = length & 255;
    record[17] = length >> 8;
    record[18] = kind;
    for (let at = 0; at < name.length; at++) record[19 + at] = name.charCodeAt(at);
    record[19 + name.length] = 0;
    octets.push(...record);
  }
  return Uint8Array.from(octets);
}

function direntsOf(entries: readonly Entry[]): Dirent[] {
  return entries.map(({ name, kind }) => ({ name, isFile: () => kind === 8 }) as Dirent);
}

function taken(names: ListedNames) {
  const all: { uniqueName: string; info: string; isFile: boolean }[] = [];
  while (names.stageNext()) {
    all.push({ uniqueName: staged.text, info: names.info, isFile: names.isFile });
  }
  return { all, unreadable: names.unreadable };
}

const ascii = fc.constantFrom("a", "1", ".", ":", ",", "S", "2");
/** Octets of names; where the runtime cannot hand out all, only what it can. */
const octet = fileNamesAreExact
  ? fc.oneof(ascii, fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)))
  : ascii;
const name = fc.oneof(
  fc.string({ unit: octet, minLength: 1, maxLength: 20 }),
  fc.string({ unit: octet, minLength: 250, maxLength: 260 }),
  fc.nat({ max: 40 }).map((number) => `17.M1.h:2,${"S".repeat(number)}`),
);

test("records tell the same as what node:fs lists", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name, kind: fc.constantFrom(...KINDS) }), { maxLength: 40 }),
      (entries) => {
        const records = new RecordNames(recordsOf(entries), new KnownInfos(), 4_096);
        deepStrictEqual(taken(records), taken(new EntryNames(direntsOf(entries))));
      },
    ),
  );
});

test("dots and names with nothing before their info are no messages", () => {
  const entries = [".", "..", ".a:2,S", ":2,S", "a:2,S", "b:", "c"].map((name) => {
    return { name, kind: 8 };
  });
  const names = taken(new RecordNames(recordsOf(entries), new KnownInfos(), 4_096));
  deepStrictEqual(names, {
    all: [
      { uniqueName: "a", info: ":2,S", isFile: true },
      { uniqueName: "b", info: ":", isFile: true },
      { uniqueName: "c", info: "", isFile: true },
    ],
    unreadable: 0,
  });
});

test("a name of 255 octets is whole, and a longer one is none", () => {
  const entries = [`${"n".repeat(251)}:2,S`, "m".repeat(255), "l".repeat(256), "k"].map((name) => {
    return { name, kind: 8 };
  });
  const { all } = taken(new RecordNames(recordsOf(entries), new KnownInfos(), 4_096));
  deepStrictEqual(
    all.map(({ uniqueName, info }) => uniqueName + info),
    [entries[0]!.name, entries[1]!.name, "k"],
  );
});

test("only a kind that says so makes a name a plain file's", () => {
  const entries = KINDS.map((kind) => ({ name: `k${kind}`, kind }));
  const { all } = taken(new RecordNames(recordsOf(entries), new KnownInfos(), 4_096));
  deepStrictEqual(all.filter(({ isFile }) => isFile).map(({ uniqueName }) => uniqueName), ["k8"]);
});

test("names that are not UTF-8 are left out where the runtime cannot open them", () => {
  const entries = ["\xe9", "\xc3\xa9", "\xef\xbf\xbd", "a"].map((name) => ({ name, kind: 8 }));
  const { all, unreadable } = taken(
    new RecordNames(recordsOf(entries), new KnownInfos(), 4_096),
  );
  const names = all.map(({ uniqueName }) => uniqueName);
  deepStrictEqual(
    { names, unreadable },
    fileNamesAreExact
      ? { names: ["\xe9", "\xc3\xa9", "\xef\xbf\xbd", "a"], unreadable: 0 }
      : { names: ["\xc3\xa9", "a"], unreadable: 2 },
  );
});
