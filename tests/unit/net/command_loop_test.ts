/** The loop between lines and answers, with a session that says what the test wants. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  LONG_SASL_LINES,
  LONG_SASL_LINES_OF_ADDRESS,
  OUTPUT_BATCH_OCTETS,
  TURN_COMMANDS,
} from "../../../src/limits.ts";
import { CommandLoop } from "../../../src/net/command_loop.ts";
import { Sweep } from "../../../src/net/sweep.ts";
import type { Answer, DrawnBody } from "../../../src/session/answer.ts";
import type { Session } from "../../../src/session/session.ts";
import { FakeSocket, outputTo, turns } from "./fake_socket.ts";

type Answering = (line: string) => Answer | Promise<Answer>;

const echo: Answering = (line) => ({ line: `+OK ${line}`, next: "read" });

function loopWith(
  answering: Answering,
  { socket = new FakeSocket(), address = "192.0.2.1" } = {},
) {
  const session = {
    expects: "command",
    state: "TRANSACTION",
    receive: (line: Uint8Array) => answering(Buffer.from(line).toString("latin1")),
    receiveTooLong: () => ({ line: "-ERR line too long", next: "read" }),
  };
  const loop = new CommandLoop({
    session: session as unknown as Session,
    output: outputTo(socket),
    sweep: new Sweep(1_000),
    maxCommandOctets: 100,
    address,
  });
  return { loop, socket, session };
}

async function send(loop: CommandLoop, text: string): Promise<string> {
  loop.push(Buffer.from(text));
  return await loop.run();
}

test("replies to commands that came together go out in one write", async () => {
  const { loop, socket } = loopWith(echo);
  assert.equal(await send(loop, "a\r\nb\nc\r\nunfinish"), "idle");
  assert.equal(socket.writes.length, 1);
  assert.equal(socket.all, "+OK a\r\n+OK b\r\n+OK c\r\n");
  assert.equal(await send(loop, "ed\r\n"), "idle");
  assert.equal(socket.all, "+OK a\r\n+OK b\r\n+OK c\r\n+OK unfinished\r\n");
});

test("what needs no waiting is answered and written at once, to the last line", () => {
  const { loop, socket } = loopWith((line) =>
    line === "quit" ? { line: "+OK bye", next: "close" } : echo(line)
  );
  loop.push(Buffer.from("a\r\nb\r\n"));
  assert.equal(loop.run(), "idle");
  assert.equal(loop.running, false);
  assert.equal(socket.all, "+OK a\r\n+OK b\r\n");
  loop.push(Buffer.from("c\r\nquit\r\nd\r\n"));
  assert.equal(loop.run(), "close");
  assert.equal(loop.running, false);
});

test("a fault that comes at once is thrown, and the loop stands still", () => {
  const { loop } = loopWith(() => {
    throw new Error("a fault of ours");
  });
  loop.push(Buffer.from("a\r\n"));
  assert.throws(() => loop.run(), /a fault of ours/);
  assert.equal(loop.running, false);
});

test("one command at a time: the next waits for the answer before it", async () => {
  const seen: string[] = [];
  let answer: (() => void) | undefined;
  const { loop, socket } = loopWith((line) => {
    seen.push(line);
    return new Promise((resolve) => answer = () => resolve({ line: `+OK ${line}`, next: "read" }));
  });
  const running = send(loop, "first\r\nsecond\r\n");
  await turns();
  assert.deepEqual(seen, ["first"]);
  answer?.();
  await turns();
  assert.deepEqual(seen, ["first", "second"]);
  answer?.();
  assert.equal(await running, "idle");
  assert.equal(socket.all, "+OK first\r\n+OK second\r\n");
});

test("a response of several lines goes out with its first line, its terminator and what follows", async () => {
  const { loop, socket } = loopWith((line) =>
    line === "retr"
      ? { line: "+OK 4 octets", body: Buffer.from("ab\r\n.\r\n"), next: "read" }
      : { line: "+OK", next: "read" }
  );
  await send(loop, "retr\r\nnoop\r\n");
  assert.deepEqual(socket.writes.map(String), ["+OK 4 octets\r\nab\r\n.\r\n+OK\r\n"]);
});

test("a line that is too long has one answer, and its tail is no command", async () => {
  const { loop, socket } = loopWith(echo);
  await send(loop, "x".repeat(200));
  await send(loop, "STAT".repeat(200));
  await send(loop, "\r\nnext\r\n");
  assert.equal(socket.all, "-ERR line too long\r\n+OK next\r\n");
});

for (const next of ["close", "start-tls"] as const) {
  test(`after an answer that says ${next} no line is answered`, async () => {
    const { loop, socket } = loopWith((line) => ({ line: `+OK ${line}`, next }));
    assert.equal(await send(loop, "one\r\ntwo\r\n"), next);
    assert.equal(loop.lastLine, "+OK one");
    assert.equal(loop.pending, "two\r\n".length);
    assert.equal(socket.all, "", "it is put and not flushed");
  });
}

test("nothing is drawn from a body while the socket is full", async () => {
  const socket = new FakeSocket();
  socket.takesAtOnce = false;
  let drawn = 0;
  function* body(): Iterable<Uint8Array> {
    for (; drawn < 100; drawn++) yield Buffer.alloc(OUTPUT_BATCH_OCTETS, "x");
  }
  const { loop } = loopWith(() => ({ line: "+OK", body: body(), next: "read" }), { socket });
  const running = send(loop, "retr\r\n");
  await turns();
  const drawnBefore = drawn;
  assert.ok(drawnBefore < 3, `${drawnBefore} drawn`);
  assert.equal(loop.sending, true);
  for (let waited = 0; waited < 5; waited++) await turns();
  assert.equal(drawn, drawnBefore);
  while (drawn < 100) {
    socket.take();
    await turns();
  }
  for (let last = 0; last < 5; last++) {
    socket.take();
    await turns();
  }
  assert.equal(await running, "idle");
  assert.equal(socket.all.length, "+OK\r\n".length + 100 * OUTPUT_BATCH_OCTETS);
});

test("what comes at once is put before anything is awaited, also when the client does not read", async () => {
  const socket = new FakeSocket();
  socket.takesAtOnce = false;
  const lent = Buffer.alloc(OUTPUT_BATCH_OCTETS + 5_000);
  const bodies = ["a", "b", "c", "d"];
  const { loop } = loopWith(() => {
    lent.fill(bodies.shift()!);
    // Whoever comes next uses the same memory.
    queueMicrotask(() => lent.fill("!"));
    return { line: "+OK", body: lent, next: "read" };
  }, { socket });
  const running = send(loop, "retr\r\nretr\r\nretr\r\nretr\r\n");
  for (let last = 0; last < 8; last++) {
    await turns();
    socket.take();
  }
  assert.equal(await running, "idle");
  // As runs of letters: nobody wants to read 280 kB of them when it fails.
  const runs = socket.all.replace(/([a-d!])\1*/g, (run, letter) => `${letter}*${run.length} `);
  const wanted = ["a", "b", "c", "d"].map((letter) => `+OK\r\n${letter}*${lent.length} `);
  assert.equal(runs, wanted.join(""));
});

