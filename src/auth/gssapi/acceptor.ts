/**
 * Accepts Kerberos tickets for the mechanism GSSAPI, in threads of its own.
 *
 * Each exchange keeps the settings that it began with; `configure` holds for those that come later. The
 * library is held open by this thread as long as the process runs: contexts outlive the threads that
 * made them, and must not outlive the code that their pointers lead to.
 *
 * *Knows* jobs, principals, policies. *Does not know* SASL, the library's calls, or whether a user exists.
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
import type { Accepted, GssapiAcceptor, GssapiContext } from "../mechanisms/gssapi.ts";
import type { GssapiAnswer, GssapiJob, KeytabUse } from "./job.ts";
import { openGssapi } from "./library.ts";
import { isUserTemplate, type Principal, readPrincipal, userOf } from "./principal.ts";

const logger = getLogger(["popkeep", "auth"]);

/** What is known to be the same for the binding of a context to its TLS, after Exchange. */
export type ChannelBindingPolicy = "none" | "allow" | "require";

export interface KerberosOptions {
  /** Absolute path. */
  readonly keytab: string;
  /** Realms whose principals may be users; none: those in which the keytab has a key of the service. */
  readonly realms: readonly string[];
  /** How a principal becomes a user: a text with `{name}`, and `{realm}` if wanted. */
  readonly userTemplate: string;
  /**
   * - `none`: bindings are not looked at.
   * - `allow`: a client's binding has to be right if it sends one.
   * - `require`: it has to send one.
   */
  readonly channelBindings: ChannelBindingPolicy;
  /**
   * Absolute path of a file for the tokens that were used, so that they cannot be used again; made if it
   * is not there, in a folder that has to be. Undefined: the library's own, in /var/tmp.
   */
  readonly replayCache?: string;
}

/** What one connection adds. */
export interface ClientSide {
  /** For the log. */
  readonly address?: string | undefined;
  /** Application data of tls-server-end-point (RFC 5929 §4, RFC 5056 §2.1); undefined without TLS. */
  readonly channelBinding?: Uint8Array | undefined;
}

export interface KerberosDependencies {
  readonly calls?: BlockingCalls<GssapiJob, GssapiAnswer>;
  readonly nowMs?: () => number;
  /** Loads the library into this thread, or throws why it cannot. */
  readonly loadLibrary?: () => unknown;
}

export class Kerberos {
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
    this.#options = checked(options);
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
    this.#options = checked(options);
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

  /** For the contexts: has a thread do a job. Undefined if that came to nothing, which is in the log. */
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

class KerberosContext implements GssapiContext {
  readonly #options: KerberosOptions;
  readonly #client: ClientSide;
  readonly #kerberos: Kerberos;
  /** 0n before the first token and after the end. */
  #context = 0n;
  #principal = "";
  #busy = false;
  #released = false;

  constructor(options: KerberosOptions, client: ClientSide, kerberos: Kerberos) {
    this.#options = options;
    this.#client = client;
    this.#kerberos = kerberos;
  }

  async accept(token: Uint8Array): Promise<Accepted> {
    const { channelBindings } = this.#options;
    const { channelBinding } = this.#client;
    if (channelBindings === "require" && channelBinding === undefined) {
      return this.#refuse("there is no TLS that the client could be bound to");
    }
    const context = this.#context;
    const answer = await this.#perform({
      kind: "accept",
      use: useOf(this.#options),
      context,
      token,
      channelBinding: channelBindings === "none" ? undefined : channelBinding,
    });
    switch (answer?.kind) {
      case "continue":
        return { kind: "continue", token: answer.token };
      case "complete":
        return this.#identify(answer);
      case "refused":
        return this.#refuse(answer.reason, answer.detail);
      default:
        return { kind: "unavailable" };
    }
  }

  async wrap(octets: Uint8Array): Promise<Uint8Array | undefined> {
    const answer = await this.#perform({ kind: "wrap", context: this.#context, octets });
    if (answer?.kind === "octets") return answer.octets;
    if (answer?.kind === "refused") this.tell(answer.reason);
    return undefined;
  }

  async unwrap(token: Uint8Array): Promise<Uint8Array | undefined> {
    const answer = await this.#perform({ kind: "unwrap", context: this.#context, token });
    if (answer?.kind === "octets") return answer.octets;
    if (answer?.kind === "refused") {
      this.#refuse("the client's answer is not protected by its ticket", answer.detail);
    }
    return undefined;
  }

  release(): void {
    this.#released = true;
    // A call under way has the context; what comes back is released then.
    if (this.#busy || this.#context === 0n) return;
    const context = this.#context;
    this.#context = 0n;
    void this.#kerberos.perform({ kind: "release", context });
  }

  tell(reason: string): void {
    this.#refuse(reason);
  }

  #identify(answer: GssapiAnswer & { kind: "complete" }): Accepted {
    const { channelBindings, realms, userTemplate } = this.#options;
    const principal = readPrincipal(answer.principal);
    this.#principal = new TextDecoder().decode(answer.principal);
    if (principal === undefined || answer.anonymous) {
      return this.#refuse(
        "the principal is none of a user: it has an instance, or unusual characters",
      );
    }
    const user = userOf(principal, userTemplate);
    if (!isOfRealms(principal, realms.length > 0 ? realms : answer.realms)) {
      return this.#refuse("the principal is of a realm that is not among gssapi_realms");
    }
    if (channelBindings === "require" && !answer.bound) {
      return { ...this.#refuse("the client has not bound itself to its TLS"), user };
    }
    return { kind: "complete", token: answer.token, user, principal: this.#principal };
  }

  /** One call at a time, and none after the release. */
  async #perform(job: GssapiJob): Promise<GssapiAnswer | undefined> {
    if (this.#released || this.#busy) return undefined;
    this.#busy = true;
    const answer = await this.#kerberos.perform(job);
    this.#busy = false;
    if (job.kind === "accept") {
      // The thread has released it if it answers otherwise; if it does not answer, it may still use it.
      const goesOn = answer?.kind === "continue" || answer?.kind === "complete";
      this.#context = goesOn ? answer.context : 0n;
    } else if (answer === undefined) this.#context = 0n;
    if (answer?.kind === "failed") this.#tellFailure(answer);
    if (this.#released) this.release();
    return answer;
  }

  #refuse(reason: string, detail = ""): { readonly kind: "refused"; readonly user: string } {
    logger.info("a Kerberos login was refused", {
      address: this.#client.address,
      principal: this.#principal,
      reason,
      detail,
    });
    return { kind: "refused", user: "" };
  }

  #tellFailure({ reason, detail }: GssapiAnswer & { kind: "failed" }): void {
    logger.error("a Kerberos login could not be checked", {
      address: this.#client.address,
      keytab: this.#options.keytab,
      reason,
      detail,
    });
    this.#kerberos.doubt();
  }
}

function isOfRealms({ realm }: Principal, realms: readonly string[]): boolean {
  return realms.includes(realm);
}

function useOf({ keytab, replayCache }: KerberosOptions): KeytabUse {
  return { keytab, replayCache };
}

function checked(options: KerberosOptions): KerberosOptions {
  if (isUserTemplate(options.userTemplate)) return options;
  throw new RangeError(`The template "${options.userTemplate}" gives no user names`);
}

function startWorker(): Worker {
  return new Worker(workerLocation("src/auth/gssapi/gssapi_worker.ts", import.meta.url));
}
