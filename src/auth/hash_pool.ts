/**
 * Threads that check passwords, so that a hash of a tenth of a second never holds up other sessions, and
 * in which client addresses take turns, so that a flood of wrong passwords does not hold up a right one
 * from elsewhere.
 *
 * What cannot be found out is `unavailable`, never "wrong". An idle thread ends, which gives back the
 * memory of its last hash. Where a hash is a single digest no thread is started at all, whoever asks: that
 * a name has such a hash, or would have if it were there, is told by the hash's own time in any case.
 *
 * *Knows* password hashes. *Does not know* users.
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
import type { Turn } from "./fair_queue.ts";
import type { HashJob, HashVerdict } from "./hash_worker.ts";
import { ALL_WEAK_SCHEMES, isHashFault, readStoredPassword } from "./stored_password.ts";
import { WorkerPool, type WorkerPoolOptions } from "./worker_pool.ts";

const logger = getLogger(["popkeep", "auth"]);

/** A queue that is full is told once in this time, ms: who fills it would fill the log too. */
const CROWDED_LOG_MS = 60_000;

/** `unavailable`: it was not found out. */
export type PasswordCheck = "right" | "wrong" | "unavailable";

/** What an authenticator needs of a pool. */
export interface PasswordChecker {
  /**
   * Never rejects. The password is copied before this returns.
   *
   * @param turn Who waits with whom: the client's address as limits count it. Those without one wait
   *   together.
   */
  check(stored: string, password: Uint8Array, turn?: Turn): Promise<PasswordCheck>;
}

export type HashPoolOptions = Partial<WorkerPoolOptions>;

export class HashPool implements PasswordChecker {
  readonly #pool: WorkerPool<HashJob, HashVerdict>;
  #crowdedLoggedMs = -Infinity;

  constructor(options: HashPoolOptions = {}) {
    this.#pool = new WorkerPool({
      workers: PASSWORD_WORKERS.default,
      queueLength: HASH_QUEUE_LENGTH,
      jobLimitMs: HASH_JOB_MS,
      idleLimitMs: HASH_WORKER_IDLE_MS,
      startWorker: startHashWorker,
      ...options,
    });
  }

  /** Threads that are there now, at work or idle. */
  get workers(): number {
    return this.#pool.workers;
  }

  async check(stored: string, password: Uint8Array, turn?: Turn): Promise<PasswordCheck> {
    // Whether a weak scheme is honoured was decided before.
    const hash = readStoredPassword(stored, ALL_WEAK_SCHEMES);
    if (!isHashFault(hash) && hash.isQuick === true) {
      return await hash.matches(password) ? "right" : "wrong";
    }
    const result = await this.#pool.run({ stored, password: new Uint8Array(password) }, turn);
    switch (result.kind) {
      case "answered":
        if (result.answer.kind !== "failed") return result.answer.kind;
        logger.error("a password could not be checked", { reason: result.answer.reason });
        return "unavailable";
      case "lost":
        logger.error("a password could not be checked", { reason: result.reason });
        return "unavailable";
      case "crowded":
        this.#logCrowded();
        return "unavailable";
      case "closed":
        return "unavailable";
    }
  }

  /** Ends all threads; checks that are not done are `unavailable`. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  #logCrowded(): void {
    const nowMs = performance.now();
    if (nowMs - this.#crowdedLoggedMs < CROWDED_LOG_MS) return;
    this.#crowdedLoggedMs = nowMs;
    logger.warn("too many passwords wait to be checked", { waiting: this.#pool.waiting });
  }
}

function startHashWorker(): Worker {
  return new Worker(workerLocation("src/auth/hash_worker.ts", import.meta.url));
}
