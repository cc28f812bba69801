/**
 * What holds in every state of a session: the services it was given, what is known of the connection,
 * what the client has chosen (language, UTF-8 mode) and how often it has erred.
 */

import type { SecureChannel } from "../auth/secure_channel.ts";
import type { Account } from "../maildrop/store.ts";
import { errLine, okLine } from "../wire/reply.ts";
import type { Answer, Body, Next } from "./answer.ts";
import { DEFAULT_LANGUAGE, type LanguageTag, say, type Wording } from "./languages.ts";
import { FAULTS } from "./replies.ts";
import type { ConnectionFacts, SessionEvents, SessionServices } from "./services.ts";

export class Conversation {
  readonly services: SessionServices;
  readonly events: SessionEvents;
  facts: ConnectionFacts;
  language: LanguageTag = DEFAULT_LANGUAGE;
  /** RFC 6856 §2.1. */
  utf8 = false;
  /** Whose maildrop is open; undefined before login. */
  account: Account | undefined;
  #badCommands = 0;
  #failedLogins = 0;

  constructor(services: SessionServices, facts: ConnectionFacts, events: SessionEvents) {
    this.services = services;
    this.facts = facts;
    this.events = events;
  }

  ok(wording: Wording, next: Next = "read"): Answer {
    return { line: okLine(say(this.language, wording)), next };
  }

  /** The first line of a multi-line response, and the rest of it. */
  okMultiLine(wording: Wording, body: Body): Answer {
    return { line: okLine(say(this.language, wording)), body, next: "read" };
  }

  err(wording: Wording, code?: string, next: Next = "read"): Answer {
    return { line: errLine(say(this.language, wording), code), next };
  }

  /**
   * -ERR for what is no command, or none here and now: too many of them end the connection (C0005).
   * The last one says so, as SYS/PERM: somebody has to mend that client (RFC 3206 §4).
   */
  bad(wording: Wording): Answer {
    if (++this.#badCommands < this.services.maxBadCommands) return this.err(wording);
    this.events.turnedAway?.("too_many_bad_commands");
    return this.err(FAULTS.tooManyBadCommands, "SYS/PERM", "close");
  }

  /** -ERR for a login that came to nothing, whyever: too many of them end the connection (C0005). */
  loginFailed(wording: Wording, code: string): Answer {
    const last = ++this.#failedLogins >= this.services.maxFailedLogins;
    if (last) this.events.turnedAway?.("too_many_failed_logins");
    return this.err(wording, code, last ? "close" : "read");
  }

  /**
   * TLS is on: what was learnt from the client before it is forgotten (RFC 2595 §4). The counts stay,
   * or a client could begin them anew.
   */
  tlsStarted(channel: SecureChannel | undefined): void {
    this.facts = { tls: true, stlsPossible: false, channel };
    this.language = DEFAULT_LANGUAGE;
    this.utf8 = false;
  }
}
