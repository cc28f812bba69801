/**
 * The server of a soak: killed, killed by the worker, started again and reloaded.
 *
 * *Knows* processes. *Does not know* mail.
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningServer, startServer } from "../../support/server.ts";
import { oneOf } from "../chance.ts";

/** A session that begins so soon after a kill may still meet who was killed, or nobody, ms. */
const AFTERMATH_MS = 5_000;

/** Between a kill and the kill of a worker, ms: workers that never come to serve prove nothing. */
const RECOVERY_MS = 2_000;

/** How long the processes of a server that was killed may live on, ms. */
const PATIENCE_MS = 60_000;

export interface SoakServerOptions {
  readonly workers: number;
  readonly users: readonly string[];
}

export class SoakServer {
  #current: RunningServer;
  readonly #settings: string;
  readonly #workers: number;
  #lastKillMs = -Infinity;
  /** Between a kill of all and the next start there is nobody to be killed or told. */
  #isDown = false;
  #reloads = 0;
  /** Processes of servers that were killed. */
  readonly #former = new Set<number>();
  /** What the servers before have written. */
  #formerLog = "";

  private constructor(server: RunningServer, settings: string, workers: number) {
    this.#current = server;
    this.#settings = settings;
    this.#workers = workers;
  }

  static async start({ workers, users }: SoakServerOptions): Promise<SoakServer> {
    const settings = [
      'login_type = "plaintext_login"',
      "max_connections_per_user = 1000",
      "max_connections_from_single_address = 10000",
      'log_level = "warning"',
      `workers = ${workers}`,
      'banner = "popkeep, soaked 0 times"',
    ].join("\n");
    return new SoakServer(await startServer({ users, settings }), settings, workers);
  }

  get current(): RunningServer {
    return this.#current;
  }

  /** Whether a session that began then may have lost its connection to a kill. */
  excuses(beganMs: number): boolean {
    return this.#lastKillMs + AFTERMATH_MS >= beganMs;
  }

  /** All processes that serve clients. */
  #serving(): number[] {
    const { pid } = this.#current.child;
    if (this.#workers === 1) return [pid!];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return children.trim().split(" ").filter((word) => word !== "").map(Number);
  }

  /** Kills one worker; false if there is none at the moment. */
  killWorker(random: () => number): boolean {
    if (this.#isDown || performance.now() < this.#lastKillMs + RECOVERY_MS) return false;
    const workers = this.#serving();
    if (this.#workers === 1 || workers.length === 0) return false;
    this.#lastKillMs = performance.now();
    try {
      process.kill(oneOf(workers, random), "SIGKILL");
    } catch {
      return false;
    }
    return true;
  }

  /** Kills the first process and starts a server anew, while workers of the old one may still be there. */
  async killAll(): Promise<void> {
    for (const worker of this.#serving()) this.#former.add(worker);
    this.#lastKillMs = performance.now();
    this.#isDown = true;
    await this.#current.halt("SIGKILL");
    this.#formerLog += this.#current.log;
    const { folder } = this.#current;
    this.#current = await startServer({ folder, settings: this.#settings });
    this.#isDown = false;
    this.#lastKillMs = performance.now();
  }

  /** Reads other settings while sessions go on. */
  reload(): void {
    if (this.#isDown) return;
    const file = `${this.#current.folder}/popkeep.toml`;
    const text = readFileSync(file, "utf8").replace(
      /soaked \d+ times/,
      `soaked ${++this.#reloads} times`,
    );
    writeFileSync(file, text);
    this.#current.signal("SIGHUP");
  }

  /** What a server said that must not happen, in its own words. */
  get faults(): string[] {
    const lines = `${this.#formerLog}${this.#current.log}`.split("\n");
    return lines.filter((line) => /fault in popkeep|"level":"fatal"|panic/i.test(line));
  }

  /** Stops everything; returns how many processes of servers that were killed did not end. */
  async stop(): Promise<number> {
    for (const worker of this.#serving()) this.#former.add(worker);
    await this.#current.stop();
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const left = [...this.#former].filter((pid) => isPopkeep(pid));
      if (left.length === 0 || performance.now() > giveUpAtMs) return left.length;
      await sleep(100);
    }
  }
}

/** Whether a process is there still, and not another one by its number. */
function isPopkeep(pid: number): boolean {
  try {
    return / worker|\0worker/.test(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
  } catch {
    return false;
  }
}
