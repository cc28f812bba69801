/**
 * Threads that each do one job at a time, for work that would hold up the event loop.
 *
 * A thread is started when a job finds none idle and ends when it was idle for a while. The other jobs
 * wait in one bounded queue in which client addresses take turns. A thread that dies or does not answer
 * in time costs its own job only: that job is lost, is not tried again (it may be what killed the thread)
 * and the next one gets a new thread.
 *
 * *Knows* threads and time. *Does not know* what a job is.
 */

import type { Worker } from "node:worker_threads";
import { FairQueue, type Turn } from "./fair_queue.ts";

export interface WorkerPoolOptions {
  /** Threads at most. */
  readonly workers: number;
  /** Jobs waiting for a thread at most. */
  readonly queueLength: number;
  /** A job may take this long; then its thread is ended. */
  readonly jobLimitMs: number;
  readonly idleLimitMs: number;
  /** Starts a thread that answers each message, a job, with one message. */
  readonly startWorker: () => Worker;
}

/**
 * - `answered`: what the thread said.
 * - `lost`: the thread could not be started, died or did not answer in time.
 * - `crowded`: too many jobs wait.
 * - `closed`: the pool is.
 */
export type PoolResult<Answer> =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "crowded" }
  | { readonly kind: "closed" };

interface Waiting<Job, Answer> {
  readonly job: Job;
  readonly settle: (result: PoolResult<Answer>) => void;
}

/** One thread and what it is doing. */
interface Lane<Job, Answer> {
  readonly worker: Worker;
  current: Waiting<Job, Answer> | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const NOBODYS_TURN: Turn = { source: "", known: false };

export class WorkerPool<Job, Answer> {
  readonly #options: WorkerPoolOptions;
  readonly #lanes = new Set<Lane<Job, Answer>>();
  readonly #queue: FairQueue<Waiting<Job, Answer>>;
  #closed = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#queue = new FairQueue(options.queueLength);
  }

  /** Threads that are there now, at work or idle. */
  get workers(): number {
    return this.#lanes.size;
  }

  /** Jobs that wait for a thread. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Has a job done. Never rejects. The job is handed over later: it must not change meanwhile. */
  run(job: Job, turn: Turn = NOBODYS_TURN): Promise<PoolResult<Answer>> {
    if (this.#closed) return Promise.resolve({ kind: "closed" });
    return new Promise((settle) => {
      this.#queue.push({ job, settle }, turn)?.settle({ kind: "crowded" });
      this.#dispatch();
    });
  }

  /** Ends all threads; jobs that are not done are `closed`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { settle } of this.#queue.clear()) settle({ kind: "closed" });
    await Promise.all(Array.from(this.#lanes, (lane) => this.#end(lane)));
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      let lane = this.#idleLane();
      if (lane === undefined && this.#lanes.size >= this.#options.workers) return;
      // Asked for before a thread is started, which may fail and must then cost this job only.
      const waiting = this.#queue.shift()!;
      lane ??= this.#startLane(waiting);
      if (lane !== undefined) this.#give(lane, waiting);
    }
  }

  #idleLane(): Lane<Job, Answer> | undefined {
    for (const lane of this.#lanes) if (lane.current === undefined) return lane;
    return undefined;
  }

  /** Undefined if no thread can be started; then the job that it was for is lost. */
  #startLane(waiting: Waiting<Job, Answer>): Lane<Job, Answer> | undefined {
    let worker: Worker;
    try {
      worker = this.#options.startWorker();
    } catch (error) {
      waiting.settle({ kind: "lost", reason: `no thread can be started: ${textOf(error)}` });
      return undefined;
    }
    const lane: Lane<Job, Answer> = { worker, current: undefined, timer: undefined };
    this.#lanes.add(lane);
    worker.on("message", (answer: Answer) => this.#answered(lane, answer));
    worker.on("error", (error: unknown) => this.#lost(lane, `the thread failed: ${textOf(error)}`));
    worker.on("exit", () => this.#lost(lane, "the thread ended"));
    return lane;
  }

  #give(lane: Lane<Job, Answer>, waiting: Waiting<Job, Answer>): void {
    clearTimeout(lane.timer);
    lane.current = waiting;
    lane.timer = setTimeout(() => this.#overdue(lane), this.#options.jobLimitMs);
    // At work a thread keeps the process alive, since somebody waits for it; idle it does not.
    lane.worker.ref();
    lane.worker.postMessage(waiting.job);
  }

  #answered(lane: Lane<Job, Answer>, answer: Answer): void {
    if (!this.#lanes.has(lane)) return;
    const waiting = lane.current;
    lane.current = undefined;
    clearTimeout(lane.timer);
    lane.worker.unref();
    lane.timer = setTimeout(() => void this.#end(lane), this.#options.idleLimitMs);
    lane.timer.unref();
    waiting?.settle({ kind: "answered", answer });
    this.#dispatch();
  }

  #overdue(lane: Lane<Job, Answer>): void {
    this.#lost(lane, "the thread did not answer in time");
    void lane.worker.terminate();
  }

  /** The thread is gone, or as good as: its job fails and others take its place. */
  #lost(lane: Lane<Job, Answer>, reason: string): void {
    if (!this.#lanes.delete(lane)) return;
    clearTimeout(lane.timer);
    lane.current?.settle({ kind: "lost", reason });
    lane.current = undefined;
    this.#dispatch();
  }

  async #end(lane: Lane<Job, Answer>): Promise<void> {
    this.#lanes.delete(lane);
    clearTimeout(lane.timer);
    lane.current?.settle({ kind: "closed" });
    lane.current = undefined;
    await lane.worker.terminate();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