test("a body that fails ends the loop, without anything after its last part", async () => {
  const parts = [Buffer.from("part\r\n")];
  const body: DrawnBody = {
    draw: () => parts.shift() ?? turns().then(() => Promise.reject(new Error("the disk is gone"))),
    leave() {},
  };
  const { loop, socket } = loopWith(() => ({ line: "+OK", body, next: "read" }));
  await assert.rejects(send(loop, "retr\r\nnoop\r\n"), /the disk is gone/);
  assert.ok(!socket.all.includes("\r\n.\r\n"));
  assert.equal(loop.running, false);
});

test("a loop that is stopped closes the body that it is in and answers nothing more", async () => {
  const socket = new FakeSocket();
  socket.takesAtOnce = false;
  let closed = false;
  const body: DrawnBody = {
    draw: () => Promise.resolve(Buffer.alloc(OUTPUT_BATCH_OCTETS, "x")),
    leave: () => void (closed = true),
  };
  const { loop } = loopWith(() => ({ line: "+OK", body, next: "read" }), { socket });
  const running = send(loop, "retr\r\nnoop\r\n");
  await turns();
  socket.destroyed = true;
  loop.stop();
  assert.equal(await running, "stopped");
  assert.equal(closed, true);
});

test("a loop that is stopped while a command is under way drops its answer", async () => {
  let answer: (() => void) | undefined;
  const { loop, socket } = loopWith(() =>
    new Promise((resolve) => answer = () => resolve({ line: "+OK late", next: "read" }))
  );
  const running = send(loop, "slow\r\n");
  await turns();
  loop.stop();
  answer?.();
  assert.equal(await running, "stopped");
  assert.equal(socket.all, "");
});

