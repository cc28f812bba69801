/**
 * One worker as the supervisor sees it: a process of the same program, and the channel to it, which is its
 * standard input and output. Its standard error is ours.
 *
 * *Knows*: processes. *Does not know*: what a worker does, or when one is started again.
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { Channel, type ChannelEnd } from "./channel.ts";

const log = getLogger(["popkeep", "net"]);

export interface WorkerCommand {
  readonly command: readonly [string, ...string[]];
  /** File descriptors that it gets, as `HANDED_FROM` and on. */
  readonly hands: readonly number[];
}

/** Behind standard input, output and error. */
export const HANDED_FROM = 3;

/** How a process ended. */
export interface WorkerEnd {
  /** Undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export class WorkerProcess {
  readonly channel: Channel;
  readonly ended: Promise<WorkerEnd>;
  readonly startedMs = performance.now();
  readonly #child: ChildProcess;

  constructor(
    { command: [program, ...words], hands }: WorkerCommand,
    end: Omit<ChannelEnd, "ended">,
  ) {
    const child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit", ...hands] });
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once(
        "exit",
        (code, signal) => resolve({ exitCode: code ?? undefined, signal: signal ?? undefined }),
      );
      // It could not be started at all.
      child.once("error", () => resolve({ exitCode: undefined, signal: undefined }));
    });
    this.channel = new Channel(child.stdout!, child.stdin!, {
      ...end,
      ended: (reason) => {
        // It takes this for our end, and stops in good order.
        if (reason === undefined) return void child.stdin!.end();
        log.error("a worker cannot be talked to", { process: child.pid, error: reason });
        this.kill("SIGKILL");
      },
    });
    void this.ended.then(() => this.channel.close());
  }

  get process(): number | undefined {
    return this.#child.pid;
  }

  /** Does nothing once it has ended. By process id: what Deno tells of a child that `kill` was called on is not true. */
  kill(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}
