/**
 * One kill of popkeep before one system call: strace sends SIGKILL when a thread makes that call for the
 * n-th time, so the call itself does not happen.
 *
 * *Knows* the server and strace. *Does not know* which calls are chosen.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { type RunningServer, startServer } from "../../support/server.ts";
import { isRunning, processOf, until } from "../../end_to_end/worker_processes.ts";
import { logged } from "../../end_to_end/server_log.ts";
import { isBrokenConnection } from "../broken_connection.ts";
import { CrashMailbox } from "./crash_mailbox.ts";
import type { Scenario } from "./scenarios.ts";
import { Tracer } from "./tracer.ts";

/** The system calls that matter, and what each is called by; those with `?` not every machine has. */
export const CALLS_TO_KILL_AT: Readonly<Record<string, string>> = {
  openat: "openat",
  write: "write,pwrite64",
  fsync: "fsync,fdatasync",
  link: "?link,linkat",
  rename: "?rename,?renameat,renameat2",
  unlink: "?unlink,unlinkat",
  ftruncate: "ftruncate",
  close: "close",
};

export interface Kill {
  readonly scenario: Scenario;
  /** A key of `CALLS_TO_KILL_AT`. */
  readonly call: string;
  /** Each thread's n-th. */
  readonly nth: number;
}

/** More users than there are kills in one run: each has a mailbox of its own. */
const USERS = 3_000;

const WORKERS = 2;

export interface KillableOptions {
  readonly workers: boolean;
  readonly exactSizes: boolean;
}

/** A server that is killed and started again, on the same folder. */
export class KillableServer {
  #server: RunningServer;
  readonly #settings: string;
  readonly #hasWorkers: boolean;
  #users = 0;
  /** Mailboxes whose lock has to be watched until it is stale: looked at in the end. */
  readonly #waiting: { mailbox: CrashMailbox; user: string }[] = [];

  private constructor(server: RunningServer, settings: string, hasWorkers: boolean) {
    this.#server = server;
    this.#settings = settings;
    this.#hasWorkers = hasWorkers;
  }

  static async start({ workers, exactSizes }: KillableOptions): Promise<KillableServer> {
    const settings = [
      'login_type = "plaintext_login"',
      'log_level = "debug"',
      `workers = ${workers ? WORKERS : 1}`,
      `enable_exact_rfc822_size = ${exactSizes}`,
    ].join("\n");
    const users = Array.from({ length: USERS }, (_, at) => `user${at}`);
    // What a session asks of the disk one after the other is done by one thread, whose calls are counted.
    process.env["UV_THREADPOOL_SIZE"] = "1";
    const server = await startServer({ users, settings });
    return new KillableServer(server, settings, workers);
  }

  /** Whether the server was killed; false if the scenario ran through before the n-th call. */
  async kill({ scenario, call, nth }: Kill): Promise<boolean> {
    const user = `user${this.#users++}`;
    const mailbox = new CrashMailbox(this.#server.maildir(user).path);
    await scenario.prepare(mailbox);
    const victims = await this.#victims();
    const calls = CALLS_TO_KILL_AT[call]!;
    const inject = ["-e", `trace=${calls}`, "-e", `inject=${calls}:signal=KILL:when=${nth}`];
    const tracer = await Tracer.watch(victims, inject);
    let failures: unknown[] = [];
    try {
      const sessions = Array.from({ length: scenario.sessions ?? 1 }, async () => {
        await scenario.act(mailbox, await this.#server.login(user));
      });
      const outcomes = await Promise.allSettled(sessions);
      failures = outcomes.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
      await tracer.quiet();
    } finally {
      await tracer.end();
    }
    // Before the server that comes next answers for it.
    const isKilled = victims.some((victim) => hasEnded(victim));
    for (const failure of failures) {
      if (!isKilled || !isBrokenConnection(failure)) throw failure;
    }
    if (this.#hasWorkers) await this.#victims();
    else if (isKilled) await this.#startAgain();
    if (lockIsUnsigned(mailbox)) this.#waiting.push({ mailbox, user });
    else await this.#check(mailbox, user);
    return isKilled;
  }

  /** Who is killed: the server, or its workers, all of which must serve. */
  async #victims(): Promise<number[]> {
    if (!this.#hasWorkers) return [this.#server.child.pid!];
    const workers = Array.from({ length: WORKERS }, (_, at) => at + 1);
    await logged(this.#server, { since: 0, message: "ready" });
    const processes = () => workers.map((worker) => processOf(this.#server, worker));
    await until(() => processes().every((process) => isRunning(process) && !hasEnded(process)));
    return processes();
  }

  async #startAgain(): Promise<void> {
    const { child, folder } = this.#server;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    this.#server = await startServer({ folder, settings: this.#settings });
  }

  /** What clients see now must go with what they saw before. */
  async #check(mailbox: CrashMailbox, user: string): Promise<void> {
    const { model } = mailbox;
    const listing = await mailbox.useBy(await this.#server.login(user), {});
    model.checkListing(listing);
    const present = mailbox.tokensOnDisk();
    model.check(present);
    assert.equal(listing.length, present.size, "not every message is shown");
    // One that is about to be taken away, and one list that was being made.
    assert.ok(mailbox.leftovers().length <= 2, `left behind: ${mailbox.leftovers()}`);
  }

  /** Looks at what could not be looked at before, and stops the server. */
  async stop({ check }: { readonly check: boolean }): Promise<number> {
    try {
      const all = check ? this.#waiting : [];
      await Promise.all(all.map(({ mailbox, user }) => this.#check(mailbox, user)));
      return all.length;
    } finally {
      delete process.env["UV_THREADPOOL_SIZE"];
      await this.#server.stop();
    }
  }
}

/** Killed between its making and its signing: nobody can tell whose it was. */
function lockIsUnsigned({ maildir }: CrashMailbox): boolean {
  const lock = `${maildir.sidecar}.lock`;
  return existsSync(lock) && readFileSync(lock).length === 0;
}

/** Whether a process is gone, or only waits for its parent to take note of that. */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return true;
  }
}
