/**
 * Every fuzz target, with all inputs that are kept and as many new ones as it says. The seed is printed;
 * POPKEEP_SEED=... in the environment makes the same inputs again. `make fuzz` does more of the same.
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import process from "node:process";
import { after, test } from "node:test";
import { readCorpus, writtenInput } from "./corpus.ts";
import { fuzz } from "./fuzzing.ts";
import { chosenSeed } from "./random.ts";
import { shrunk } from "./shrinking.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** Against the executable there is but one target that knows of it. */
const isExecutable = (process.env["POPKEEP_EXECUTABLE"] ?? "") !== "";
const targets = TARGETS.filter(({ name }) => !isExecutable || name === "server");

const SEED = chosenSeed(process.env["POPKEEP_SEED"]);

for (const target of targets) {
  const corpus = readCorpus(target.name);
  after(() => target.end?.());

  for (const { kind, what, octets } of corpus.inputs) {
    if (kind === "found") test(`${target.name}, found once: ${what}`, () => target.attempt(octets));
  }

  test(`${target.name}: ${target.executions} inputs (POPKEEP_SEED=${SEED})`, async () => {
    const failures: { input: Uint8Array; error: unknown }[] = [];
    const { executions } = await fuzz(target, corpus, {
      seed: SEED,
      isOver: (tried) => tried >= target.executions || failures.length > 0,
      failed: (input, error) => void failures.push({ input: Uint8Array.from(input), error }),
    });
    const [failure] = failures;
    if (failure !== undefined) await tell(target, failure);
    console.log(`${target.name}: ${executions} executions with the seed ${SEED}`);
  });
}

async function tell(
  target: FuzzTarget,
  { input, error }: { input: Uint8Array; error: unknown },
): Promise<never> {
  const smallest = await shrunk(target, input, error);
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  assert.fail(
    `${text}\n\nFor tests/fuzz/corpus/${target.name}.txt:\n\n${
      writtenInput("found", "...", smallest)
    }`,
  );
}

test("every corpus is a target's", () => {
  const files = readdirSync(new URL("corpus/", import.meta.url)).map((file) =>
    file.replace(/\.txt$/, "")
  );
  assert.deepEqual(files.sort(), TARGETS.map(({ name }) => name).sort());
});
