/**
 * The daily pass of a running server: at its time it starts a process of this program that looks after all
 * mailboxes (daily_work.ts), so that neither its work nor a disk that hangs is felt by who is served. The process
 * gets the settings that are in force, borrows mailboxes from the server, and ends with it.
 *
 * *Knows*: clocks, processes. *Does not know*: what the pass does.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { ownCommand } from "../../platform/own_command.ts";
import type { Settings } from "../../settings.ts";
import { VERSION } from "../version.ts";
import { DAILY_PASS } from "./daily_argument.ts";
import { type Clocks, DueTime } from "./due_time.ts";

const log = getLogger(["popkeep", "cli"]);

/** The clock is looked at again after so long, ms: it may be set meanwhile, or the machine sleep. */
const LOOK_MS = 30_000;

/** Time that it gets to end what it is at, ms. */
const LAST_WORDS_MS = 5_000;

/** What the process is handed, as JSON on its standard input. */
export interface DailyTask {
  readonly version: string;
  readonly settings: Settings;
  /** What ages are reckoned from, ms since 1970: a clock that is set while the pass runs ages no mail. */
  readonly nowMs: number;
  /** Whether the pass can be told which mailboxes are open. */
  readonly canBorrow: boolean;
}

export class DailyPass {
  #settings: Settings;
  readonly #canBorrow: () => boolean;
  readonly #due: DueTime;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: ChildProcess | undefined;

  /** @param canBorrow Whether this server can be asked for mailboxes now. */
  constructor(settings: Settings, canBorrow: () => boolean) {
    this.#settings = settings;
    this.#canBorrow = canBorrow;
    this.#due = new DueTime(settings.retentionTime, clocks());
    this.#wait();
  }

  /** Goes on with other settings; a pass that runs ends with those that it began with. */
  set settings(settings: Settings) {
    this.#settings = settings;
    this.#due.change(settings.retentionTime, clocks());
  }

  /** Begins none any more, and ends the one that runs: what it has not come to waits for the next. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    const running = this.#running;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    const killing = setTimeout(() => running.kill("SIGKILL"), LAST_WORDS_MS);
    await ended;
    clearTimeout(killing);
  }

  #wait(): void {
    const leftMs = Math.min(Math.max(this.#due.dueMs - Date.now(), 0), LOOK_MS);
    this.#timer = setTimeout(() => {
      const now = clocks();
      const { isDue, aheadMs } = this.#due.look(now);
      if (isDue) this.#begin(now.wallMs);
      if (aheadMs !== undefined) {
        log.warning("the clock was set ahead; there is no daily pass for a day", {
          aheadSeconds: Math.round(aheadMs / 1_000),
          time: new Date(now.wallMs).toISOString(),
        });
      }
      this.#wait();
    }, leftMs);
    this.#timer.unref();
  }

  #begin(nowMs: number): void {
    if (this.#running !== undefined) {
      log.warning("the daily pass of yesterday goes on; there is none today");
      return;
    }
    const [command, ...first] = ownCommand();
    const child = spawn(command, [...first, DAILY_PASS], { stdio: ["pipe", "inherit", "inherit"] });
    this.#running = child;
    child.on("error", (error) => {
      this.#running = undefined;
      log.error("the daily pass cannot begin", { reason: error.message });
    });
    child.on("exit", (code, signal) => {
      this.#running = undefined;
      if (code === 0 || signal === "SIGTERM") return;
      log.error("the daily pass failed", {
        exitCode: code ?? undefined,
        signal: signal ?? undefined,
      });
    });
    child.stdin.on("error", () => {});
    const canBorrow = this.#canBorrow();
    const task: DailyTask = { version: VERSION, settings: this.#settings, nowMs, canBorrow };
    child.stdin.end(JSON.stringify(task));
  }
}

function clocks(): Clocks {
  return { wallMs: Date.now(), steadyMs: steadyMs() };
}

/** Since the machine was started, its sleep included: that is no clock that was set. */
function steadyMs(): number {
  try {
    const [seconds = ""] = readFileSync("/proc/uptime", "latin1").split(" ");
    if (/^\d+\.\d+$/.test(seconds)) return Number(seconds) * 1_000;
  } catch {
    // It is hidden from us; a machine that slept has no pass on that day then.
  }
  return performance.now();
}
