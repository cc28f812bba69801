/**
 * Keeps N workers running: starts them, starts one again that has ended, and says to all what is to be said
 * to all.
 *
 * A worker is there once it has answered the question "serve". One that ends is started again after a wait;
 * what it held is cleared first (`gone`). One that says nothing any more is ended: the system would go on
 * giving it its share of the clients, and whoever waits for its answer would wait for ever. Workers are numbered from 1, and a number is never two processes
 * at once.
 *
 * *Knows*: processes, the time. *Does not know*: settings, sockets, what workers count.
 */

import { getLogger } from "@logtape/logtape";
import { BackOff } from "./back_off.ts";
import type { ChannelEnd } from "./channel.ts";
import { type WorkerEnd, WorkerProcess } from "./worker_process.ts";

const log = getLogger(["popkeep", "net"]);

/** The question that a worker answers at once, whatever else it does. */
export const ALIVE = "alive";

/** How often a worker is asked whether it lives, ms. */
const ALIVE_EVERY_MS = 10_000;

/** How long its answer may take, ms: longer than the worst stall of a machine that still works. */
const ALIVE_LIMIT_MS = 30_000;

const ALIVE_PIECES = 10;

/** What a worker answers to "serve" and "reload": how it went. */
export type WorkerAnswer = { readonly done: true } | {
  readonly done: false;
  readonly fault: unknown;
};

export interface SupervisorOptions {
  readonly workers: number;
  /** The command line of a worker; its number is added. */
  readonly command: readonly [string, ...string[]];
  /** File descriptors that each worker gets. */
  readonly hands: readonly number[];
  /** What a worker is asked to serve by; asked for at each start. */
  readonly task: (worker: number) => unknown;
  readonly asked: (worker: number, question: string, value: unknown) => Promise<unknown>;
  readonly told: (worker: number, event: string, value: unknown) => void;
  /** Before a number is used again. */
  readonly gone: (worker: number) => void;
  /** How long a worker may say nothing, ms; tests do not wait as long. */
  readonly aliveLimitMs?: number;
}

/** A worker that could not begin; `fault` is what it said of it. */
export class WorkerCannotServe extends Error {
  override readonly name = "WorkerCannotServe";
  readonly fault: unknown;

