/**
 * `popkeep worker N`: one of several processes that serve, started by `popkeep serve` with `workers` in its
 * settings, and told by it what to do over standard input and output. Where the supervisor is gone, the
 * worker stops as if told to, so that none is left that nobody keeps.
 *
 * SIGTERM and SIGINT stop it too: a service manager may send them to all processes at once. Settings are read
 * again only when the supervisor says so.
 *
 * *Knows*: what the supervisor says. *Does not know*: where settings come from.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { configureLog, logFrom, logWritten } from "../../admin/log.ts";
import { numberSessionsBy } from "../../admin/session_log.ts";
import { GuardByAsking } from "../../auth/guessing/guard_by_asking.ts";
import { GUARD_PAIR_FAILED } from "../../auth/guessing/guard_messages.ts";
import { DISK_THREADS } from "../../limits.ts";
import { OpenMailboxes } from "../../maildir/open_mailboxes.ts";
import { Channel } from "../../net/workers/channel.ts";
import { SharedCounts } from "../../net/workers/shared_counts.ts";
import { HANDED_FROM } from "../../net/workers/worker_process.ts";
import { ALIVE, type WorkerAnswer } from "../../net/workers/supervisor.ts";
import { allowDiskThreads } from "../../platform/disk_threads.ts";
import type { Beginning } from "../beginning.ts";
import { endSoon } from "../end_soon.ts";
import { ExitCode } from "../exit_codes.ts";
import { Failure, failureFrom } from "../failure.ts";
import { guessingOptions } from "../guessing_options.ts";
import type { Remembered } from "../remembered.ts";
import { orListenFailure } from "../listen_failure.ts";
import { Service } from "../service.ts";
import { surviveFaults } from "../survive_faults.ts";
import { VERSION } from "../version.ts";
import { ProtocolLinesToSupervisor } from "./protocol_lines.ts";
import {
  APP_PASSWORD_USED,
  type AppPasswordUsed,
  BORROW,
  GIVE_BACK,
  HASTEN,
  RELOAD,
  SERVE,
  STOP,
  TAKE_SOCKETS,
  type Task,
  type TaskFault,
} from "./task.ts";

const log = getLogger(["popkeep", "cli"]);

/** Serves until told to stop. @throws {Failure} If it is not a supervisor that starts it. */
export async function runWorker(args: readonly string[]): Promise<void> {
  const number = Number(args[0]);
  if (!Number.isInteger(number) || number < 1 || process.stdin.isTTY) {
    throw new Failure(ExitCode.usage, "workers are started by `popkeep serve`, see its settings");
  }
  allowDiskThreads(DISK_THREADS);
  const worker = new Worker(number);
  await worker.stopped;
  endSoon();
}

class Worker {
  readonly #number: number;
  readonly #channel: Channel;
  readonly #stopped = Promise.withResolvers<void>();
  /** Tasks are done one after the other: a reload that comes early waits until it serves. */
  #lastAnswer: Promise<unknown> = Promise.resolve();
  #service: Service | undefined;
  #guard: GuardByAsking | undefined;
  #remembered: { madeUpKey: Uint8Array } & Remembered | undefined;
  /** Mailboxes that are lent to who removes old mail; what gives each back. */
  readonly #lent = new Map<string, Promise<(() => void) | undefined>>();
  readonly #openMailboxes = new OpenMailboxes();
  #isStopping = false;

