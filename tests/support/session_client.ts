/**
 * A client that talks to a session without any wire: one line in, the whole answer out. What the
 * session says is read by the reply grammar, so that a test fails on the first octet that may not be.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { CheckPassword, LoginOutcome } from "../../src/auth/login.ts";
import type { Answer, Next } from "../../src/session/answer.ts";
import type {
  ConnectionFacts,
  SessionEvents,
  SessionServices,
} from "../../src/session/services.ts";
import { Session } from "../../src/session/session.ts";
import { piecesOf } from "./body_pieces.ts";
import { MemoryStore } from "./memory_store.ts";
import { ReplyReader } from "./reply_grammar.ts";

/** An answer as it was on the wire. */
export interface Heard {
  /** The response line without CRLF. */
  readonly line: string;
  /** The rest of a multi-line response with its terminator, latin1; undefined if there is none. */
  readonly body: string | undefined;
  readonly next: Next;
}

/** Users "alice" and "bob" with the password "secret"; "carol" is disabled, "dave" cannot be found out. */
export const checkPassword: CheckPassword = (user, password, actAs = "") => {
  const right = Buffer.from(password).toString("latin1") === "secret" &&
    (actAs === "" || actAs === user);
  const outcome: LoginOutcome = user === "dave"
    ? { kind: "unavailable" }
    : user === "carol" && right
    ? { kind: "disabled" }
    : (user === "alice" || user === "bob") && right
    ? { kind: "granted", account: { user, extra: {} } }
    : { kind: "refused" };
  return Promise.resolve(outcome);
};

export class SessionClient {
  readonly store: MemoryStore;
  readonly session: Session;
  readonly #reader = new ReplyReader();
  readonly #ascii: boolean;

  constructor(options: {
    readonly store?: MemoryStore;
    readonly services?: Partial<SessionServices>;
    readonly facts?: ConnectionFacts;
    readonly events?: SessionEvents;
    /** False for replies in a language that is not ASCII: the grammar is that of RFC 1939. */
    readonly ascii?: boolean;
  } = {}) {
    this.store = options.store ?? new MemoryStore();
    this.#ascii = options.ascii ?? true;
    const services: SessionServices = {
      banner: "popkeep ready",
      implementation: "popkeep-test",
      loginType: "plaintext_login",
      checkPassword,
      mechanismsFor: () => [],
      store: this.store,
      admitUser: () => ({ release() {} }),
      maxBadCommands: 20,
      maxFailedLogins: 5,
      ...options.services,
    };
    const facts = options.facts ?? { tls: false, stlsPossible: true };
    this.session = new Session(services, facts, options.events);
    this.#listen(Buffer.from(`${this.session.greeting().line}\r\n`));
  }

  /** Sends one line, draws the answer to its end and returns it. A string is sent as latin1. */
  async ask(line: string | Uint8Array): Promise<Heard> {
    const octets = typeof line === "string" ? Buffer.from(line, "latin1") : line;
    this.#reader.sent(octets);
    const answer = this.session.receive(octets);
    // What comes at once is lent: it must be heard before anything is awaited.
    return await this.hear(answer instanceof Promise ? await answer : answer);
  }

  /** Sends a line that is longer than its limit: of it the session hears no more than that. */
  async askTooLong(): Promise<Heard> {
    this.#reader.sent(Buffer.alloc(0));
    const answer = this.session.receiveTooLong();
    return await this.hear(answer instanceof Promise ? await answer : answer);
  }

  /** Sends lines one after the other and returns the last answer. */
  async askAll(...lines: readonly string[]): Promise<Heard> {
    assert.ok(lines.length > 0);
    let heard: Heard | undefined;
    for (const line of lines) heard = await this.ask(line);
    return heard!;
  }

  /** Logs alice in. */
  async logIn(): Promise<void> {
    const { line } = await this.askAll("USER alice", "PASS secret");
    assert.match(line, /^\+OK/);
  }

  /** Draws an answer that the session gave by itself. */
  async hear(answer: Answer): Promise<Heard> {
    const pieces: Uint8Array[] = [];
    for await (const piece of piecesOf(answer.body ?? [])) pieces.push(piece);
    const body = answer.body === undefined ? undefined : Buffer.concat(pieces);
    this.#listen(Buffer.concat([Buffer.from(`${answer.line}\r\n`), body ?? Buffer.alloc(0)]));
    if (this.#ascii && answer.next === "start-tls") this.#reader.tlsStarted();
    return { line: answer.line, body: body?.toString("latin1"), next: answer.next };
  }

  #listen(octets: Uint8Array): void {
    if (this.#ascii) this.#reader.push(octets);
  }
}
