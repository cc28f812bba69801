/**
 * Fuzzes one target for some seconds; fuzz.ts starts it.
 *
 *     fuzz_one.ts TARGET SECONDS SEED FOLDER [guided]
 *
 * FOLDER/last holds the input that is being tried, for whoever finds that nothing more comes. FOLDER/kept/
 * has the inputs that reached something new, FOLDER/found/ what the target failed on.
 */

import { createHash } from "node:crypto";
import {
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import process from "node:process";
import { readCorpus, writtenInput } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { fuzz } from "./fuzzing.ts";
import { shrunk, symptomOf } from "./shrinking.ts";

/** Different failures after which there is enough to look at. */
const MOST_FINDINGS = 10;

/** An input that takes longer is told of: it may be one that takes ever longer as it grows. */
const SLOW_MS = 1_000;

const [name, seconds, seed, folder = ".", guided] = process.argv.slice(2);
const coverage = guided === "guided" ? await Coverage.start() : undefined;
if (guided === "guided" && coverage === undefined) {
  console.log("this runtime tells no coverage; new inputs are made of the corpus alone");
}
// After that, since what has run before is not told of in every runtime.
const { TARGETS } = await import("./targets.ts");
const target = TARGETS.find((one) => one.name === name);
if (target === undefined) throw new Error(`No target ${name}`);
mkdirSync(`${folder}/kept`, { recursive: true });
mkdirSync(`${folder}/found`, { recursive: true });

const earlier = readdirSync(`${folder}/kept`).sort().map((file) =>
  new Uint8Array(readFileSync(`${folder}/kept/${file}`))
);
const last = openSync(`${folder}/last`, "w+");
const failures = new Map<string, { input: Uint8Array; error: unknown }>();

let begunMs = performance.now();
let slowestMs = 0;
const endsMs = begunMs + Number(seconds) * 1_000;

function trying(input: Uint8Array): void {
  const nowMs = performance.now();
  if (nowMs - begunMs > Math.max(SLOW_MS, slowestMs)) {
    slowestMs = nowMs - begunMs;
    console.log(`an input took ${Math.round(slowestMs)} ms: ${folder}/slow`);
    writeFileSync(`${folder}/slow`, readFileSync(`${folder}/last`));
  }
  begunMs = performance.now();
  ftruncateSync(last, input.length);
  writeSync(last, input, 0, input.length, 0);
}

const result = await fuzz(target, readCorpus(target.name), {
  seed: Number(seed),
  isOver: () => performance.now() > endsMs || failures.size >= MOST_FINDINGS,
  coverage,
  earlier,
  trying,
  kept: (input) => writeFileSync(`${folder}/kept/${digestOf(input)}`, input),
  failed(input, error) {
    const symptom = symptomOf(error);
    if (!failures.has(symptom)) failures.set(symptom, { input: Uint8Array.from(input), error });
  },
});

for (const [symptom, { input, error }] of failures) {
  const found = writtenInput("found", symptom, await shrunk(target, input, error));
  writeFileSync(`${folder}/found/${digestOf(input)}.txt`, found);
  console.log(error instanceof Error ? error.stack : String(error));
  console.log(found);
}
await target.end?.();
console.log(`RESULT ${JSON.stringify({ ...result, findings: failures.size })}`);
// A target may have left threads or timers behind.
process.exit(0);

function digestOf(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex").slice(0, 16);
}
