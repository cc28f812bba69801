/**
 * Threads that check passwords, so that a hash of a tenth of a second never holds up other sessions.
 *
 * A thread is started when a job finds none idle and ends when it was idle for a while, which gives
 * back the memory of its last hash. It has one job at a time; the others wait in one bounded queue. A
 * thread that dies or does not answer in time costs its own job only: that job is `unavailable`, is not
 * tried again (it may be what killed the thread) and the next one gets a new thread.
 *
 * *Knows* threads and time. *Does not know* users or schemes.
 */

import { Worker } from "node:worker_threads";
import { getLogger } from "@logtape/logtape";
import {
  HASH_JOB_MS,
  HASH_QUEUE_LENGTH,
  HASH_WORKER_IDLE_MS,
  PASSWORD_WORKERS,
} from "../limits.ts";
import { workerLocation } from "../platform/worker_location.ts";
import type { HashJob, HashVerdict } from "./hash_worker.ts";

const logger = getLogger(["popkeep", "auth"]);

/** `unavailable`: it was not found out. */
export type PasswordCheck = "right" | "wrong" | "unavailable";

/** What an authenticator needs of a pool. */
export interface PasswordChecker {
  /** Never rejects. The password is copied before this returns. */
  check(stored: string, password: Uint8Array): Promise<PasswordCheck>;
}

export interface HashPoolOptions {
  /** Threads at most. */
  readonly workers?: number;
  /** Jobs waiting for a thread at most. */
  readonly queueLength?: number;
  readonly jobLimitMs?: number;
  readonly idleLimitMs?: number;
  /** Starts a thread that answers each HashJob with one HashVerdict. */
  readonly startWorker?: () => Worker;
}

interface Waiting {
  readonly job: HashJob;
  readonly settle: (result: PasswordCheck) => void;
}

/** One thread and what it is doing. */
interface Lane {
  readonly worker: Worker;
  current: Waiting | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class HashPool implements PasswordChecker {
  readonly #options: Required<HashPoolOptions>;
  readonly #lanes = new Set<Lane>();
  readonly #queue: Waiting[] = [];
  #closed = false;

  constructor(options: HashPoolOptions = {}) {
    this.#options = {
      workers: PASSWORD_WORKERS.default,
      queueLength: HASH_QUEUE_LENGTH,
      jobLimitMs: HASH_JOB_MS,
      idleLimitMs: HASH_WORKER_IDLE_MS,
      startWorker: startHashWorker,
      ...options,
    };
  }

  /** Threads that are there now, at work or idle. */
  get workers(): number {
    return this.#lanes.size;
  }

  check(stored: string, password: Uint8Array): Promise<PasswordCheck> {
    if (this.#closed) return Promise.resolve("unavailable");
    if (this.#queue.length >= this.#options.queueLength) {
      logger.warn("too many passwords wait to be checked", { waiting: this.#queue.length });
      return Promise.resolve("unavailable");
    }
    return new Promise((settle) => {
      this.#queue.push({ job: { stored, password: new Uint8Array(password) }, settle });
      this.#dispatch();
    });
  }

  /** Ends all threads; jobs that are not done are `unavailable`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { settle } of this.#queue.splice(0)) settle("unavailable");
    await Promise.all(Array.from(this.#lanes, (lane) => this.#end(lane)));
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      let lane = this.#idleLane();
      if (lane === undefined) {
        if (this.#lanes.size >= this.#options.workers) return;
        lane = this.#startLane();
      }
      const waiting = this.#queue.shift() as Waiting;
      if (lane === undefined) waiting.settle("unavailable");
      else this.#give(lane, waiting);
    }
  }

  #idleLane(): Lane | undefined {
    for (const lane of this.#lanes) if (lane.current === undefined) return lane;
    return undefined;
  }

  /** Undefined if no thread can be started. */
  #startLane(): Lane | undefined {
    let worker: Worker;
    try {
      worker = this.#options.startWorker();
    } catch (error) {
      logger.error("no thread for passwords can be started", { reason: textOf(error) });
      return undefined;
    }
    const lane: Lane = { worker, current: undefined, timer: undefined };
    this.#lanes.add(lane);
    worker.on("message", (verdict: HashVerdict) => this.#answered(lane, verdict));
    worker.on("error", (error: unknown) => this.#lost(lane, `the thread failed: ${textOf(error)}`));
    worker.on("exit", () => this.#lost(lane, "the thread ended"));
    return lane;
  }

  #give(lane: Lane, waiting: Waiting): void {
    clearTimeout(lane.timer);
    lane.current = waiting;
    lane.timer = setTimeout(() => this.#overdue(lane), this.#options.jobLimitMs);
    // At work a thread keeps the process alive, since somebody waits for it; idle it does not.
    lane.worker.ref();
    lane.worker.postMessage(waiting.job);
  }

  #answered(lane: Lane, verdict: HashVerdict): void {
    if (!this.#lanes.has(lane)) return;
    const waiting = lane.current;
    lane.current = undefined;
    clearTimeout(lane.timer);
    lane.worker.unref();
    lane.timer = setTimeout(() => void this.#end(lane), this.#options.idleLimitMs);
    lane.timer.unref();
    if (verdict.kind === "failed") {
      logger.error("a password could not be checked", { reason: verdict.reason });
    }
    waiting?.settle(verdict.kind === "failed" ? "unavailable" : verdict.kind);
    this.#dispatch();
  }

  #overdue(lane: Lane): void {
    this.#lost(lane, "the thread did not answer in time");
    void lane.worker.terminate();
  }

  /** The thread is gone, or as good as: its job fails and others take its place. */
  #lost(lane: Lane, reason: string): void {
    if (!this.#lanes.delete(lane)) return;
    clearTimeout(lane.timer);
    if (lane.current !== undefined) {
      logger.error("a password could not be checked", { reason });
      lane.current.settle("unavailable");
      lane.current = undefined;
    }
    this.#dispatch();
  }

  async #end(lane: Lane): Promise<void> {
    this.#lanes.delete(lane);
    clearTimeout(lane.timer);
    lane.current?.settle("unavailable");
    lane.current = undefined;
    await lane.worker.terminate();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function startHashWorker(): Worker {
  return new Worker(workerLocation("src/auth/hash_worker.ts", import.meta.url));
}
