/**
 * The process of the daily pass: looks after the mailboxes of all users that are listed, one after the other, with
 * a low priority. To those that sessions had open it comes back for half an hour.
 *
 * It may be ended at any time: each step is whole by itself, and the next pass does the rest.
 *
 * *Knows*: what the server has handed it. *Does not know*: when it is begun.
 */

import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { configureLog, logWritten } from "../../admin/log.ts";
import { isLocationFault, mailLocation } from "../../maildir/location.ts";
import type { Account } from "../../maildrop/store.ts";
import type { Settings } from "../../settings.ts";
import { endSoon } from "../end_soon.ts";
import { ExitCode } from "../exit_codes.ts";
import { Failure } from "../failure.ts";
import { openDirectories } from "../login_parts.ts";
import { Parts } from "../parts.ts";
import { mailboxQuota } from "../user_quota.ts";
import { VERSION } from "../version.ts";
import type { DailyTask } from "./daily_pass.ts";
import { listedUsers, type Unknown, unlistedDirectories } from "./listed_users.ts";
import { hasRetention, tidyAccount } from "./tidying.ts";

const log = getLogger(["popkeep", "delivery"]);

/** Below whatever serves clients. */
const NICENESS = 10;

/** How often, and how long after each other, mailboxes are tried that sessions have open. */
const RETRIES = 31;
const RETRY_MS = 60_000;

/** Longest task, characters. */
const TASK_CHARACTERS = 16_777_216;

/** @throws {Failure} If it is not a server that starts it. */
export async function runDailyPass(): Promise<void> {
  const task = await readTask();
  const { settings } = task;
  configureLog(settings);
  try {
    os.setPriority(NICENESS);
  } catch {
    // It need not be allowed.
  }
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => abort.abort());
  process.on("SIGHUP", () => {});
  try {
    await new Pass(task, abort.signal).run();
  } finally {
    await logWritten();
    endSoon();
  }
}

async function readTask(): Promise<DailyTask> {
  const notTyped = new Failure(
    ExitCode.usage,
    "the daily pass is started by `popkeep serve`; `popkeep expire` does the same by hand",
  );
  if (process.stdin.isTTY) throw notTyped;
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const piece of process.stdin) {
    text += piece;
    if (text.length > TASK_CHARACTERS) throw notTyped;
  }
  let task: DailyTask;
  try {
    task = JSON.parse(text) as DailyTask;
  } catch {
    throw notTyped;
  }
  if (task?.version === VERSION) return task;
  throw new Failure(
    ExitCode.temporary,
    `this is ${VERSION} and the server ${task?.version}; restart the service`,
  );
}

/** One pass over all mailboxes. */
class Pass {
  readonly #settings: Settings;
  readonly #nowMs: number;
  readonly #canBorrow: boolean;
  readonly #signal: AbortSignal;
  readonly #sums = { messages: 0, octets: 0, purged: 0, stale: 0, failed: 0 };
  #mailboxes = 0;
  #inUse = new Map<string, Account>();

  constructor({ settings, nowMs, canBorrow }: DailyTask, signal: AbortSignal) {
    this.#settings = settings;
    this.#nowMs = nowMs;
    this.#canBorrow = canBorrow;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const startedMs = performance.now();
    log.info("daily pass begins");
    if (!this.#canBorrow && hasRetention(this.#settings)) {
      log.warning("old mail stays, since nobody can ask which mailboxes are open");
    }
    await this.#all();
    for (let retries = 0; this.#inUse.size > 0 && retries < RETRIES; retries++) {
      await sleep(RETRY_MS, undefined, { signal: this.#signal }).catch(() => {});
      if (this.#signal.aborted) break;
      const again = [...this.#inUse.values()];
      this.#inUse = new Map();
      for (const account of again) await this.#tidy(account);
    }
    log.info(this.#signal.aborted ? "daily pass stopped" : "daily pass ended", {
      mailboxes: this.#mailboxes,
      ...this.#sums,
      inUse: this.#inUse.size,
      durationMs: Math.round(performance.now() - startedMs),
    });
  }

  async #all(): Promise<void> {
    const parts = new Parts();
    try {
      const directories = await openDirectories(this.#settings, parts);
      const unlisted = unlistedDirectories(this.#settings);
      if (unlisted.length > 0) {
        log.warning("users of these directories cannot be listed; their mail does not age", {
          directories: unlisted.join(", "),
        });
      }
      for await (const found of listedUsers(this.#settings, directories)) {
        if (this.#signal.aborted) return;
        if ("reason" in found) this.#tellUnknown(found);
        else {
          this.#mailboxes++;
          await this.#tidy(found);
          await this.#warn(found);
        }
      }
    } finally {
      await parts.closeAllBut();
    }
  }

  async #tidy(account: Account): Promise<void> {
    const sums = this.#sums;
    const refused: { folder: string; reason: string }[] = [];
    try {
      const folders = await tidyAccount(account, this.#settings, {
        leavesOld: !this.#canBorrow,
        nowMs: this.#nowMs,
        signal: this.#signal,
        onRefused: (folder, reason) => refused.push({ folder, reason }),
      });
      for (const { removed, purged, stale, failed, inUse } of folders) {
        sums.messages += removed.messages;
        sums.octets += removed.octets;
        sums.purged += purged;
        sums.stale += stale;
        sums.failed += failed;
        if (inUse > 0) this.#inUse.set(account.user, account);
      }
    } catch (error) {
      this.#tellFailed(account.user, error instanceof Error ? error.message : String(error));
    }
    // One line, whatever a user plants: the first, and how many there are.
    const [first] = refused;
    if (first !== undefined) {
      const { folder, reason } = first;
      this.#tellFailed(account.user, reason, { folder, folders: refused.length });
    }
  }

  /** Counts the mail where that is due, and tells a user whose mailbox is nearly full. */
  async #warn(account: Account): Promise<void> {
    const location = mailLocation(this.#settings.maildir, account);
    if (isLocationFault(location)) return;
    try {
      await mailboxQuota({ account, location, path: location.inbox }, this.#settings).look();
    } catch (error) {
      this.#tellFailed(account.user, error instanceof Error ? error.message : String(error));
    }
  }

  #tellUnknown({ user, reason }: Unknown): void {
    if (user === undefined) log.error("not all users could be listed", { reason });
    else this.#tellFailed(user, reason);
  }

  #tellFailed(user: string, reason: string, where: Record<string, unknown> = {}): void {
    log.error("a mailbox could not be looked after", { user, ...where, reason });
  }
}
