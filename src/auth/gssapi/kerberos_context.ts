/**
 * One security context on our side: the jobs for it, and what its principal is worth.
 *
 * One job at a time; what is given back while one is under way is released when that is done. A job that
 * does not come back keeps its context: a thread that hangs may still be using it.
 *
 * *Knows* jobs, principals, policies. *Does not know* SASL, the library, or whether a user exists.
 */

import { getLogger } from "@logtape/logtape";
import type { Accepted, GssapiContext } from "../mechanisms/gssapi.ts";
import type { GssapiAnswer, GssapiJob } from "./job.ts";
import { bindingOf, type ClientSide, type KerberosOptions, useOf } from "./kerberos_options.ts";
import { readPrincipal, userOf } from "./principal.ts";

const logger = getLogger(["popkeep", "auth"]);

/** What a context needs of those who have the threads. */
export interface KerberosThreads {
  /** Has a thread do a job. Undefined if that came to nothing, which is in the log. */
  perform(job: GssapiJob): Promise<GssapiAnswer | undefined>;
  /** Something was not as it should be: whether logins can succeed is to be found out anew. */
  doubt(): void;
}

export class KerberosContext implements GssapiContext {
  readonly #options: KerberosOptions;
  readonly #client: ClientSide;
  readonly #kerberos: KerberosThreads;
  /** 0n before the first token and after the end. */
  #context = 0n;
  #principal = "";
  #busy = false;
  #released = false;

  constructor(options: KerberosOptions, client: ClientSide, kerberos: KerberosThreads) {
    this.#options = options;
    this.#client = client;
    this.#kerberos = kerberos;
  }

  async accept(token: Uint8Array): Promise<Accepted> {
    const { extendedProtection } = this.#options;
    const binding = extendedProtection === "none" ? undefined : bindingOf(this.#client);
    if (extendedProtection === "require" && binding === undefined) {
      return this.#refuse("there is no TLS that the client could be bound to");
    }
    const context = this.#context;
    const answer = await this.#perform({
      kind: "accept",
      use: useOf(this.#options),
      context,
      token,
      channelBinding: binding,
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
    const { extendedProtection, nameSeparators, realms, userTemplate } = this.#options;
    const principal = readPrincipal(answer.principal, nameSeparators);
    this.#principal = new TextDecoder().decode(answer.principal);
    if (principal === undefined || answer.anonymous) {
      return this.#refuse(
        "the principal is none of a user: it has an instance, or unusual characters",
      );
    }
    const user = userOf(principal, userTemplate);
    const allowed = realms.length > 0 ? realms : answer.realms;
    if (!allowed.includes(principal.realm)) {
      return this.#refuse("the principal is of a realm that is not among gssapi_realms");
    }
    if (extendedProtection === "require" && !answer.bound) {
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
      ...(this.#principal === "" ? {} : { principal: this.#principal }),
      reason,
      ...(detail === "" ? {} : { detail }),
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
