import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Channel, type ChannelEnd, ChannelFault } from "../../../../src/net/workers/channel.ts";

interface Side {
  readonly channel: Channel;
  readonly heard: unknown[];
}

/** Two ends, and the streams between them. */
function pair(asked: ChannelEnd["asked"] = () => Promise.resolve(null)) {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const side = (input: PassThrough, output: PassThrough): Side => {
    const heard: unknown[] = [];
    const channel = new Channel(input, output, {
      asked,
      told: (event, value) => heard.push([event, value]),
      ended: (reason) => heard.push(reason === undefined ? "ended" : reason.message),
    });
    return { channel, heard };
  };
  return { one: side(back, there), other: side(there, back), there, back };
}

test("what is told arrives in order, with its value", async () => {
  const { one, other } = pair();
  one.channel.tell("first", { text: "line\nend €" });
  one.channel.tell("second");
  await turn();
  assert.deepEqual(other.heard, [["first", { text: "line\nend €" }], ["second", undefined]]);
});

test("each question gets its own answer, whatever is answered first", async () => {
  const held = Promise.withResolvers<string>();
  const { one } = pair((question, value) =>
    question === "slow" ? held.promise : Promise.resolve([question, value])
  );
  const slow = one.channel.ask("slow");
  assert.deepEqual(await one.channel.ask("quick", 7), ["quick", 7]);
  held.resolve("at last");
  assert.equal(await slow, "at last");
});

test("who cannot answer says so", async () => {
  const { one } = pair(() => Promise.reject(new Error("no such question")));
  await assert.rejects(
    one.channel.ask("what"),
    (error) => error instanceof ChannelFault && error.message === "no such question",
  );
});

test("a message may come octet by octet, and several at once", async () => {
  const { other, there } = pair();
  const octets = Buffer.from('{"tell":"a","value":"€"}\n{"tell":"b"}\n');
  for (const octet of octets) there.write(Buffer.of(octet));
  there.write(Buffer.concat([octets, octets]));
  await turn();
  assert.equal(other.heard.length, 6);
  assert.deepEqual(other.heard.slice(0, 2), [["a", "€"], ["b", undefined]]);
});

for (const said of ["no JSON", "7", "null", '{"id":"1"}', "{}"]) {
  test(`what is no message ends the channel: ${said}`, async () => {
    const { other, there } = pair();
    const waiting = assert.rejects(other.channel.ask("anything"), ChannelFault);
    there.write(`${said}\n{"tell":"after"}\n`);
    await waiting;
    await turn();
    assert.deepEqual(other.heard, ["Something was said that is no message"]);
  });
}

test("a line without an end ends the channel before it takes all memory", async () => {
  const { other, there } = pair();
  const piece = "x".repeat(1_048_576);
  for (let at = 0; at < 20; at++) {
    there.write(piece);
    await turn();
  }
  assert.deepEqual(other.heard, ["A message is too long"]);
});

test("the other side's end fails what waits, once, and what is asked later", async () => {
  const { one, back } = pair(() => new Promise(() => {}));
  const waiting = assert.rejects(one.channel.ask("never answered"), ChannelFault);
  back.end();
  await waiting;
  await assert.rejects(one.channel.ask("later"), ChannelFault);
  one.channel.tell("into nothing");
  one.channel.close();
  await turn();
  assert.deepEqual(one.heard, ["ended"]);
});

test("who takes nothing any more does not fill our memory", async () => {
  const { one } = pair();
  const stuck = new PassThrough({ highWaterMark: 1 });
  const heard: unknown[] = [];
  const channel = new Channel(new PassThrough(), stuck, {
    asked: () => Promise.resolve(null),
    told: () => {},
    ended: (reason) => heard.push(reason?.message),
  });
  for (let at = 0; at < 80; at++) {
    channel.tell("much", "x".repeat(1_048_576));
    await turn();
  }
  assert.deepEqual(heard, ["The other process takes nothing any more"]);
  one.channel.close();
});
