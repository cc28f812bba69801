/**
 * Runs one suite of tests in a process of its own and says how it ended.
 *
 * A suite that crashes, hangs, or runs no test has failed: silence is never taken for success.
 * *Knows* the command lines of `bun test` and `deno test`. *Does not know* which suites there are.
 */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { parseJunit, type TestResult } from "./junit.ts";

export interface Suite {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the command writes a JUnit report to the path put behind `reportOption`. */
  readonly reportOption?: string;
  /** The suite is ended after this long, in seconds, and has then failed. */
  readonly limitSeconds: number;
}

export interface SuiteResult {
  readonly results: readonly TestResult[];
  readonly seconds: number;
}

/** Runs the suite; never rejects. */
export async function runSuite(suite: Suite): Promise<SuiteResult> {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-suite-`);
  const report = `${folder}/report.xml`;
  const started = performance.now();
  const ended = await run(suite, report);
  const seconds = (performance.now() - started) / 1000;
  const results = existsSync(report) ? parseJunit(readFileSync(report, "utf8")) : [];
  rmSync(folder, { recursive: true, force: true });
  const trouble = troubleOf(suite, ended, results);
  if (trouble !== undefined) {
    results.push({ name: suite.name, file: "", outcome: "failed", message: trouble });
  } else if (suite.reportOption === undefined) {
    results.push({ name: suite.name, file: "", outcome: "passed", message: "" });
  }
  return { results, seconds };
}

interface Ended {
  readonly how: number | string;
  readonly timedOut: boolean;
  readonly output: string;
}

function run(suite: Suite, report: string): Promise<Ended> {
  return new Promise((resolve) => {
    const [command, ...rest] = suite.command as [string, ...string[]];
    const option = suite.reportOption === undefined ? [] : [`${suite.reportOption}=${report}`];
    const child = spawn(command, [...rest, ...option], {
      env: { ...process.env, NO_COLOR: "1", ...suite.environment },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that a suite that hangs is ended with the servers it has started.
      detached: true,
    });
    let output = "";
    const keep = (chunk: unknown) => output = (output + String(chunk)).slice(-200_000);
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, suite.limitSeconds * 1000);
    const end = (how: number | string) => {
      clearTimeout(timer);
      resolve({ how, timedOut, output });
    };
    child.on("error", (error) => end(error.message));
    child.on("close", (code, signal) => end(code ?? signal ?? "unknown"));
  });
}

/** What is wrong with the suite as a whole, beside tests that failed. */
function troubleOf(
  suite: Suite,
  ended: Ended,
  results: readonly TestResult[],
): string | undefined {
  const tail = lastLines(ended.output, 60);
  if (ended.timedOut) {
    return `The suite was ended since it ran for more than ${suite.limitSeconds} s.\n${tail}`;
  }
  if (suite.reportOption !== undefined && results.length === 0) {
    return `The suite ran no test (it ended with ${ended.how}).\n${tail}`;
  }
  if (ended.how !== 0 && !results.some(({ outcome }) => outcome === "failed")) {
    return `The suite ended with ${ended.how}, and no test of it failed.\n${tail}`;
  }
  return undefined;
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