test("what was said before a login goes out before the login is through", async () => {
  let answer: (() => void) | undefined;
  const { loop, socket, session } = loopWith((line) =>
    line === "USER a"
      ? { line: "+OK user", next: "read" }
      : new Promise((resolve) => answer = () => resolve({ line: "+OK in", next: "read" }))
  );
  session.state = "AUTHORIZATION";
  const running = send(loop, "USER a\r\nPASS b\r\n");
  await turns();
  assert.equal(socket.all, "+OK user\r\n");
  answer?.();
  await running;
  assert.equal(socket.all, "+OK user\r\n+OK in\r\n");
});

test("a long pipeline that never waits lets others have their turn", async () => {
  const { loop, socket } = loopWith(echo);
  let othersTurns = 0;
  let over = false;
  const other = () => {
    othersTurns++;
    if (!over) setImmediate(other);
  };
  setImmediate(other);
  await send(loop, "noop\r\n".repeat(2_000));
  over = true;
  assert.ok(othersTurns >= 5, `${othersTurns} turns`);
  assert.equal(socket.all, "+OK noop\r\n".repeat(2_000));
});

test("a command that comes alone waits for few of those who pipeline, symptom: NOOP took 600 ms", async () => {
  let answered = 0;
  const counting: Answering = (line) => {
    answered++;
    return echo(line);
  };
  const busy = Array.from({ length: 200 }, (_, at) => {
    const { loop } = loopWith(counting, { address: `192.0.2.${at}` });
    loop.push(Buffer.from("noop\r\n".repeat(1_000)));
    return loop;
  });
  const running = busy.map((loop) => loop.run());
  // What all do before the event loop comes round is bounded, and so is what they do in each further turn.
  assert.ok(answered <= 200 * TURN_COMMANDS / 8, `${answered} answers at once`);
  await new Promise((resolve) => setImmediate(resolve));
  const before = answered;
  const { loop, socket } = loopWith(echo);
  assert.equal(await send(loop, "noop\r\n"), "idle");
  assert.equal(socket.all, "+OK noop\r\n");
  assert.equal(answered, before, "nobody was waited for");
  assert.deepEqual(new Set(await Promise.all(running)), new Set(["idle"]));
  assert.equal(answered, 200_000);
});

test("a thousand strangers who all send a password at once keep nobody waiting who is logged in", async () => {
  let answered = 0;
  const running = Array.from({ length: 1_000 }, (_, at) => {
    const { loop, session } = loopWith((line) => {
      answered++;
      return echo(line);
    }, { address: `192.0.2.${at % 250}` });
    session.state = "AUTHORIZATION";
    loop.push(Buffer.from("PASS wrong\r\n"));
    return loop.run();
  });
  assert.ok(answered > 0 && answered <= 50, `${answered} answers at once`);
  const before = answered;
  const { loop, socket } = loopWith(echo);
  loop.push(Buffer.from("noop\r\n"));
  assert.equal(loop.run(), "idle");
  assert.equal(socket.all, "+OK noop\r\n");
  assert.equal(answered, before);
  assert.deepEqual(new Set(await Promise.all(running)), new Set(["idle"]));
  assert.equal(answered, 1_000);
});

