import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import os from "node:os";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LineWriter } from "../../../src/admin/line_writer.ts";

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-writer-`);
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("lines arrive whole and in order, whatever is appended meanwhile", () =>
  withFolder(async (folder) => {
    const fd = openSync(`${folder}/log`, "a");
    const writer = new LineWriter(fd);
    let expected = "";
    for (let batch = 0; batch < 20; batch++) {
      for (let line = 0; line < 50; line++) {
        const text = `${batch} ${line} ${"ä".repeat(line)}\n`;
        expected += text;
        assert.equal(writer.append(text), true);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await writer.idle();
    closeSync(fd);
    assert.equal(readFileSync(`${folder}/log`, "utf8"), expected);
    assert.equal(writer.takeDropped(), 0);
  }));

test("a write takes whole lines, so that others may append between two", () =>
  withFolder(async (folder) => {
    const fd = openSync(`${folder}/log`, "a");
    const other = openSync(`${folder}/log`, "a");
    const writer = new LineWriter(fd);
    for (let line = 0; line < 400; line++) writer.append(`${"a".repeat(1 + line * 97 % 4_095)}\n`);
    const idle = writer.idle().then(() => true);
    // Between two writes, the other one's lines get in.
    let others = 0;
    for (let done = false; !done; others++) {
      writeSync(other, "b\n");
      done = await Promise.race([
        idle,
        new Promise<false>((resolve) => setTimeout(() => resolve(false), 0)),
      ]);
    }
    closeSync(fd);
    closeSync(other);
    const lines = readFileSync(`${folder}/log`, "utf8").split("\n");
    assert.equal(lines.length, 400 + others + 1);
    assert.deepEqual(lines.filter((line) => !/^(a*|b)$/.test(line)), []);
  }));

test("what is left at the end of a process can be written at once", () =>
  withFolder(async (folder) => {
    const fd = openSync(`${folder}/log`, "a");
    const writer = new LineWriter(fd);
    writer.append("last words\n");
    writer.flushNow();
    assert.equal(readFileSync(`${folder}/log`, "utf8"), "last words\n");
    await writer.idle();
    closeSync(fd);
    assert.equal(readFileSync(`${folder}/log`, "utf8"), "last words\n", "and not twice");
  }));

/** The node:fs of Deno writes at once, so that there only a non-blocking pipe holds nobody up. */
const PIPES: readonly [kind: string, flag: number][] = [
  ["non-blocking ", constants.O_NONBLOCK],
  ...("Deno" in globalThis ? [] : [["", 0] as [string, number]]),
];

for (const [kind, flag] of PIPES) {
  test(`a ${kind}pipe that nobody reads holds nobody up, bounds memory, and drops are counted`, () =>
    withFolder(async (folder) => {
      await once(spawn("mkfifo", [`${folder}/pipe`]), "exit");
      const fd = openSync(`${folder}/pipe`, constants.O_RDWR | flag);
      const writer = new LineWriter(fd);
      const line = `${"x".repeat(999)}\n`;
      let taken = 0;
      for (let appended = 0; appended < 5_000; appended++) {
        if (writer.append(line)) taken++;
        if (appended % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      }
      assert.ok(taken < 2_500, `${taken} kB were kept`);
      assert.equal(writer.takeDropped(), 5_000 - taken);
      assert.equal(writer.takeDropped(), 0);
      // Once somebody reads, what was kept arrives.
      const reader = spawn("head", ["-c", String(taken * line.length), `${folder}/pipe`]);
      let octets = 0;
      reader.stdout.on("data", (chunk) => octets += chunk.length);
      await once(reader, "close");
      await writer.idle();
      closeSync(fd);
      assert.equal(octets, taken * line.length);
    }));
}

test("a file that cannot be written drops its lines and goes on", async () => {
  const fd = openSync("/dev/full", "a");
  const writer = new LineWriter(fd);
  writer.append("one\n");
  writer.append("two\n");
  await writer.idle();
  assert.equal(writer.takeDropped(), 2);
  writer.append("three\n");
  await writer.idle();
  assert.equal(writer.takeDropped(), 1);
  closeSync(fd);
});

test("the first line goes out at once, and those that follow closely share a write", () =>
  withFolder(async (folder) => {
    const fd = openSync(`${folder}/log`, "a");
    const writer = new LineWriter(fd, { gatherMs: 3_600_000 });
    const written = () => readFileSync(`${folder}/log`, "utf8");
    writer.append("first\n");
    while (written() === "") await nextTurn();
    for (let line = 0; line < 10; line++) {
      writer.append("more\n");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(written(), "first\n", "they wait for each other");
    writer.append("urgent\n", true);
    while (written() === "first\n") await nextTurn();
    const all = `first\n${"more\n".repeat(10)}urgent\n`;
    assert.equal(written(), all, "but for one that is urgent, which takes the others along");
    writer.append("last\n");
    await writer.idle();
    assert.equal(written(), `${all}last\n`, "and where somebody waits for them");
    closeSync(fd);
  }));
