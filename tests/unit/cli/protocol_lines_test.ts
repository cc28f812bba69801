/** A worker's lines for the protocol log, and a supervisor that takes them slowly or never. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ProtocolLinesToSupervisor } from "../../../src/cli/workers/protocol_lines.ts";
import type { ProtocolLine } from "../../../src/cli/workers/task.ts";
import { logged } from "../auth/guessing_setup.ts";

const TIME = new Date(Date.UTC(2026, 10, 23));

/** What was sent, and what lets the supervisor take it. */
function link() {
  const sent: (readonly ProtocolLine[])[] = [];
  const taken: PromiseWithResolvers<void>[] = [];
  const ask = (_question: string, value: unknown) => {
    sent.push(value as readonly ProtocolLine[]);
    const answer = Promise.withResolvers<void>();
    taken.push(answer);
    return answer.promise;
  };
  return { sent, taken, lines: new ProtocolLinesToSupervisor({ ask }) };
}

test("lines of one turn go together, later ones when those have arrived, in their order", async () => {
  const { sent, taken, lines } = link();
  lines.append("one\r\n", TIME);
  lines.append("two\r\n", TIME);
  await turn();
  lines.append("three\r\n", TIME);
  await turn();
  assert.deepEqual(sent, [[["one\r\n", +TIME], ["two\r\n", +TIME]]]);
  let closed = false;
  const closing = lines.close().then(() => closed = true);
  taken[0]!.resolve();
  await turn();
  assert.deepEqual(sent[1], [["three\r\n", +TIME]]);
  assert.equal(closed, false, "the last line has not arrived");
  taken[1]!.resolve();
  await closing;
});

test("a supervisor that takes nothing costs lines, which are counted, and not memory", async () => {
  const { sent, taken, lines } = link();
  const records = await logged(async () => {
    lines.append("first", TIME);
    await turn();
    const long = "x".repeat(1_000);
    for (let at = 0; at < 5_000; at++) lines.append(long, TIME);
    assert.equal(sent.length, 1);
    taken[0]!.resolve();
    await turn();
    taken[1]!.resolve();
    await lines.close();
  });
  const kept = sent[1]!.length;
  assert.ok(kept > 1_000 && kept < 1_100, `${kept}`);
  assert.deepEqual(records.map(({ properties }) => properties["count"]), [5_000 - kept]);
});

test("a supervisor that is gone holds up nobody", async () => {
  const { taken, lines } = link();
  lines.append("line", TIME);
  await turn();
  taken[0]!.reject(new Error("gone"));
  await lines.close();
});
