/**
 * One POP3 session: lines from a client in, answers out (RFC 1939 §3).
 *
 *     AUTHORIZATION --login--> TRANSACTION --QUIT--> UPDATE --> over
 *
 * *Knows* which state it is in and which table of commands that means. *Does not know* sockets, timers,
 * files, users or passwords. What the session holds, a place among the user's sessions and an open
 * maildrop, is given back by `end`, whatever way the connection ended. Whatever goes wrong, `receive`
 * gives an answer; only QUIT in TRANSACTION removes anything.
 */

import type { LoginOutcome } from "../auth/login.ts";
import type { SecureChannel } from "../auth/secure_channel.ts";
import { SASL_LINE_OCTETS } from "../limits.ts";
import { Marks } from "../maildrop/marks.ts";
import type { Maildrop } from "../maildrop/store.ts";
import { type Command, parseCommand, splitArguments } from "../wire/command.ts";
import { errLine, okLine } from "../wire/reply.ts";
import type { Answer } from "./answer.ts";
import {
  abandonExchange,
  type Authorization,
  AUTHORIZATION_COMMANDS,
  beginLine,
  endExchange,
  OTHER_PROTOCOLS,
  receiveResponse,
} from "./authorization.ts";
import type { CommandTable } from "./command_table.ts";
import { Conversation } from "./conversation.ts";
import { answerFailure, judgeFailure } from "./failures.ts";
import { say, type Wording } from "./languages.ts";
import { DONE, FAULTS } from "./replies.ts";
import { closeReading } from "./retrieve.ts";
import type {
  ConnectionFacts,
  LoggedIn,
  LoginFailureCause,
  SessionEvents,
  SessionServices,
  SessionSummary,
} from "./services.ts";
import { TRANSACTION_COMMANDS } from "./transaction.ts";
import type { Transaction } from "./transaction_state.ts";

/** What the client and the log are told of a login that came to nothing. */
interface TurnedAway {
  readonly wording: Wording;
  readonly code: string;
  readonly cause: LoginFailureCause;
}

const TURNED_AWAY = {
  refused: { wording: FAULTS.wrongCredentials, code: "AUTH", cause: "wrong_credentials" },
  disabled: { wording: FAULTS.accountDisabled, code: "SYS/PERM", cause: "disabled" },
  unavailable: { wording: FAULTS.temporary, code: "SYS/TEMP", cause: "unavailable" },
  delayed: { wording: FAULTS.tooManyFailures, code: "LOGIN-DELAY", cause: "delayed" },
  tooManySessions: {
    wording: FAULTS.tooManySessions,
    code: "SYS/TEMP",
    cause: "too_many_sessions",
  },
} as const satisfies Record<string, TurnedAway>;

type Granted = Extract<LoginOutcome, { kind: "granted" }>;

/** A login that was granted, and has a place among the user's sessions. */
interface Login {
  readonly mechanism: string;
  /** As sent. */
  readonly user: string;
  readonly granted: Granted;
  readonly place: { release(): void };
}

export class Session {
  readonly #conversation: Conversation;
  readonly #authorization: Authorization;
  #transaction: Transaction | undefined;
  #login: (LoggedIn & { readonly mechanism: string }) | undefined;
  #place: { release(): void } | undefined;
  #released = false;
  #summary: SessionSummary | undefined;

