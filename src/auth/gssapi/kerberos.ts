/**
 * Accepts Kerberos tickets for the mechanism GSSAPI, in threads of its own.
 *
 * Each exchange keeps the settings that it began with; `configure` holds for those that come later. The
 * library is held open by this thread as long as the process runs: contexts outlive the threads that
 * made them, and must not outlive the code that their pointers lead to.
 *
 * *Knows* threads and the library's place. *Does not know* what is in a ticket.
 */

import { Worker } from "node:worker_threads";
import { getLogger } from "@logtape/logtape";
import {
  GSSAPI_CALL_MS,
  GSSAPI_IDLE_MS,
  GSSAPI_QUEUE_LENGTH,
  GSSAPI_RECHECK_MS,
  GSSAPI_THREADS,
  STUCK_THREADS,
} from "../../limits.ts";
import { workerLocation } from "../../platform/worker_location.ts";
import { BlockingCalls } from "../blocking_calls.ts";
import type { GssapiAcceptor } from "../mechanisms/gssapi.ts";
import type { GssapiAnswer, GssapiJob } from "./job.ts";
import { KerberosContext, type KerberosThreads } from "./kerberos_context.ts";
import {
  checkedOptions,
  type ClientSide,
  type KerberosOptions,
  useOf,
} from "./kerberos_options.ts";
import { openGssapi } from "./library.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface KerberosDependencies {
  readonly calls?: BlockingCalls<GssapiJob, GssapiAnswer>;
  readonly nowMs?: () => number;
  /** Loads the library into this thread, or throws why it cannot. */
  readonly loadLibrary?: () => unknown;
}

export class Kerberos implements KerberosThreads {
  readonly #calls: BlockingCalls<GssapiJob, GssapiAnswer>;
  readonly #nowMs: () => number;
  readonly #loadLibrary: () => unknown;
  #library: unknown;
  #options: KerberosOptions;
  #usable = false;
  #fault: string | undefined;
  #checkedMs = -Infinity;

  /** @throws {RangeError} If the template cannot give names. */
  constructor(options: KerberosOptions, dependencies: KerberosDependencies = {}) {
    this.#options = checkedOptions(options);
    this.#calls = dependencies.calls ?? new BlockingCalls({
      purpose: "Kerberos",
      startWorker,
      threads: GSSAPI_THREADS,
      queueLength: GSSAPI_QUEUE_LENGTH,
      callLimitMs: GSSAPI_CALL_MS,
      idleLimitMs: GSSAPI_IDLE_MS,
      stuckThreads: STUCK_THREADS,
    });
    this.#nowMs = dependencies.nowMs ?? (() => performance.now());
    this.#loadLibrary = dependencies.loadLibrary ?? openGssapi;
  }

  /** Other settings from now on. To be followed by `check`. */
  configure(options: KerberosOptions): void {
    this.#options = checkedOptions(options);
  }

  /**
   * Whether a login can succeed, as far as was found out last: GSSAPI is offered where this is so. Asking
   * makes it be found out again, some seconds after it was not so.
   */
  get usable(): boolean {
    if (!this.#usable) this.doubt();
    return this.#usable;
  }

  /** Finds out in a while, and not again so soon, whether logins can succeed. */
  doubt(): void {
    if (this.#nowMs() - this.#checkedMs >= GSSAPI_RECHECK_MS) void this.check();
  }

  /** Finds out what stands in the way of logins and logs it; a sentence, or undefined if nothing does. */
  async check(): Promise<string | undefined> {
    this.#checkedMs = this.#nowMs();
    const { keytab } = this.#options;
    const fault = await this.#obstacle();
    this.#checkedMs = this.#nowMs();
    const isNews = fault !== this.#fault || fault === undefined && !this.#usable;
    this.#fault = fault;
    this.#usable = fault === undefined;
    if (!isNews) return fault;
    if (fault === undefined) logger.info("AUTH GSSAPI can work", { keytab });
    else logger.error("AUTH GSSAPI cannot work", { keytab, reason: fault });
    return fault;
  }

  /** The acceptor for the exchanges of one connection. */
  acceptorFor(client: ClientSide): GssapiAcceptor {
    return { begin: () => new KerberosContext(this.#options, client, this) };
  }

  /** Ends the threads; what is under way comes to nothing. */
  async close(): Promise<void> {
    await this.#calls.close();
  }

  async perform(job: GssapiJob): Promise<GssapiAnswer | undefined> {
    const library = this.#libraryFault();
    if (library !== undefined) {
      return { kind: "failed", reason: "the Kerberos library is not there", detail: library };
    }
    // Only what begins may be turned away: of what goes on, the context would be lost.
    return await (job.kind === "accept" && job.context === 0n
      ? this.#calls.call(job)
      : this.#calls.callAnyway(job));
  }

  async #obstacle(): Promise<string | undefined> {
    const library = this.#libraryFault();
    if (library !== undefined) return library;
    const answer = await this.#calls.call({ kind: "check", use: useOf(this.#options) });
    if (answer === undefined) return "the Kerberos library did not answer";
    return answer.kind === "failed" ? `${answer.reason}: ${answer.detail}` : undefined;
  }

  #libraryFault(): string | undefined {
    try {
      this.#library ??= this.#loadLibrary();
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

function startWorker(): Worker {
  return new Worker(workerLocation("src/auth/gssapi/gssapi_worker.ts", import.meta.url));
}
