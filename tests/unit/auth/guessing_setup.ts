/** What the tests of guessing stand on: a clock in the test's hand, and a guard that does not wait. */

import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type GuessingGuard,
  type GuessingOptions,
  openGuessingGuard,
} from "../../../src/auth/guessing/guessing_guard.ts";
import { Waits } from "../../../src/auth/guessing/waits.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export const OPTIONS: GuessingOptions = {
  maxFailuresOfAddress: 30,
  maxFailuresOfAccount: 100,
  windowMs: HOUR_MS,
  blockMs: 15 * MINUTE_MS,
  delayMs: 1_000,
  neverBlocked: [],
};

export const octets = (text: string) => new TextEncoder().encode(text);

/** Runs `work` while the time of day is what it sets. */
export async function withClock(
  work: (clock: { nowMs: number }) => void | Promise<void>,
): Promise<void> {
  const { now } = Date;
  const clock = { nowMs: Date.UTC(2026, 6, 1) };
  Date.now = () => clock.nowMs;
  try {
    await work(clock);
  } finally {
    Date.now = now;
  }
}

/** Notes waits instead of waiting. */
class NotedWaits extends Waits {
  readonly ms: number[] = [];

  override wait(ms: number): Promise<void> {
    this.ms.push(ms);
    return Promise.resolve();
  }
}

export interface TestGuard {
  readonly guard: GuessingGuard;
  /** Of each failure, in ms. */
  readonly waits: readonly number[];
  /** A login with a wrong password; each is another one unless given. */
  fail(
    address: string,
    user: string,
    password?: string,
  ): Promise<"failed" | "delayed" | "unavailable">;
  succeed(address: string, user: string): Promise<"succeeded" | "delayed" | "unavailable">;
}

export async function openGuard(
  options: Partial<GuessingOptions> = {},
  folder?: string,
): Promise<TestGuard> {
  const waits = new NotedWaits();
  const guard = await openGuessingGuard(
    { ...OPTIONS, ...options },
    { waits, ...(folder === undefined ? {} : { folder }) },
  );
  let guesses = 0;
  return {
    guard,
    waits: waits.ms,
    async fail(address, user, password = `guess ${guesses++}`) {
      const attempt = await guard.begin(address, user);
      if (attempt.kind !== "open") return attempt.kind;
      await attempt.failed(octets(password));
      return "failed";
    },
    async succeed(address, user) {
      const attempt = await guard.begin(address, user);
      if (attempt.kind !== "open") return attempt.kind;
      await attempt.succeeded();
      return "succeeded";
    },
  };
}

export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "popkeep-guessing-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is logged meanwhile. */
export async function logged(work: () => Promise<void>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { noted: (record) => void records.push(record) },
    loggers: [
      { category: "popkeep", lowestLevel: "debug", sinks: ["noted"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    await work();
  } finally {
    resetSync();
  }
  return records;
}