  constructor(services: SessionServices, facts: ConnectionFacts, events: SessionEvents = {}) {
    this.#conversation = new Conversation(services, facts, events);
    this.#authorization = {
      conversation: this.#conversation,
      logIn: (mechanism, user, outcome) => this.#logIn(mechanism, user, outcome),
      claiming: undefined,
      claimed: undefined,
      exchange: undefined,
    };
  }

  /** The first line sent. It holds no "<...>", or clients would try APOP (V0012). */
  greeting(): Answer {
    return { line: okLine(this.#conversation.services.banner), next: "read" };
  }

  /** Which limit the next line has: that of a command, or that of a SASL response (RFC 5034 §4). */
  get expects(): "command" | "sasl-response" {
    return this.#authorization.exchange === undefined ? "command" : "sasl-response";
  }

  /** The longest response that the exchange under way takes: octets of its line, CRLF included. */
  get responseLineOctets(): number {
    const octets = this.#authorization.exchange?.mechanism.maxResponseOctets;
    return octets === undefined ? SASL_LINE_OCTETS : 4 * Math.ceil(octets / 3) + 2;
  }

  get state(): "AUTHORIZATION" | "TRANSACTION" | "UPDATE" {
    if (this.#transaction === undefined) return "AUTHORIZATION";
    return this.#transaction.update === undefined ? "TRANSACTION" : "UPDATE";
  }

  /**
   * Takes one line from the client, without its line end. One at a time: the next one waits until this
   * one's answer is there and its body drawn. Never throws, never rejects.
   */
  receive(line: Uint8Array): Answer | Promise<Answer> {
    return this.#answer(() => this.#dispatch(line));
  }

  /** Answers a line that went over its limit, and was thrown away; as `receive` does. */
  receiveTooLong(): Answer | Promise<Answer> {
    beginLine(this.#authorization);
    if (this.expects === "command") return this.#conversation.bad(FAULTS.lineTooLong);
    return this.#answer(() => endExchange(this.#authorization, FAULTS.lineTooLong));
  }

  /**
   * TLS is on, from the beginning or after STLS: what was learnt from the client before is forgotten
   * (RFC 2595 §4).
   */
  tlsStarted(channel?: SecureChannel): void {
    this.#conversation.tlsStarted(channel);
    this.#authorization.claiming = undefined;
    abandonExchange(this.#authorization);
  }

  /** What is said when the inactivity timer runs out ([MS-STANXPOP3] V0003). Nothing is removed. */
  timedOut(): Answer {
    return this.#conversation.err(FAULTS.idleTooLong, undefined, "close");
  }

  /** What is said when the server stops before the client did. Nothing is removed. */
  shuttingDown(): Answer {
    return this.#conversation.err(FAULTS.shuttingDown, "SYS/TEMP", "close");
  }

  /**
   * The connection is over: gives back what the session holds, also what a login or an UPDATE that is
   * under way will come to hold later. Calling it again changes nothing.
   */
  end(): SessionSummary {
    if (this.#summary !== undefined) return this.#summary;
    this.#summary = this.#summarise();
    // UPDATE goes on to its end, since QUIT was received; then its answer's settling releases.
    if (this.#transaction?.update !== "under way") this.#release();
    abandonExchange(this.#authorization);
    return this.#summary;
  }

  #answer(find: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
    try {
      const answer = find();
      return answer instanceof Promise ? this.#settle(answer) : answer;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Awaits an answer; if the connection ended meanwhile, what the answer came to hold is let go. */
  async #settle(pending: Promise<Answer>): Promise<Answer> {
    try {
      return await pending;
    } catch (error) {
      return this.#failed(error);
    } finally {
      if (this.#summary !== undefined) this.#release();
    }
  }

  #dispatch(line: Uint8Array): Answer | Promise<Answer> {
    const conversation = this.#conversation;
    if (this.#summary !== undefined || this.state === "UPDATE") {
      return this.#over();
    }
    beginLine(this.#authorization);
    if (this.#authorization.exchange !== undefined) {
      return receiveResponse(this.#authorization, line);
    }
    const command = parseCommand(line);
    if ("fault" in command) return conversation.bad(FAULTS.noCommand);
    const transaction = this.#transaction;
    if (transaction !== undefined) {
      return this.#run(TRANSACTION_COMMANDS, transaction, command, AUTHORIZATION_COMMANDS);
    }
    if (OTHER_PROTOCOLS.has(command.keyword)) {
      conversation.events.turnedAway?.("other_protocol");
      return conversation.err(FAULTS.otherProtocol, undefined, "close");
    }
    return this.#run(AUTHORIZATION_COMMANDS, this.#authorization, command, TRANSACTION_COMMANDS);
  }

  /** Runs a command of the state's table; `others` are the commands of the other state. */
  #run<State>(
    table: CommandTable<State>,
    state: State,
    command: Command,
    others: { has(keyword: string): boolean },
  ): Answer | Promise<Answer> {
    const entry = table.get(command.keyword);
    if (entry === undefined) {
      const wording = others.has(command.keyword) ? FAULTS.wrongState : FAULTS.unknownCommand;
      return this.#conversation.bad(wording);
    }
    if (entry.arity === "rest") {
      const rest = command.rest ?? new Uint8Array(0);
      if (rest.length > 0) return entry.run(state, [rest]);
    } else {
      const args = splitArguments(command);
      const [least, most] = entry.arity;
      if (args.length >= least && args.length <= most) return entry.run(state, args);
    }
    return this.#conversation.bad(FAULTS.wrongArguments);
  }

  #logIn(mechanism: string, user: string, outcome: LoginOutcome): Answer | Promise<Answer> {
    if (outcome.kind !== "granted") {
      // Also when the client did not wait for its answer: else its guessing would leave no trace.
      return this.#turnAway(mechanism, user, TURNED_AWAY[outcome.kind]);
    }
    if (this.#summary !== undefined) return this.#over();
    return this.#openMaildrop(mechanism, user, outcome);
  }

  /** Answers at once where the store does. */
  #openMaildrop(mechanism: string, user: string, granted: Granted): Answer | Promise<Answer> {
    const { services } = this.#conversation;
    const place = services.admitUser(granted.account.user);
    if (place === undefined) {
      return this.#turnAway(mechanism, user, TURNED_AWAY.tooManySessions);
    }
    const login: Login = { mechanism, user, granted, place };
    let maildrop: Maildrop | Promise<Maildrop>;
    try {
      maildrop = services.store.open(granted.account);
    } catch (error) {
      return this.#notOpened(login, error);
    }
    if (!(maildrop instanceof Promise)) return this.#opened(login, maildrop);
    return maildrop.then(
      (maildrop) => this.#opened(login, maildrop),
      (error) => this.#notOpened(login, error),
    );
  }

  #notOpened({ mechanism, user, place }: Login, error: unknown): Answer {
    place.release();
    const { fatal, ...failure } = judgeFailure(this.#conversation, "opening the maildrop", error);
    const why: TurnedAway = { code: "SYS/TEMP", ...failure, cause: "storage_failed" };
    const answer = this.#turnAway(mechanism, user, why);
    return fatal ? { ...answer, next: "close" } : answer;
  }

  #opened({ mechanism, user, granted, place }: Login, maildrop: Maildrop): Answer {
    const conversation = this.#conversation;
    const { account, actedBy } = granted;
    this.#place = place;
    conversation.account = account;
    this.#login = { user: account.user, mechanism, actedBy, folder: account.folder };
    this.#transaction = {
      conversation,
      maildrop,
      marks: new Marks(maildrop.snapshot),
      retrieved: new Set(),
      sent: { messages: 0, octets: 0, tops: 0, topOctets: 0 },
      reading: undefined,
      update: undefined,
    };
    if (this.#summary !== undefined) return this.#over();
    conversation.events.loggedIn?.(user, mechanism, this.#login);
    const { count } = maildrop.snapshot;
    const noun = say(conversation.language, count === 1 ? DONE.message : DONE.messages);
    return { line: okLine(`${count} ${noun}`), next: "read" };
  }

  #turnAway(mechanism: string, user: string, { wording, code, cause }: TurnedAway): Answer {
    this.#conversation.events.loginFailed?.(user, mechanism, wording.en, cause);
    return this.#conversation.loginFailed(wording, code);
  }

  /** An exception that no handler foresaw: ours to mend, and this one connection's end. */
  #failed(error: unknown): Answer {
    try {
      return { ...answerFailure(this.#conversation, "answering a command", error), next: "close" };
    } catch {
      return { line: errLine(FAULTS.temporary.en, "SYS/TEMP"), next: "close" };
    }
  }

  #over(): Answer {
    return this.#conversation.err(FAULTS.closed, undefined, "close");
  }

  /** Gives back what the session holds; what was given back already is not given twice. */
  #release(): void {
    const transaction = this.#transaction;
    if (transaction !== undefined) {
      if (transaction.reading !== undefined) void closeReading(transaction);
      if (!this.#released) transaction.maildrop.close();
      this.#released = true;
    }
    this.#place?.release();
    this.#place = undefined;
  }

  #summarise(): SessionSummary {
    const transaction = this.#transaction;
    const { messages, octets, tops, topOctets } = transaction?.sent ??
      { messages: 0, octets: 0, tops: 0, topOctets: 0 };
    const update = typeof transaction?.update === "object" ? transaction.update : undefined;
    const count = transaction?.maildrop.snapshot.count ?? 0;
    const marked = transaction?.marks.count ?? 0;
    return {
      user: this.#login?.user,
      mechanism: this.#login?.mechanism,
      actedBy: this.#login?.actedBy,
      folder: this.#login?.folder,
      messages: count,
      retrieved: messages,
      retrievedOctets: octets,
      topped: tops,
      toppedOctets: topOctets,
      marked,
      markedOctets: transaction?.marks.octets ?? 0,
      removed: update?.removed ?? 0,
      remaining: count - (update?.removed ?? 0),
      droppedMarks: transaction?.update === undefined ? marked : 0,
    };
  }
}