  constructor(number: number) {
    this.#number = number;
    logFrom({ worker: number });
    surviveFaults();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#stop());
    process.on("SIGHUP", () => {});
    this.#channel = new Channel(process.stdin, process.stdout, {
      asked: (question, value) => this.#asked(question, value),
      told: (event, value) => this.#told(event, value),
      ended: () => {
        if (!this.#isStopping) log.error("the supervisor is gone");
        void this.#stop();
      },
    });
  }

  /** Resolves when it has. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  #asked(question: string, value: unknown): Promise<unknown> {
    if (question === BORROW) return this.#lend(String(value));
    const task = value as Task;
    if (question === ALIVE) return Promise.resolve({ done: true });
    // At once: the supervisor tells of what it lends, and of what it has back, in this order.
    if (question === SERVE) { for (const path of task.lent) void this.#lend(path); }
    const answer = this.#lastAnswer.then(async (): Promise<WorkerAnswer> => {
      try {
        if (question === SERVE) await this.#serve(task);
        else if (question === RELOAD) await this.#reload(task);
        return { done: true };
      } catch (error) {
        const { exitCode, messages } = failureFrom(error);
        return { done: false, fault: { exitCode, messages } satisfies TaskFault };
      }
    });
    this.#lastAnswer = answer;
    return answer;
  }

  #told(event: string, value: unknown): void {
    if (event === GUARD_PAIR_FAILED) this.#guard?.pairFailed(String(value));
    else if (event === STOP) void this.#stop();
    else if (event === HASTEN) this.#service?.hasten();
    else if (event === TAKE_SOCKETS) this.#takeSockets();
    else if (event === GIVE_BACK) this.#giveBack(String(value));
  }

  /** Whether the mailbox is lent now: also before we serve, since sessions may begin before it is back. */
  async #lend(path: string): Promise<boolean> {
    const lending = this.#openMailboxes.lend(path);
    this.#lent.set(path, lending);
    return await lending !== undefined;
  }

  #giveBack(path: string): void {
    void this.#lent.get(path)?.then((giveBack) => giveBack?.());
    this.#lent.delete(path);
  }

  async #serve(task: Task): Promise<void> {
    const { settings } = task;
    if (task.version !== VERSION) {
      throw new Failure(
        ExitCode.temporary,
        `this is ${VERSION} and the supervisor ${task.version}; restart the service`,
      );
    }
    configureLog(settings);
    const counts = SharedCounts.join(task.counts, HANDED_FROM);
    numberSessionsBy(() => counts.nextSession());
    this.#guard = new GuardByAsking(this.#channel, guessingOptions(settings), task.guard);
    this.#remembered = {
      guard: this.#guard,
      madeUpKey: keyOf(task),
      noteAppPassword: (user, name, address) => {
        const used: AppPasswordUsed = {
          user,
          name,
          ...(address === undefined ? {} : { address }),
        };
        this.#channel.tell(APP_PASSWORD_USED, used);
      },
    };
    const { certificates } = task;
    const beginning: Beginning = certificates === undefined ? {} : { certificates };
    this.#service = await orListenFailure(Service.start(settings, beginning, {
      places: counts.placesOf(this.#number),
      remembered: this.#remembered,
      openProtocolLog: () => new ProtocolLinesToSupervisor(this.#channel),
      hasSockets: task.hasSockets,
      openMailboxes: this.#openMailboxes,
    }));
  }

  /** When it serves, and not while settings change. */
  #takeSockets(): void {
    const taken = this.#lastAnswer.then(() => this.#service?.takeSockets());
    this.#lastAnswer = taken.catch((error) => {
      const reason = error instanceof Error ? error.message : String(error);
      log.error("sockets cannot be taken over", { reason });
    });
  }

  async #reload(task: Task): Promise<void> {
    const { settings } = task;
    const remembered = this.#remembered!;
    const { madeUpKey } = remembered;
    remembered.madeUpKey = keyOf(task);
    try {
      await orListenFailure(this.#service!.reload(settings));
    } catch (error) {
      remembered.madeUpKey = madeUpKey;
      throw error;
    }
    this.#guard!.secrets = task.guard;
  }

  async #stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    // One that is about to serve finishes that first.
    await this.#lastAnswer;
    await this.#service?.stop();
    await this.#channel.flushed();
    await logWritten();
    this.#stopped.resolve();
    // The channel would keep the process for as long as the supervisor runs.
    process.exit(ExitCode.ok);
  }
}

function keyOf({ madeUpKey }: Task): Uint8Array {
  return new Uint8Array(Buffer.from(madeUpKey, "base64url"));
}
