import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { foreignMemory } from "../../../src/platform/foreign_functions.ts";
import { known, noWarmFiles } from "../../support/warm.ts";
import {
  factsOf,
  filesystemKnown,
  openWarm,
  openWarmFolder,
  warmFacts,
} from "../../../src/platform/warm_files.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-warm-`);

test("whether a filesystem is this machine's can be waited for, and asking is no mistake", {
  skip: noWarmFiles,
}, async () => {
  statSync(folder);
  await filesystemKnown(folder);
  assert.equal(warmFacts(folder, { follow: true })?.kind, "folder");
  await filesystemKnown("/proc/self");
  assert.equal(warmFacts("/proc/self", { follow: true }), undefined);
  await filesystemKnown(`${folder}/nothing`);
});

after(() => rmSync(folder, { recursive: true }));

/** Deno tells mtime in whole milliseconds and ctime in whole seconds. */
function comparable({ changedMs, modifiedMs, ...facts }: ReturnType<typeof factsOf>) {
  return {
    ...facts,
    changedS: Math.floor(changedMs / 1_000),
    modifiedMs: Math.floor(modifiedMs),
  };
}

test(
  "what is in memory is told at once, and the same as node:fs tells it",
  { skip: noWarmFiles },
  async () => {
    writeFileSync(`${folder}/file`, "twelve octets");
    mkdirSync(`${folder}/below`);
    for (const path of [`${folder}/file`, `${folder}/below`]) {
      const facts = await known(() => warmFacts(path, { follow: true }));
      assert.deepEqual(comparable(facts), comparable(factsOf(statSync(path))));
    }
  },
);

test("a link is followed or looked at, as asked", { skip: noWarmFiles }, async () => {
  symlinkSync(folder, `${folder}/link`);
  const followed = await known(() => warmFacts(`${folder}/link`, { follow: true }));
  assert.equal(followed.kind, "folder");
  const itself = await known(() => warmFacts(`${folder}/link`, { follow: false }));
  assert.deepEqual(comparable(itself), comparable(factsOf(lstatSync(`${folder}/link`))));
  assert.equal(itself.kind, "other");
});

test("a file is read from any place on, and tells its end", { skip: noWarmFiles }, async () => {
  const path = `${folder}/letters`;
  writeFileSync(path, "abcdefghij");
  const file = await known(() => openWarm(path));
  const memory = foreignMemory(64);
  assert.equal(file.facts.octets, 10);
  assert.equal(file.read(memory.subarray(0, 4), 0), 4);
  assert.equal(file.read(memory.subarray(4), 4), 6);
  assert.equal(new TextDecoder().decode(memory.subarray(0, 10)), "abcdefghij");
  assert.equal(file.read(memory, 10), 0);
  file.close();
});

test(
  "a file that lost its name can be opened again as long as it is open",
  { skip: noWarmFiles },
  async () => {
    const path = `${folder}/nameless`;
    writeFileSync(path, "still here");
    const file = await known(() => openWarm(path));
    unlinkSync(path);
    assert.equal(readFileSync(file.path, "latin1"), "still here");
    file.close();
  },
);

test("names that are no UTF-8 are taken as octets", { skip: noWarmFiles }, async () => {
  const path = `${folder}/plain`;
  writeFileSync(path, "x");
  const octets = new TextEncoder().encode(path);
  assert.equal((await known(() => warmFacts(octets, { follow: false }))).octets, 1);
});

test(
  "what is no plain file is not opened: links, folders, nothing",
  { skip: noWarmFiles },
  async () => {
    writeFileSync(`${folder}/real`, "x");
    symlinkSync(`${folder}/real`, `${folder}/to-real`);
    await known(() => warmFacts(`${folder}/real`, { follow: false }));
    for (const path of [`${folder}/to-real`, folder, `${folder}/nothing`, `${folder}/real/below`]) {
      assert.equal(openWarm(path), undefined, path);
    }
    assert.equal(warmFacts(`${folder}/nothing`, { follow: true }), undefined);
  },
);

test(
  "a path that no system takes is undefined: too long, or cut by NUL",
  { skip: noWarmFiles },
  async () => {
    writeFileSync(`${folder}/short`, "x");
    await known(() => warmFacts(`${folder}/short`, { follow: false }));
    assert.equal(warmFacts(`${folder}/short\0.old`, { follow: false }), undefined);
    assert.equal(openWarm(new TextEncoder().encode(`${folder}/short\0.old`)), undefined);
    const padding = "./".repeat(2_048 - folder.length);
    assert.equal(
      warmFacts(`${folder}/${padding}${"/".repeat(4_096)}short`, { follow: false }),
      undefined,
    );
  },
);

test("what is not of this machine's filesystems is never told", { skip: noWarmFiles }, async () => {
  for (let tries = 0; tries < 20; tries++) {
    assert.equal(warmFacts("/proc/self/status", { follow: true }), undefined);
    assert.equal(openWarm("/proc/self/status"), undefined);
    await sleep(5);
  }
});

test("nothing stays open", { skip: noWarmFiles }, async () => {
  const path = `${folder}/closed`;
  writeFileSync(path, "x");
  await known(() => warmFacts(path, { follow: false }));
  const before = openFiles();
  for (let times = 0; times < 100; times++) {
    warmFacts(path, { follow: true });
    openWarm(path)?.close();
    openWarm(folder);
    openWarmFolder(folder)?.close();
    openWarmFolder(path);
    openWarm("/proc/self/status");
  }
  assert.equal(openFiles(), before);
});

/** How many files this process has open. */
function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
