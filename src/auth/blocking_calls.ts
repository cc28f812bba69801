/**
 * Threads for calls into the system's libraries that may block, and may never come back.
 *
 * A thread is started when a job finds none idle and ends when it was idle for a while. It has one job
 * at a time; the others wait in one bounded queue. A thread that does not answer in time is given up and
 * another takes its place, so that it holds up nobody for longer than the limit. No power of ours ends a
 * call that hangs: the given-up threads are counted, and when there are too many of them, no more are
 * started until one of them has come back, since each is memory and a thread of the process.
 *
 * *Knows* threads and time. *Does not know* what the jobs are about.
 */

import type { Worker } from "node:worker_threads";
import { getLogger } from "@logtape/logtape";

const logger = getLogger(["popkeep", "auth"]);

export interface BlockingCallsOptions {
  /** What the threads do, for the log, such as "Kerberos". */
  readonly purpose: string;
  /** Starts a thread that answers each job with one message. */
  readonly startWorker: () => Worker;
  /** Threads at most, given-up ones not counted. */
  readonly threads: number;
  /** Jobs waiting for a thread at most. */
  readonly queueLength: number;
  readonly callLimitMs: number;
  readonly idleLimitMs: number;
  /** Given-up threads at most that hang in a call. */
  readonly stuckThreads: number;
}

interface Waiting<Job, Answer> {
  readonly job: Job;
  readonly settle: (answer: Answer | undefined) => void;
}

/** One thread and what it is doing. */
interface Lane<Job, Answer> {
  readonly worker: Worker;
  current: Waiting<Job, Answer> | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class BlockingCalls<Job, Answer> {
  readonly #options: BlockingCallsOptions;
  readonly #lanes = new Set<Lane<Job, Answer>>();
  readonly #queue: Waiting<Job, Answer>[] = [];
  readonly #stuck = new Set<Worker>();
  #closed = false;

  constructor(options: BlockingCallsOptions) {
    this.#options = options;
  }

  /** Threads that are there now, at work or idle, without those that were given up. */
  get threads(): number {
    return this.#lanes.size;
  }

  /** Threads that were given up and have not come back. */
  get stuck(): number {
    return this.#stuck.size;
  }

  /** Has a thread do the job; undefined if that came to nothing, which is logged. Never rejects. */
  call(job: Job): Promise<Answer | undefined> {
    if (!this.#closed && this.#queue.length >= this.#options.queueLength) {
      const { purpose } = this.#options;
      logger.error("too many calls to a system library wait", {
        purpose,
        waiting: this.#queue.length,
      });
      return Promise.resolve(undefined);
    }
    return this.callAnyway(job);
  }

  /** The same for a job that gives something back, and is not to be lost because others wait. */
  callAnyway(job: Job): Promise<Answer | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((settle) => {
      this.#queue.push({ job, settle });
      this.#dispatch();
    });
  }

  /** Ends all threads, as far as they can be ended; jobs that are not done come to nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { settle } of this.#queue.splice(0)) settle(undefined);
    const lanes = [...this.#lanes];
    const idle = lanes.filter((lane) => lane.current === undefined);
    for (const lane of lanes) if (lane.current !== undefined) this.#abandon(lane);
    await Promise.all(idle.map((lane) => this.#end(lane)));
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      const lane = this.#idleLane() ?? this.#newLane();
      if (lane === "none") return;
      const waiting = this.#queue.shift() as Waiting<Job, Answer>;
      if (lane === "impossible") waiting.settle(undefined);
      else this.#give(lane, waiting);
    }
  }

  #idleLane(): Lane<Job, Answer> | undefined {
    for (const lane of this.#lanes) if (lane.current === undefined) return lane;
    return undefined;
  }

  /** `none`: wait for one; `impossible`: there will be none. */
  #newLane(): Lane<Job, Answer> | "none" | "impossible" {
    if (this.#lanes.size >= this.#options.threads) return "none";
    if (this.#stuck.size >= this.#options.stuckThreads) {
      if (this.#lanes.size > 0) return "none";
      logger.error("too many threads hang in a system library", {
        purpose: this.#options.purpose,
        stuck: this.#stuck.size,
      });
      return "impossible";
    }
    let worker: Worker;
    try {
      worker = this.#options.startWorker();
    } catch (error) {
      const { purpose } = this.#options;
      logger.error("no thread for a system library can be started", {
        purpose,
        reason: textOf(error),
      });
      return "impossible";
    }
    const lane: Lane<Job, Answer> = { worker, current: undefined, timer: undefined };
    this.#lanes.add(lane);
    worker.on("message", (answer: Answer) => this.#answered(lane, answer));
    worker.on("error", (error: unknown) => this.#lost(lane, `the thread failed: ${textOf(error)}`));
    worker.on("exit", () => {
      this.#stuck.delete(worker);
      this.#lost(lane, "the thread ended");
    });
    return lane;
  }

  #give(lane: Lane<Job, Answer>, waiting: Waiting<Job, Answer>): void {
    clearTimeout(lane.timer);
    lane.current = waiting;
    lane.timer = setTimeout(() => this.#overdue(lane), this.#options.callLimitMs);
    // At work a thread keeps the process alive, since somebody waits for it; idle it does not.
    lane.worker.ref();
    lane.worker.postMessage(waiting.job);
  }

  #answered(lane: Lane<Job, Answer>, answer: Answer): void {
    // Late, from a thread that was given up: nobody waits for it.
    if (!this.#lanes.has(lane)) return this.#cameBack(lane.worker);
    const waiting = lane.current;
    lane.current = undefined;
    clearTimeout(lane.timer);
    lane.worker.unref();
    lane.timer = setTimeout(() => void this.#end(lane), this.#options.idleLimitMs);
    lane.timer.unref();
    waiting?.settle(answer);
    this.#dispatch();
  }

  #overdue(lane: Lane<Job, Answer>): void {
    this.#abandon(lane);
    const { purpose, callLimitMs } = this.#options;
    logger.error("a call to a system library did not come back", { purpose, callLimitMs });
    this.#dispatch();
  }

  /** Gives a thread up in the middle of its job, without waiting for its end. */
  #abandon(lane: Lane<Job, Answer>): void {
    const { worker, current } = lane;
    this.#lanes.delete(lane);
    this.#stuck.add(worker);
    clearTimeout(lane.timer);
    lane.current = undefined;
    // It is not terminated: that ends nothing as long as it hangs, though under Deno it claims to have,
    // and under Bun the process would wait for it at its end. That it has come back shows in its answer.
    worker.unref();
    current?.settle(undefined);
  }

  #cameBack(worker: Worker): void {
    if (!this.#stuck.delete(worker)) return;
    void worker.terminate();
    this.#dispatch();
  }

  /** The thread is gone: its job comes to nothing and others take its place. */
  #lost(lane: Lane<Job, Answer>, reason: string): void {
    if (this.#lanes.delete(lane)) {
      clearTimeout(lane.timer);
      const { current } = lane;
      lane.current = undefined;
      if (current !== undefined) {
        const { purpose } = this.#options;
        logger.error("a call to a system library came to nothing", { purpose, reason });
        current.settle(undefined);
      }
    }
    this.#dispatch();
  }

  async #end(lane: Lane<Job, Answer>): Promise<void> {
    this.#lanes.delete(lane);
    clearTimeout(lane.timer);
    await lane.worker.terminate();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