test("one address with many sessions takes no turn of others", async () => {
  const order: string[] = [];
  const from = (address: string) => {
    const noting: Answering = (line) => {
      if (line === "end") order.push(address);
      return echo(line);
    };
    const { loop } = loopWith(noting, { address });
    loop.push(Buffer.from(`${"noop\r\n".repeat(5 * TURN_COMMANDS)}end\r\n`));
    return loop;
  };
  const loops = [...Array.from({ length: 100 }, () => from("192.0.2.1")), from("198.51.100.1")];
  await Promise.all(loops.map((loop) => loop.run()));
  assert.ok(order.indexOf("198.51.100.1") < 20, `it came ${order.indexOf("198.51.100.1")}th`);
});

test("octets that come without a whole line are no activity, a command is", async () => {
  const { loop } = loopWith(echo);
  const before = loop.activeMs;
  await turns();
  await send(loop, "noo");
  assert.equal(loop.activeMs, before);
  await send(loop, "p\r\n");
  assert.ok(loop.activeMs > before);
});

test("AUTH may have a whole token behind it, and no other command may be as long", async () => {
  const { loop, socket, session } = loopWith((line) => ({
    line: `+OK ${line.length}`,
    next: "read",
  }));
  session.state = "AUTHORIZATION";
  const token = "x".repeat(4_000);
  await send(loop, `auth XOAUTH2 ${token}\r\nAUTHX ${token}\r\nNOOP ${token}\r\n`);
  session.state = "TRANSACTION";
  await send(loop, `AUTH XOAUTH2 ${token}\r\n`);
  const long = "-ERR line too long\r\n";
  assert.equal(socket.all, `+OK 4013\r\n${long}${long}${long}`);
});

test("a long AUTH has its limit too, and its tail is never a command", async () => {
  const { loop, socket, session } = loopWith(echo);
  session.state = "AUTHORIZATION";
  await send(loop, "AUTH XOAUTH2 ");
  for (let part = 0; part < 13; part++) await send(loop, "y".repeat(1_000));
  await send(loop, "STAT\r\nNOOP\r\n");
  assert.equal(socket.all, "-ERR line too long\r\n+OK NOOP\r\n");
});

/** Loops that each wait for a response of up to 80,000 octets. */
function waitingForLong(count: number, addressOf: (at: number) => string) {
  return Array.from({ length: count }, (_, at) => {
    const made = loopWith((line) => ({ line: `+OK ${line.length}`, next: "read" }), {
      address: addressOf(at),
    });
    Object.assign(made.session, { expects: "sasl-response", responseLineOctets: 80_000 });
    return made;
  });
}

test("responses longer than usual are for a bounded number of clients at a time", async () => {
  const loops = waitingForLong(LONG_SASL_LINES + 1, (at) => `192.0.2.${at % 200}`);
  for (const { loop } of loops) await send(loop, "z".repeat(20_000));
  assert.deepEqual(loops.map(({ socket }) => socket.all), [
    ...Array(LONG_SASL_LINES).fill(""),
    "-ERR line too long\r\n",
  ]);
  // One that is done and one that is gone leave their places.
  await send(loops[0]!.loop, "\r\n");
  assert.equal(loops[0]!.socket.all, "+OK 20000\r\n");
  loops[1]!.loop.stop();
  for (const at of [0, LONG_SASL_LINES]) {
    await send(loops[at]!.loop, `\r\n${"z".repeat(20_000)}`);
    await send(loops[at]!.loop, "\r\n");
    assert.ok(loops[at]!.socket.all.endsWith("+OK 20000\r\n"));
  }
  for (const { loop } of loops) loop.stop();
});

test("one address cannot take all the places for responses longer than usual", async () => {
  const greedy = waitingForLong(LONG_SASL_LINES_OF_ADDRESS + 1, () => "192.0.2.66");
  const [honest] = waitingForLong(1, () => "198.51.100.1");
  for (const { loop } of greedy) await send(loop, "z".repeat(20_000));
  assert.equal(greedy.at(-1)!.socket.all, "-ERR line too long\r\n");
  await send(honest!.loop, `${"z".repeat(20_000)}\r\n`);
  assert.equal(honest!.socket.all, "+OK 20000\r\n");
  for (const { loop } of greedy) loop.stop();
});
