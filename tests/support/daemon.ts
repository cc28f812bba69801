/**
 * Somebody else's server as a child process, in a folder of its own: a directory server, a database.
 *
 * *Knows* processes. *Does not know* what they serve.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a server may take until it answers, and until it has ended, ms. */
const PATIENCE_MS = 60_000;

/** How long its threads may take to stop, once they are told to, ms. */
const FREEZE_MS = 10_000;

export interface DaemonOptions {
  /** The uid and gid to run as, for what refuses to be root. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
  /** Resolves once the server answers; rejects while it does not. */
  readonly answers: () => Promise<unknown>;
}

export class Daemon {
  readonly #child: ChildProcess;
  readonly #output: string[];

  constructor(child: ChildProcess, output: string[]) {
    this.#child = child;
    this.#output = output;
  }

  get output(): string {
    return this.#output.join("");
  }

  /** Ends it and waits until it has ended. */
  async stop(signal: "SIGTERM" | "SIGKILL" | "SIGINT" = "SIGTERM"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    // What is frozen takes no notice of any other.
    this.#signal("SIGCONT");
    this.#signal(signal);
    const killer = setTimeout(() => this.#signal("SIGKILL"), PATIENCE_MS);
    await exit;
    clearTimeout(killer);
  }

  /** Holds it: it keeps its connections, takes new ones and says nothing. */
  freeze(): void {
    this.#signal("SIGSTOP");
    // Threads that were running go on for a moment after the signal was sent, and may answer somebody.
    const giveUpAtMs = performance.now() + FREEZE_MS;
    while (!isFrozen(this.#child.pid!) && performance.now() < giveUpAtMs);
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  /** Thaws it after a time, whatever becomes of who asks; what it returns calls that off. */
  thawLater(seconds: number): () => void {
    // By a shell that is there when this returns: a child of one's own begins only in a later turn.
    const command = `(sleep ${seconds}; kill -CONT ${this.#child.pid}) >&- 2>&- & echo $!`;
    const waiting = Number(spawnSync("sh", ["-c", command], { encoding: "utf8" }).stdout);
    return () => {
      try {
        process.kill(waiting, "SIGKILL");
      } catch {
        // It is over.
      }
    };
  }

  /** Not by the child's own method, which under Deno sends one signal and no second. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    process.kill(this.#child.pid, signal);
  }
}

/**
 * Starts a server and waits until it answers.
 *
 * @throws {Error} With what it said, if it ends or does not answer.
 */
export async function startDaemon(
  command: readonly string[],
  { runAs, answers }: DaemonOptions,
): Promise<Daemon> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(runAs === undefined ? {} : runAs),
  });
  const output: string[] = [];
  child.stdout.on("data", (octets) => output.push(String(octets)));
  child.stderr.on("data", (octets) => output.push(String(octets)));
  let failure: Error | undefined;
  child.once("error", (error) => failure = error);
  // A test that fails must not leave it behind.
  process.once("exit", () => child.kill("SIGKILL"));
  const daemon = new Daemon(child, output);
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await answers();
      return daemon;
    } catch (error) {
      const ended = child.exitCode !== null || child.signalCode !== null;
      if (failure !== undefined || ended || performance.now() > untilMs) {
        if (failure === undefined) await daemon.stop("SIGKILL");
        throw new Error(`${program} does not run: ${failure?.message ?? daemon.output}`, {
          cause: error,
        });
      }
      await sleep(50);
    }
  }
}

/** Whom to run as what refuses to be root; undefined where nobody is root. */
export function unprivileged(): { uid: number; gid: number } | undefined {
  // Debian's user and group "nobody" and "nogroup".
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
}

/** Whether all threads of a process are stopped, as proc_pid_stat(5) tells it behind the command's name. */
function isFrozen(processId: number): boolean {
  return readdirSync(`/proc/${processId}/task`).every((thread) => {
    try {
      const stat = readFileSync(`/proc/${processId}/task/${thread}/stat`, "latin1");
      return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
    } catch {
      // The thread has ended.
      return true;
    }
  });
}
