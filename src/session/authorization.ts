/**
 * The AUTHORIZATION state (RFC 1939 §4, §7 USER, PASS; RFC 5034 AUTH; RFC 2595 §4 STLS; RFC 6856 §2
 * UTF8): everything before a login.
 *
 * *Knows* the commands, and the course of a SASL exchange as POP3 frames it. *Does not know* any
 * mechanism, any user, or what a login leads to: that is `logIn`, which the session gives.
 *
 * USER is never a hint: it is answered alike whatever the name, and a name that can belong to nobody
 * (not UTF-8, too long) is checked with its password like any other and then refused.
 */

import type { LoginOutcome } from "../auth/login.ts";
import type { Exchange, Mechanism, Step } from "../auth/mechanism.ts";
import { USER_NAME_OCTETS } from "../limits.ts";
import { decodeBase64, encodeBase64 } from "../wire/base64.ts";
import { text } from "../wire/command.ts";
import type { Answer } from "./answer.ts";
import type { CommandEntry, CommandTable } from "./command_table.ts";
import type { Conversation } from "./conversation.ts";
import { linesBody } from "./listing.ts";
import { allowedMechanisms, userPassAllowed } from "./login_policy.ts";
import { DONE, FAULTS } from "./replies.ts";
import { SHARED_COMMANDS } from "./shared_commands.ts";

/** How a session takes the end of a login: `user` is the name as the client gave it. */
export type LogIn = (
  mechanism: string,
  user: string,
  outcome: LoginOutcome,
) => Answer | Promise<Answer>;

export interface Authorization {
  readonly conversation: Conversation;
  readonly logIn: LogIn;
  /** What USER says on this line. */
  claiming: ClaimedName | undefined;
  /** What USER said on the line before: a name is good for the next line only (RFC 1939 §7 PASS). */
  claimed: ClaimedName | undefined;
  /** The SASL exchange that waits for a response. */
  exchange: RunningExchange | undefined;
}

interface RunningExchange {
  readonly mechanism: Mechanism;
  readonly run: Exchange;
}

