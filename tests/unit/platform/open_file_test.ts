/** That open files say and do what those of `node:fs` do; and that no call of theirs keeps who makes it. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { constants, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type FileStats, type OpenFile, openFileOf } from "../../../src/platform/open_file.ts";
import { HangingFilesystem, noHangingFilesystem } from "../../support/hanging_filesystem.ts";

const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } = constants;

const folder = mkdtempSync(`${tmpdir()}/popkeep-open-file-`);

after(() => rmSync(folder, { recursive: true }));

async function opened(path: string, flags: number): Promise<OpenFile> {
  return openFileOf(await open(path, flags, 0o600));
}

test("what is written stands one behind the other, and is read from where it is asked for", async () => {
  const file = await opened(`${folder}/written`, O_RDWR | O_CREAT | O_APPEND);
  const octets = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251);
  strictEqual((await file.write(octets, 0, 150_000)).bytesWritten, 150_000);
  strictEqual((await file.write(octets, 150_000, 50_000)).bytesWritten, 50_000);
  await file.datasync();
  await file.sync();
  const read = new Uint8Array(20);
  strictEqual((await file.read(read, 3, 10, 199_995)).bytesRead, 5);
  deepStrictEqual([...read.subarray(0, 9)], [0, 0, 0, ...octets.subarray(199_995), 0]);
  strictEqual((await file.read(read, 0, 10, 200_000)).bytesRead, 0);
  await file.truncate(1_000);
  await file.close();
  deepStrictEqual(new Uint8Array(readFileSync(`${folder}/written`)), octets.subarray(0, 1_000));
});

test("text is a character an octet, however much there is", async () => {
  const octets = Uint8Array.from({ length: 300_001 }, (_, at) => at % 256);
  writeFileSync(`${folder}/text`, octets);
  const file = await opened(`${folder}/text`, O_RDONLY);
  const text = await file.readFile("latin1");
  await file.close();
  strictEqual(text.length, octets.length);
  ok([...text].every((character, at) => character.charCodeAt(0) === octets[at]));
});

test("it says of itself what its path says", async () => {
  const path = `${folder}/facts`;
  writeFileSync(path, "five\n");
  for (
    const [of, flags] of [[path, O_RDONLY], [folder, O_RDONLY], ["/dev/null", O_RDONLY]] as const
  ) {
    const file = await opened(of, flags);
    deepStrictEqual(factsOf(await file.stat()), factsOf(await stat(of)), of);
    await file.close();
  }
  const file = await opened(path, O_RDWR);
  await file.chmod(0o640);
  await file.chown(process.getuid!(), process.getgid!());
  strictEqual((await file.stat()).mode & 0o777, 0o640);
  await file.close();
  strictEqual(statSync(path).mode & 0o777, 0o640);
});

function factsOf(stats: FileStats): Record<string, unknown> {
  const { dev, ino, mode, nlink, uid, gid, size, mtimeMs, ctimeMs, birthtimeMs } = stats;
  const kinds = [stats.isFile(), stats.isDirectory()];
  return { dev, ino, mode, nlink, uid, gid, size, mtimeMs, ctimeMs, birthtimeMs, kinds };
}

test("what goes wrong has the system's name", async () => {
  const path = `${folder}/wrong`;
  writeFileSync(path, "text");
  const reading = await opened(path, O_RDONLY);
  await rejects(reading.write(new Uint8Array(4), 0, 4), { code: "EBADF" });
  await rejects(reading.truncate(1), { code: "EINVAL" });
  await reading.close();
  const writing = await opened(path, O_WRONLY);
  await rejects(writing.read(new Uint8Array(4), 0, 4, 0), { code: "EBADF" });
  await rejects(writing.readFile("latin1"), { code: "EBADF" });
  await writing.close();
  const full = await opened("/dev/full", O_WRONLY);
  await rejects(full.write(new Uint8Array(4), 0, 4), { code: "ENOSPC" });
  await rejects(full.sync(), { code: "EINVAL" });
  await full.close();
  strictEqual(readFileSync(path, "utf8"), "text");
});

test("a closed file's number is free", async () => {
  const numbers = new Set<number>();
  for (let times = 0; times < 50; times++) {
    const file = await opened(`${folder}/number`, O_WRONLY | O_CREAT);
    numbers.add(file.fd);
    await file.close();
  }
  ok(numbers.size < 10, `${numbers.size} numbers`);
});

test("what is asked of a closed file reaches no other that has its number by now", async () => {
  const closed = await opened(`${folder}/closed`, O_RDWR | O_CREAT);
  const number = closed.fd;
  await closed.close();
  strictEqual(closed.fd, -1);
  // One of these has the number where the system gives the lowest that is free.
  const others = await Promise.all(
    Array.from({ length: 20 }, (_, at) => opened(`${folder}/other${at}`, O_RDWR | O_CREAT)),
  );
  const octets = new Uint8Array(4).fill(0x78);
  for (const other of others) await other.write(octets, 0, 4);
  if ("Deno" in globalThis) ok(others.some(({ fd }) => fd === number), "nobody has its number");
  const calls: [string, () => Promise<unknown>][] = [
    ["read", () => closed.read(new Uint8Array(4), 0, 4, 0)],
    ["readFile", () => closed.readFile("latin1")],
    ["write", () => closed.write(octets, 0, 4)],
    ["stat", () => closed.stat()],
    ["datasync", () => closed.datasync()],
    ["sync", () => closed.sync()],
    ["truncate", () => closed.truncate(0)],
    ["chown", () => closed.chown(process.getuid!(), process.getgid!())],
    ["chmod", () => closed.chmod(0o600)],
  ];
  for (const [name, call] of calls) await rejects(call(), { code: "EBADF" }, name);
  await closed.close();
  for (const [at, other] of others.entries()) {
    const read = new Uint8Array(8);
    strictEqual((await other.read(read, 0, 8, 0)).bytesRead, 4, `${at}`);
    await other.close();
    strictEqual(readFileSync(`${folder}/other${at}`, "latin1"), "xxxx");
  }
});

test("a filesystem that hangs keeps nobody who asks for something else", {
  skip: noHangingFilesystem,
}, async () => {
  const disk = await HangingFilesystem.mount();
  try {
    const octets = new Uint8Array(100);
    // Not close(), for which bindfs is not asked.
    const calls: [string, (file: OpenFile) => Promise<unknown>][] = [
      ["write", (file) => file.write(octets, 0, 100)],
      ["datasync", (file) => file.datasync()],
      ["sync", (file) => file.sync()],
      ["truncate", (file) => file.truncate(10)],
      ["chmod", (file) => file.chmod(0o640)],
    ];
    for (const [name, call] of calls) {
      const file = await opened(`${disk.path}/${name}`, O_RDWR | O_CREAT);
      await file.write(octets, 0, 100);
      // Who is kept cannot end it. Before it hangs, since a process that is started closes what is open there.
      const rescue = disk.answerLater(20);
      disk.hang();
      let isDone = false;
      const done = call(file).finally(() => isDone = true);
      await sleep(50);
      strictEqual(isDone, false, `${name} was waited for`);
      disk.answer();
      rescue();
      await done;
      await file.close();
    }
  } finally {
    await disk.remove();
  }
});
