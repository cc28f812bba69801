/** The fuzzer itself: it finds a fault that is there, makes it small, and does the same for the same seed. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type Corpus, parseCorpus, writtenInput } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { fuzz } from "./fuzzing.ts";
import { mutated } from "./mutation.ts";
import { Random } from "./random.ts";
import { shrunk } from "./shrinking.ts";
import type { FuzzTarget } from "./target.ts";

const corpus = parseCorpus('word "boom"\nseed something\n  "a quiet line"\n');

/** Fails on a word that is in the dictionary, behind a digit that is not. */
const faulty: FuzzTarget = {
  name: "faulty",
  executions: 0,
  attempt(input) {
    if (/[0-9].*boom/.test(Buffer.from(input).toString("latin1"))) throw new Error("boom");
  },
};

async function firstFailure(target: FuzzTarget, of: Corpus, seed: number, executions: number) {
  const found: Uint8Array[] = [];
  await fuzz(target, of, {
    seed,
    isOver: (tried) => found.length > 0 || tried >= executions,
    failed: (input) => void found.push(Uint8Array.from(input)),
  });
  return found[0];
}

test("a fault is found, and made as small as it can be", async () => {
  const input = await firstFailure(faulty, corpus, 1, 50_000);
  assert.ok(input !== undefined);
  const smallest = await shrunk(faulty, input, new Error("boom"));
  assert.match(Buffer.from(smallest).toString("latin1"), /^[0-9]boom$/);
});

test("the same seed makes the same inputs, another one others", () => {
  const made = (seed: number) => {
    const random = new Random(seed);
    const material = { inputs: [Buffer.from("abc 123")], words: [], maxOctets: 100 };
    return Array.from(
      { length: 200 },
      () => Buffer.from(mutated(random, material)).toString("hex"),
    );
  };
  assert.deepEqual(made(7), made(7));
  assert.notDeepEqual(made(7), made(8));
});

test("no input is longer than its target takes", () => {
  const random = new Random(3);
  const material = { inputs: [Buffer.alloc(90, "x")], words: [Buffer.alloc(50)], maxOctets: 100 };
  for (let run = 0; run < 5_000; run++) assert.ok(mutated(random, material).length <= 100);
});

test("an input is written as a corpus has it, and read as the same", () => {
  for (
    const octets of [Buffer.from('a "b"\r\n\\'.repeat(30)), Buffer.alloc(300, 0xfe), Buffer.of()]
  ) {
    const text = writtenInput("found", "the symptom", octets);
    assert.deepEqual(parseCorpus(text).inputs.map(({ kind, what }) => [kind, what]), [
      ["found", "the symptom"],
    ]);
    assert.deepEqual(Buffer.from(parseCorpus(text).inputs[0]!.octets), octets);
  }
  assert.throws(() => parseCorpus("sed misspelt\n"), /Line 1/);
});

test("what reaches something new is kept, and what does not is not", async (t) => {
  const coverage = await Coverage.start();
  if (coverage === undefined) return t.skip("this runtime tells no coverage");
  // A module of its own: what has run before is not told of in every runtime.
  const fresh = "../../src/auth/mechanisms/bearer_message.ts?fresh";
  const { parseXoauth2 } = await import(fresh);
  const reading: FuzzTarget = {
    name: "reading",
    executions: 0,
    attempt: (input) => void parseXoauth2(input),
  };
  const words = parseCorpus('word "user="\nword "\\u0001"\nword "auth=Bearer "\nseed x\n  "u"\n');
  const kept: string[] = [];
  await fuzz(reading, words, {
    seed: 5,
    isOver: (tried) => tried >= 40_000,
    coverage,
    kept: (input) => kept.push(Buffer.from(input).toString("latin1")),
    failed: (_, error) => {
      throw error;
    },
  });
  assert.ok(kept.length > 0 && kept.length < 100, `${kept.length} inputs were kept`);
  assert.ok(kept.some((input) => parseXoauth2(Buffer.from(input, "latin1")) !== undefined));
});
