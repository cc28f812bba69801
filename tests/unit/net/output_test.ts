/** The output buffer against a socket that takes what it is given, or does not. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { OUTPUT_BATCH_OCTETS, STRANGER_BATCH_OCTETS } from "../../../src/limits.ts";
import { FakeSocket, outputTo, turns } from "./fake_socket.ts";

test("lines and octets that gather go out in one write", () => {
  const socket = new FakeSocket();
  const output = outputTo(socket);
  output.putLine("+OK one");
  assert.equal(output.put(Buffer.from("body\r\n.\r\n")), undefined);
  output.putLine("+OK zwölf");
  assert.equal(socket.writes.length, 0);
  assert.equal(output.flush(), undefined);
  assert.equal(socket.writes.length, 1);
  assert.equal(
    socket.writes[0]!.toString("utf8"),
    "+OK one\r\nbody\r\n.\r\n+OK zwölf\r\n",
  );
  assert.equal(output.octets, socket.writes[0]!.length);
});

test("with nothing gathered nothing is written", () => {
  const socket = new FakeSocket();
  const output = outputTo(socket);
  assert.equal(output.flush(), undefined);
  assert.equal(socket.writes.length, 0);
});

test("octets may be changed by who put them, once they are put", async () => {
  const socket = new FakeSocket();
  const output = outputTo(socket);
  const octets = Buffer.alloc(100_000, "a");
  await output.put(octets);
  octets.fill("b");
  await output.flush();
  assert.equal(socket.all, "a".repeat(100_000));
});

for (const size of [1, 7, 1_000, OUTPUT_BATCH_OCTETS - 1, OUTPUT_BATCH_OCTETS, 200_001]) {
  test(`a body in parts of ${size} octets arrives as it was, its terminator not alone`, async () => {
    const socket = new FakeSocket();
    const output = outputTo(socket);
    const body = Buffer.from(`${"0123456789abcdef".repeat(20_000)}\r\n.\r\n`);
    const total = size < 1_000 ? body.subarray(-(size * 100)) : body;
    output.putLine("+OK");
    for (let at = 0; at < total.length; at += size) {
      await output.put(total.subarray(at, at + size));
    }
    await output.flush();
    assert.equal(socket.all, `+OK\r\n${total.toString("latin1")}`);
    assert.ok(socket.writes.at(-1)!.length > ".\r\n".length);
    assert.equal(output.octets, socket.all.length);
  });
}

test("a terminator that would just not fit takes some of the body along", async () => {
  const socket = new FakeSocket();
  const output = outputTo(socket);
  await output.put(Buffer.alloc(OUTPUT_BATCH_OCTETS, "x"));
  await output.put(Buffer.from("\r\n.\r\n"));
  await output.flush();
  assert.equal(socket.writes.length, 2);
  assert.match(socket.writes[1]!.toString("latin1"), /^x+\r\n\.\r\n$/);
  assert.equal(socket.all, `${"x".repeat(OUTPUT_BATCH_OCTETS)}\r\n.\r\n`);
});

test("what gathers for a stranger is little, and more once he is known", async () => {
  const socket = new FakeSocket();
  const output = outputTo(socket, STRANGER_BATCH_OCTETS);
  const line = `+OK ${"x".repeat(94)}`;
  while (!output.full) output.putLine(line);
  assert.ok(output.octets < STRANGER_BATCH_OCTETS + 100);
  output.widen();
  assert.equal(output.full, true, "the buffer that is there stays as it is");
  await output.flush();
  const before = output.octets;
  while (!output.full) output.putLine(line);
  assert.ok(output.octets - before >= OUTPUT_BATCH_OCTETS);
  await output.put(Buffer.alloc(3 * OUTPUT_BATCH_OCTETS, "y"));
  await output.flush();
  assert.equal(socket.all.replaceAll(`${line}\r\n`, ""), "y".repeat(3 * OUTPUT_BATCH_OCTETS));
});

test("a body goes to a stranger whole, in many writes", async () => {
  const socket = new FakeSocket();
  const output = outputTo(socket, STRANGER_BATCH_OCTETS);
  output.putLine("+OK");
  await output.put(Buffer.alloc(100_000, "z"));
  await output.put(Buffer.from("\r\n.\r\n"));
  await output.flush();
  assert.equal(socket.all, `+OK\r\n${"z".repeat(100_000)}\r\n.\r\n`);
  assert.ok(Math.max(...socket.writes.map((octets) => octets.length)) <= STRANGER_BATCH_OCTETS);
});

test("who puts more than a buffer waits until the socket has taken what is before", async () => {
  const socket = new FakeSocket();
  socket.takesAtOnce = false;
  const output = outputTo(socket);
  const putting = output.put(Buffer.alloc(3 * OUTPUT_BATCH_OCTETS, "x"));
  let done = false;
  putting!.then(() => done = true);
  await turns();
  assert.equal(done, false);
  assert.ok(socket.writableLength <= OUTPUT_BATCH_OCTETS, "one write is under way");
  for (let taken = 0; taken < 10; taken++) {
    socket.take();
    await turns();
  }
  assert.equal(done, true);
  socket.take();
  await turns();
  const flushing = output.flush();
  socket.take();
  await flushing;
  assert.equal(socket.all, "x".repeat(3 * OUTPUT_BATCH_OCTETS));
});

test("a buffer that a socket still holds is used by nobody else", async () => {
  const slow = new FakeSocket();
  slow.takesAtOnce = false;
  const held = outputTo(slow);
  held.putLine("+OK held");
  const flushing = held.flush();
  assert.ok(flushing !== undefined);
  for (let other = 0; other < 40; other++) {
    const socket = new FakeSocket();
    const output = outputTo(socket);
    output.putLine("-ERR other");
    await output.flush();
  }
  slow.take();
  await flushing;
  assert.equal(slow.all, "+OK held\r\n");
});

test("a socket that is gone keeps nobody waiting and its buffer is used by nobody else", async () => {
  const gone = new FakeSocket();
  gone.takesAtOnce = false;
  const output = outputTo(gone);
  output.putLine("+OK held");
  const flushing = output.flush();
  gone.destroyed = true;
  output.abandon();
  await flushing;
  for (let other = 0; other < 40; other++) {
    const socket = new FakeSocket();
    const next = outputTo(socket);
    next.putLine("-ERR other");
    await next.flush();
  }
  gone.take();
  assert.equal(gone.all, "+OK held\r\n");
  assert.equal(output.put(Buffer.from("more")), undefined);
  assert.equal(output.flush(), undefined, "to nobody");
});

test("what follows a line that went beyond the batch comes whole", () => {
  const socket = new FakeSocket();
  const output = outputTo(socket);
  void output.put(Buffer.alloc(OUTPUT_BATCH_OCTETS - 3, "a"));
  output.putLine("+OK a line");
  assert.equal(output.full, true);
  assert.equal(output.put(Buffer.alloc(1_000, "b")), undefined);
  output.flush();
  const runs = socket.all.replace(/([ab])\1+/g, (run, letter) => `${letter}*${run.length} `);
  assert.equal(runs, `a*${OUTPUT_BATCH_OCTETS - 3} +OK a line\r\nb*1000 `);
});