interface ClaimedName {
  readonly name: string;
  readonly possible: boolean;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const UTF8_LOSSY = new TextDecoder("utf-8", { ignoreBOM: true });
const ASTERISK = 42;
const EQUALS = 61;

/** To be called for each line, whatever it is, before it is looked at. */
export function beginLine(state: Authorization): void {
  state.claimed = state.claiming;
  state.claiming = undefined;
}

function user(state: Authorization, [octets]: readonly Uint8Array[]): Answer {
  const { conversation } = state;
  if (!userPassAllowed(conversation)) return conversation.bad(FAULTS.needsTls);
  state.claiming = readName(octets!);
  return conversation.ok(DONE.userTaken);
}

function pass(
  state: Authorization,
  [password]: readonly Uint8Array[],
): Answer | Promise<Answer> {
  const { conversation, claimed } = state;
  if (!userPassAllowed(conversation)) return conversation.bad(FAULTS.needsTls);
  if (claimed === undefined) return conversation.bad(FAULTS.userFirst);
  const { name, possible } = claimed;
  const end = (outcome: LoginOutcome) =>
    state.logIn("USER", name, possible ? outcome : { kind: "refused" });
  const outcome = conversation.services.checkPassword(name, password!);
  return outcome instanceof Promise ? outcome.then(end) : end(outcome);
}

function auth(state: Authorization, args: readonly Uint8Array[]): Answer | Promise<Answer> {
  const begin = () => beginExchange(state, args);
  return state.conversation.services.freshen?.()?.then(begin) ?? begin();
}

function beginExchange(
  state: Authorization,
  args: readonly Uint8Array[],
): Answer | Promise<Answer> {
  const { conversation } = state;
  const allowed = allowedMechanisms(conversation);
  const [name, initial] = args;
  // No RFC has AUTH without a mechanism any more, but Outlook and [MS-OXPOP3] find mechanisms by it.
  if (name === undefined) {
    return conversation.okMultiLine(
      DONE.mechanismsFollow,
      linesBody(allowed.map((mechanism) => mechanism.name)),
    );
  }
  const wanted = text(name).toUpperCase();
  const mechanism = allowed.find((mechanism) => mechanism.name === wanted);
  if (mechanism === undefined) {
    const { services, facts } = conversation;
    const known = services.mechanismsFor(facts.channel).some(({ name }) => name === wanted);
    return conversation.bad(known ? FAULTS.needsTls : FAULTS.unknownMechanism);
  }
  const response = initial === undefined ? undefined : decodeInitialResponse(initial);
  if (initial !== undefined && response === undefined) {
    return conversation.bad(FAULTS.malformedResponse);
  }
  state.exchange = { mechanism, run: mechanism.start() };
  // [MS-POP3] §2.2.1 says "+OK" where [MS-OXPOP3] says "+ "; the mechanism's own first step is the same.
  const old = response === undefined && wanted === "NTLM" &&
    conversation.services.ntlmFirstReply === "+OK";
  return old ? answerOld(advance(state, response)) : advance(state, response);
}

/** One line of a SASL exchange: base64, or "*" to cancel (RFC 5034 §4). */
export function receiveResponse(
  state: Authorization,
  line: Uint8Array,
): Answer | Promise<Answer> {
  const cancelled = line.length === 1 && line[0] === ASTERISK;
  const response = cancelled ? undefined : decodeBase64(line);
  if (response === undefined) {
    return endExchange(state, cancelled ? FAULTS.cancelled : FAULTS.malformedResponse);
  }
  return advance(state, response);
}

/** Gives up the exchange; the session stays in AUTHORIZATION and the client may try anew. */
export function endExchange(
  state: Authorization,
  reason: typeof FAULTS[keyof typeof FAULTS],
): Answer | Promise<Answer> {
  return abandonExchange(state) ?? state.conversation.bad(reason);
}

/** Lets go of the exchange under way. What it had come to all the same is told like any other. */
export function abandonExchange(state: Authorization): Answer | Promise<Answer> | undefined {
  const { exchange } = state;
  state.exchange = undefined;
  return exchange && giveUp(state, exchange);
}

function giveUp(state: Authorization, { mechanism, run }: RunningExchange) {
  const done = run.abandon?.();
  if (typeof done !== "object") return undefined;
  if (done.outcome.kind !== "granted") return state.logIn(mechanism.name, done.user, done.outcome);
  // Who only wanted to know whether a guess is right must not go unseen.
  const { events } = state.conversation;
  events.loginFailed?.(done.user, mechanism.name, FAULTS.cancelled.en, "given_up");
  return undefined;
}

/** The challenge as "+OK", for clients of the time before [MS-OXPOP3]. */
function answerOld(answer: Answer | Promise<Answer>): Answer | Promise<Answer> {
  if (answer instanceof Promise) return answer.then(answerOld);
  return answer.line === "+ " ? { ...answer, line: "+OK" } : answer;
}

function advance(state: Authorization, response: Uint8Array | undefined): Answer | Promise<Answer> {
  const exchange = state.exchange!;
  const step = exchange.run.next(response);
  return step instanceof Promise
    ? step.then((step) => follow(state, exchange, step))
    : follow(state, exchange, step);
}

/** The client may be gone since the exchange was asked: what it came to is told all the same. */
function follow(
  state: Authorization,
  exchange: RunningExchange,
  step: Step,
): Answer | Promise<Answer> {
  switch (step.kind) {
    case "challenge":
      if (state.exchange !== exchange) giveUp(state, exchange);
      // An empty challenge is "+ " with its space: clients take the text from the third octet on.
      return { line: `+ ${encodeBase64(step.octets)}`, next: "read" };
    case "malformed":
      return endExchange(state, FAULTS.malformedResponse);
    case "done":
      if (state.exchange === exchange) state.exchange = undefined;
      return state.logIn(exchange.mechanism.name, step.user, step.outcome);
  }
}

function stls({ conversation }: Authorization): Answer {
  const { tls, stlsPossible } = conversation.facts;
  if (tls) return conversation.bad(FAULTS.tlsIsOn);
  if (!stlsPossible) return conversation.bad(FAULTS.noTls);
  return conversation.ok(DONE.beginTls, "start-tls");
}

function utf8({ conversation }: Authorization): Answer {
  conversation.utf8 = true;
  return conversation.ok(DONE.utf8On);
}

function quit({ conversation }: Authorization): Answer {
  return conversation.ok(DONE.signingOff, "close");
}

function readName(octets: Uint8Array): ClaimedName {
  if (octets.length <= USER_NAME_OCTETS) {
    try {
      return { name: UTF8.decode(octets), possible: true };
    } catch {
      // Not UTF-8: no user is called that.
    }
  }
  return { name: UTF8_LOSSY.decode(octets.subarray(0, USER_NAME_OCTETS)), possible: false };
}

/** "=" stands for an empty initial response, which is not the same as none (RFC 5034 §4). */
function decodeInitialResponse(octets: Uint8Array): Uint8Array | undefined {
  if (octets.length === 1 && octets[0] === EQUALS) return new Uint8Array(0);
  return decodeBase64(octets);
}

export const AUTHORIZATION_COMMANDS: CommandTable<Authorization> = new Map<
  string,
  CommandEntry<Authorization>
>([
  ...SHARED_COMMANDS,
  ["USER", { arity: [1, 1], run: user }],
  ["PASS", { arity: "rest", run: pass }],
  ["AUTH", { arity: [0, 2], run: auth }],
  ["STLS", { arity: [0, 0], run: stls }],
  ["UTF8", { arity: [0, 0], run: utf8 }],
  ["QUIT", { arity: [0, 0], run: quit }],
]);

/**
 * First words of other protocols. A browser that was made to send a form here, or a mail server that
 * took the wrong port, is sent away before it goes on: what it sends next may be made to look like POP3.
 */
export const OTHER_PROTOCOLS: ReadonlySet<string> = new Set([
  ...["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE", "PRI"],
  ...["EHLO", "HELO", "LHLO"],
]);