  constructor(fault: unknown) {
    super("A worker cannot serve");
    this.fault = fault;
  }
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  /** By number, those that run. */
  readonly #running = new Map<number, WorkerProcess>();
  /** Those of them that serve. */
  readonly #serving = new Set<number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #stopping = false;
  #stopped: (() => void) | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Starts all; resolves when all serve.
   *
   * @throws {WorkerCannotServe} If one cannot; then none is left.
   */
  async start(): Promise<void> {
    const numbers = Array.from({ length: this.#options.workers }, (_, at) => at + 1);
    const begun = await Promise.allSettled(numbers.map(async (worker) => {
      const running = this.#spawn(worker);
      await this.#begin(worker, running);
      void this.#keep(worker, running, new BackOff());
    }));
    const failed = begun.find((one) => one.status === "rejected");
    if (failed === undefined) return;
    this.#stopping = true;
    for (const running of this.#running.values()) running.kill("SIGKILL");
    await this.#noneLeft();
    throw failed.reason;
  }

  /** Workers that serve now. */
  get serving(): readonly number[] {
    return [...this.#serving].sort((a, b) => a - b);
  }

  /** Workers whose process runs, also those that are about to serve. */
  get running(): readonly number[] {
    return [...this.#running.keys()].sort((a, b) => a - b);
  }

  /** The process id of a worker that runs. */
  processOf(worker: number): number | undefined {
    return this.#running.get(worker)?.process;
  }

  /** @throws {ChannelFault} If it does not run, ends meanwhile, or fails at it. */
  async ask(worker: number, question: string, value?: unknown): Promise<unknown> {
    const running = this.#running.get(worker);
    if (running === undefined) throw new Error(`Worker ${worker} does not run`);
    return await running.channel.ask(question, value);
  }

  /**
   * Asks all whose process runs, also those that are about to serve, and those that end and have sessions left;
   * who has ended meanwhile, or cannot answer, is not in the result.
   */
  async askAll(question: string, value?: unknown): Promise<ReadonlyMap<number, unknown>> {
    const answers = await Promise.allSettled(
      this.running.map(async (worker) =>
        [worker, await this.ask(worker, question, value)] as const
      ),
    );
    return new Map(answers.flatMap((one) => one.status === "fulfilled" ? [one.value] : []));
  }

  /** Who ends meanwhile does not hear it. */
  tell(worker: number, event: string, value?: unknown): void {
    this.#running.get(worker)?.channel.tell(event, value);
  }

  tellAll(event: string, value?: unknown): void {
    for (const { channel } of this.#running.values()) channel.tell(event, value);
  }

  /** Ends one in good order; another one takes its place. */
  replace(worker: number): void {
    this.#serving.delete(worker);
    this.#running.get(worker)?.channel.tell("stop");
  }

  /** Ends all in good order; those that are not done within `mostMs` at once. Resolves when none is left. */
  async stop(mostMs: number): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.tellAll("stop");
    const hardStop = setTimeout(() => {
      for (const [worker, running] of this.#running) {
        log.error("a worker did not stop and is ended", { worker, process: running.process });
        running.kill("SIGKILL");
      }
    }, mostMs);
    await this.#noneLeft();
    clearTimeout(hardStop);
  }

  #spawn(worker: number): WorkerProcess {
    const { command, hands, asked, told } = this.#options;
    const end: Omit<ChannelEnd, "ended"> = {
      asked: (question, value) => asked(worker, question, value),
      told: (event, value) => told(worker, event, value),
    };
    const running = new WorkerProcess({ command: [...command, String(worker)], hands }, end);
    this.#running.set(worker, running);
    void running.ended.then(() => this.#ended(worker, running));
    void this.#watch(worker, running);
    return running;
  }

  /** Ends it once it says nothing any more. Never rejects. */
  async #watch(worker: number, running: WorkerProcess): Promise<void> {
    const { aliveLimitMs = ALIVE_LIMIT_MS } = this.#options;
    let isGone = false;
    void running.ended.then(() => isGone = true);
    while (!isGone) {
      let isSilent = true;
      const answered = running.channel.ask(ALIVE).catch(() => {}).then(() => isSilent = false);
      // In pieces: where this process itself was stopped for a while, only one of them is over at once.
      for (let piece = 0; piece < ALIVE_PIECES && isSilent; piece++) {
        await Promise.race([answered, idleWait(aliveLimitMs / ALIVE_PIECES)]);
      }
      if (isSilent && !isGone) {
        log.error("a worker does not answer and is ended", { worker, process: running.process });
        return running.kill("SIGKILL");
      }
      await Promise.race([running.ended, idleWait(Math.min(ALIVE_EVERY_MS, aliveLimitMs))]);
    }
  }

  #ended(worker: number, running: WorkerProcess): void {
    this.#serving.delete(worker);
    if (this.#running.get(worker) === running) this.#running.delete(worker);
    this.#options.gone(worker);
    if (this.#running.size === 0) this.#stopped?.();
  }

  /** Resolves when it serves. @throws {WorkerCannotServe} If it cannot, or ends before. */
  async #begin(worker: number, running: WorkerProcess): Promise<void> {
    const answered = running.channel.ask("serve", this.#options.task(worker)).catch((error) =>
      error
    );
    const answer = await answered as WorkerAnswer | Error;
    if (!(answer instanceof Error) && answer.done) {
      this.#serving.add(worker);
      log.info("worker serves", { worker, process: running.process });
      return;
    }
    running.kill("SIGKILL");
    const end = await running.ended;
    throw new WorkerCannotServe(answer instanceof Error ? endInWords(end) : answer.fault);
  }

  /** Starts a worker again each time that it ends. Never rejects. */
  async #keep(worker: number, first: WorkerProcess, backOff: BackOff): Promise<void> {
    for (let running = first;;) {
      const end = await running.ended;
      if (this.#stopping) return;
      const waitMs = backOff.after(performance.now() - running.startedMs);
      log.warning("worker ended and is started again", {
        worker,
        process: running.process,
        exitCode: end.exitCode,
        signal: end.signal,
        waitMs,
      });
      await this.#wait(waitMs);
      if (this.#stopping) return;
      running = this.#spawn(worker);
      try {
        await this.#begin(worker, running);
      } catch (error) {
        if (this.#stopping) return;
        const reason = error instanceof WorkerCannotServe ? inWords(error.fault) : String(error);
        log.error("a worker cannot serve", { worker, reason });
      }
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }

  #noneLeft(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#stopped = resolve);
  }
}

/** Keeps no process alive. */
function idleWait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** What a worker said of why it cannot serve. */
function inWords(fault: unknown): string {
  const { messages } = Object(fault) as { readonly messages?: unknown };
  return Array.isArray(messages) ? messages.join("; ") : String(fault);
}

function endInWords({ exitCode, signal }: WorkerEnd): string {
  if (signal !== undefined) return `it was ended by ${signal}`;
  return exitCode === undefined ? "it could not be started" : `it ended with exit code ${exitCode}`;
}
