import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import {
  folderRecordsOpener,
  type OpenFolder,
  PLAIN_FILE,
  RECORD,
} from "../../../src/platform/folder_records.ts";
import { noListingThread } from "../../support/large_folder.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-records-é-`);
after(() => rmSync(folder, { recursive: true }));
for (let number = 0; number < 300; number++) writeFileSync(`${folder}/file ${number}`, "");
mkdirSync(`${folder}/folder`);
symlinkSync("nowhere", `${folder}/link`);

const skip = noListingThread;

/** Names by what they are of, read with so much memory at a time. */
function recordsOf(openFolder: OpenFolder, octets: number): Map<string, number> {
  const found = new Map<string, number>();
  const records = openFolder(folder)!;
  const memory = new Uint8Array(octets);
  for (let end; (end = records.read(memory)!) > 0;) {
    for (let at = 0; at < end;) {
      const from = at + RECORD.name;
      const name = new TextDecoder().decode(memory.subarray(from, memory.indexOf(0, from)));
      ok(!found.has(name), `${name} came twice`);
      found.set(name, memory[at + RECORD.kind]!);
      at += memory[at + RECORD.length]! | memory[at + RECORD.length + 1]! << 8;
    }
  }
  strictEqual(records.read(memory), 0);
  records.close();
  return found;
}

test("a folder's records hold every name once, and what it is of", { skip }, () => {
  for (const octets of [512, 131_072]) {
    const found = recordsOf(folderRecordsOpener()!, octets);
    const names = [...found.keys()].filter((name) => name !== "." && name !== "..");
    deepStrictEqual(names.sort(), readdirSync(folder).sort());
    const plain = found.get("file 0")!;
    // A filesystem may leave it open, for all of them then.
    if (plain === 0) continue;
    strictEqual(plain, PLAIN_FILE);
    ok(found.get("folder") !== PLAIN_FILE && found.get("link") !== PLAIN_FILE);
  }
});

test("what is no folder, or not there, is not opened", { skip }, () => {
  const openFolder = folderRecordsOpener()!;
  for (const path of [`${folder}/file 0`, `${folder}/none`, `${folder}/link`, `${folder}\0x`, ""]) {
    strictEqual(openFolder(path), undefined);
  }
});

test("a reading that fails says so", { skip }, () => {
  const records = folderRecordsOpener()!(folder)!;
  // No record goes into that.
  strictEqual(records.read(new Uint8Array(8)), undefined);
  records.close();
});
