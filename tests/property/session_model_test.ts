/** A session against a model of RFC 1939 that is as plain as can be: marks, numbers, sizes, UPDATE. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { MemoryStore } from "../support/memory_store.ts";
import { storedMessage, testProperty } from "../support/property.ts";
import { SessionClient } from "../support/session_client.ts";

type Step =
  | { readonly line: "STAT" | "LIST" | "UIDL" | "RSET" | "NOOP" }
  | {
    readonly line: "LIST n" | "UIDL n" | "RETR n" | "DELE n" | "TOP n 2";
    readonly number: number;
  }
  | { readonly event: "deliver" | "unlink" | "rename" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ line: fc.constantFrom("STAT", "LIST", "UIDL", "RSET", "NOOP") }),
  fc.record({
    line: fc.constantFrom("LIST n", "UIDL n", "RETR n", "DELE n", "TOP n 2"),
    number: fc.nat({ max: 6 }),
  }),
  fc.record({ event: fc.constantFrom("deliver", "unlink", "rename") }),
) as fc.Arbitrary<Step>;

interface Known {
  readonly octets: Uint8Array;
  readonly uniqueId: string;
  readonly size: number;
}

function canonical(stored: Uint8Array): string {
  const text = Buffer.from(stored).toString("latin1").replace(/\r?\n/g, "\r\n");
  return text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`;
}

function unstuff(body: string): string {
  assert.ok(body.endsWith(".\r\n"));
  return body.slice(0, -3).replace(/(^|\n)\./g, "$1");
}

class Model {
  readonly messages: readonly Known[];
  readonly gone = new Set<number>();
  marks = new Set<number>();

  constructor(messages: readonly Known[]) {
    this.messages = messages;
  }

  /** Number and message of those without a mark. */
  get present(): [number, Known][] {
    return this.messages.map((message, at): [number, Known] => [at + 1, message])
      .filter(([number]) => !this.marks.has(number));
  }

  /** The answer to a line as text; for RETR the message, for TOP undefined: anything that is +OK. */
  expect(line: string, number: number): string {
    const message = this.messages[number - 1];
    const lines = (value: (message: Known) => string | number) =>
      this.present.map(([number, message]) => `${number} ${value(message)}\r\n`).join("") + ".\r\n";
    switch (line) {
      case "STAT": {
        const sum = this.present.reduce((sum, [, { size }]) => sum + size, 0);
        return `+OK ${this.present.length} ${sum}`;
      }
      case "LIST":
        return lines(({ size }) => size);
      case "UIDL":
        return lines(({ uniqueId }) => uniqueId);
      case "RSET":
        this.marks.clear();
        return "+OK";
      case "NOOP":
        return "+OK";
    }
    if (message === undefined || this.marks.has(number)) return "-ERR";
    switch (line) {
      case "LIST n":
        return `+OK ${number} ${message.size}`;
      case "UIDL n":
        return `+OK ${number} ${message.uniqueId}`;
      case "DELE n":
        this.marks.add(number);
        return "+OK";
      default:
        return this.gone.has(number) ? "-ERR" : canonical(message.octets);
    }
  }
}

async function play(
  contents: readonly Uint8Array[],
  steps: readonly Step[],
  options: { quit: boolean; exactSizes: boolean; readChunkOctets: number },
): Promise<void> {
  const store = new MemoryStore(options);
  for (const octets of contents) store.deliver("alice", octets);
  const model = new Model(
    store.mailbox("alice").map(({ octets, uniqueId }) => {
      const size = options.exactSizes ? canonical(octets).length : octets.length;
      return { octets, uniqueId, size };
    }),
  );
  const client = new SessionClient({ store });
  await client.logIn();
  for (const step of steps) {
    if ("event" in step) {
      happen(store, model, step.event);
      continue;
    }
    const number = "number" in step ? step.number : 0;
    const expected = model.expect(step.line, number);
    const { line, body } = await client.ask(step.line.replace("n", String(number)));
    if (expected === "-ERR" || expected === "+OK") assert.ok(line.startsWith(expected), line);
    else if (step.line === "RETR n") {
      assert.equal(line, `+OK ${model.messages[number - 1]!.size} octets`);
      assert.equal(unstuff(body!), expected);
    } else if (step.line === "TOP n 2") assert.ok(expected.startsWith(unstuff(body!)));
    else assert.equal(body ?? line, expected);
  }
  const before = store.mailbox("alice").map(({ uniqueId }) => uniqueId as string);
  if (options.quit) assert.match((await client.ask("QUIT")).line, /^\+OK/);
  client.session.end();
  const marked = new Set([...model.marks].map((number) => model.messages[number - 1]!.uniqueId));
  assert.deepEqual(
    store.mailbox("alice").map(({ uniqueId }) => uniqueId as string),
    options.quit ? before.filter((uniqueId) => !marked.has(uniqueId)) : before,
  );
  assert.deepEqual([store.maildropsOpen, store.messagesOpen], [0, 0]);
}

/** Something that others do to the mailbox; the session must not see it but for messages that are gone. */
function happen(store: MemoryStore, model: Model, event: "deliver" | "unlink" | "rename"): void {
  if (event === "deliver") store.deliver("alice", "late\n");
  const first = store.mailbox("alice")[0];
  if (first === undefined || event === "deliver") return;
  if (event === "rename") return store.rename("alice", 1);
  const at = model.messages.findIndex(({ uniqueId }) => uniqueId === first.uniqueId);
  if (at >= 0) model.gone.add(at + 1);
  store.unlink("alice", 1);
}

testProperty(
  "whatever a client asks and whatever others do, a session is as the model says",
  fc.asyncProperty(
    fc.array(storedMessage(12), { maxLength: 5 }),
    fc.array(step, { maxLength: 25 }),
    fc.record({
      quit: fc.boolean(),
      exactSizes: fc.boolean(),
      readChunkOctets: fc.constantFrom(1, 3, 16, 65_536),
    }),
    play,
  ),
);
