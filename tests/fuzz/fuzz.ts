/**
 * `make fuzz`: every target in turn, in a process of its own, with coverage to guide it.
 *
 *     bun tests/fuzz/fuzz.ts [--minutes 10] [--seed N] [--without-coverage] [TARGET ...]
 *
 * The minutes are for all targets together. What is found, and what inputs reached something new, is kept
 * under .fuzz/TARGET/ and taken up again by the next run. Exits 1 if anything was found.
 *
 * A process that says nothing for too long hangs on the input that it wrote down last: that is a finding too.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writtenInput } from "./corpus.ts";
import { chosenSeed } from "./random.ts";
import { TARGETS } from "./targets.ts";

/** How long a target may go on after its time before its last input counts as one that it hangs on. */
const PATIENCE_MS = 60_000;

const { values, positionals } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    "without-coverage": { type: "boolean", default: false },
  },
  allowPositionals: true,
});

const project = fileURLToPath(new URL("../../", import.meta.url));
const unknown = positionals.filter((name) => !TARGETS.some((target) => target.name === name));
if (unknown.length > 0) {
  console.error(
    `No target ${unknown.join(", ")}; there are ${TARGETS.map((t) => t.name).join(", ")}`,
  );
  process.exit(2);
}
const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const seed = chosenSeed(values.seed);
const seconds = Math.max(1, Number(values.minutes) * 60 / chosen.length);
console.log(`${chosen.length} targets, ${seconds.toFixed(0)} s each, seed ${seed}`);
console.log("target                     executions     per s   inputs  findings");

let executions = 0;
let findings = 0;
for (const { name } of chosen) {
  const result = await runOne(name);
  executions += result.executions;
  findings += result.findings;
  const perSecond = Math.round(result.executions / seconds);
  console.log(
    name.padEnd(24) + String(result.executions).padStart(13) + String(perSecond).padStart(10) +
      String(result.inputs).padStart(9) + String(result.findings).padStart(10),
  );
  if (result.said !== "") console.log(result.said);
}
console.log(`${executions} executions, ${findings} findings`);
process.exitCode = findings > 0 ? 1 : 0;

interface OneResult {
  readonly executions: number;
  readonly inputs: number;
  readonly findings: number;
  /** What else there is to say. */
  readonly said: string;
}

async function runOne(name: string): Promise<OneResult> {
  const folder = `${project}.fuzz/${name}`;
  mkdirSync(folder, { recursive: true });
  const one = fileURLToPath(new URL("fuzz_one.ts", import.meta.url));
  const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const guided = values["without-coverage"] ? [] : ["guided"];
  const child = spawn(
    process.execPath,
    [...runtime, one, name, String(seconds), String(seed), folder, ...guided],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const { output, hung } = await ended(child);
  const result = /^RESULT (.*)$/m.exec(output)?.[1];
  if (!hung && result !== undefined) {
    return { ...JSON.parse(result), said: output.replace(/^RESULT .*$/m, "").trim() };
  }
  const last = `${folder}/last`;
  const input = existsSync(last) ? readFileSync(last) : new Uint8Array();
  const how = hung ? "hangs" : "ends the process";
  const found = writtenInput("found", `${name} ${how}`, input);
  writeFileSync(`${folder}/${hung ? "hang" : "crash"}.txt`, found);
  return { executions: 0, inputs: 0, findings: 1, said: `${output.slice(-4_000)}\n${found}` };
}

function ended(child: ChildProcess): Promise<{ output: string; hung: boolean }> {
  return new Promise((resolve) => {
    let output = "";
    const keep = (chunk: unknown) => output = (output + String(chunk)).slice(-100_000);
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, seconds * 1_000 + PATIENCE_MS);
    child.on("close", () => {
      clearTimeout(timer);
      resolve({ output, hung });
    });
  });
}
