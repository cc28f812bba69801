/**
 * The TRANSACTION state (RFC 1939 §5, §7) and the way through UPDATE (§6).
 *
 * Message numbers are those of the snapshot and never move. STAT, LIST, UIDL, RETR, TOP and DELE all
 * see the marks. Nothing is removed but by QUIT.
 */

import { type MessageNumber, parseMessageNumber } from "../maildrop/message_number.ts";
import { text } from "../wire/command.ts";
import type { Answer } from "./answer.ts";
import type { CommandEntry, CommandTable } from "./command_table.ts";
import { answerFailure } from "./failures.ts";
import { messageList } from "./listing.ts";
import { DONE, FAULTS } from "./replies.ts";
import { RemovedMessages } from "../maildrop/removed_messages.ts";
import { sendMessage, sendTop } from "./retrieve.ts";
import { SHARED_COMMANDS } from "./shared_commands.ts";
import type { Transaction } from "./transaction_state.ts";

const NUMBER = /^[0-9]+$/;

function stat({ maildrop: { snapshot }, marks }: Transaction): Answer {
  const messages = snapshot.count - marks.count;
  return { line: `+OK ${messages} ${snapshot.totalOctets - marks.octets}`, next: "read" };
}

function list(state: Transaction, [argument]: readonly Uint8Array[]): Answer {
  const { conversation, marks, maildrop: { snapshot } } = state;
  if (argument === undefined) {
    const body = messageList("LIST", snapshot, marks);
    return conversation.okMultiLine(DONE.scanListingFollows, body);
  }
  const number = present(state, argument);
  if (typeof number !== "number") return number;
  return { line: `+OK ${number} ${snapshot.octetsOf(number)}`, next: "read" };
}

function uidl(state: Transaction, [argument]: readonly Uint8Array[]): Answer {
  const { conversation, marks, maildrop: { snapshot } } = state;
  if (argument === undefined) {
    return conversation.okMultiLine(DONE.uniqueIdsFollow, messageList("UIDL", snapshot, marks));
  }
  const number = present(state, argument);
  if (typeof number !== "number") return number;
  return { line: `+OK ${number} ${snapshot.uniqueIdOf(number)}`, next: "read" };
}

function retr(state: Transaction, [argument]: readonly Uint8Array[]): Answer | Promise<Answer> {
  const number = present(state, argument!);
  return typeof number === "number" ? sendMessage(state, number) : number;
}

function top(state: Transaction, args: readonly Uint8Array[]): Answer | Promise<Answer> {
  const lines = text(args[1]!);
  // Any number of digits: a client that wants all of the body may ask for any number of lines.
  if (!NUMBER.test(lines)) return state.conversation.bad(FAULTS.wrongArguments);
  const number = present(state, args[0]!);
  return typeof number === "number" ? sendTop(state, number, Number(lines)) : number;
}

function dele(state: Transaction, [argument]: readonly Uint8Array[]): Answer {
  const number = present(state, argument!);
  if (typeof number !== "number") return number;
  state.marks.mark(number);
  return state.conversation.ok(DONE.marked);
}

function noop(): Answer {
  return { line: "+OK", next: "read" };
}

function rset({ conversation, marks }: Transaction): Answer {
  marks.reset();
  return conversation.ok(DONE.unmarked);
}

/** UPDATE (RFC 1939 §6): exactly one reply, -ERR if anything that was marked is still there (V0006). */
function quit(state: Transaction): Answer | Promise<Answer> {
  const { conversation, marks, retrieved } = state;
  if (marks.count > 0 || retrieved.size > 0) return update(state);
  state.update = { removed: 0, left: 0 };
  return conversation.ok(DONE.signingOff, "close");
}

async function update(state: Transaction): Promise<Answer> {
  const { conversation, maildrop, marks, retrieved } = state;
  state.update = "under way";
  const numbers: MessageNumber[] = [];
  try {
    state.update = await maildrop.update(marks, retrieved, (number) => void numbers.push(number));
  } catch (error) {
    // How many are left is unknown: none is counted as removed.
    state.update = { removed: 0, left: marks.count };
    return { ...answerFailure(conversation, "updating the maildrop", error), next: "close" };
  } finally {
    if (numbers.length > 0) {
      const removed = new RemovedMessages();
      // Told in the maildrop's order: several go at a time, and which of them goes first is chance.
      for (const number of numbers.sort((a, b) => a - b)) removed.add(maildrop.snapshot, number);
      conversation.events.messagesRemoved?.(removed);
    }
  }
  if (state.update.left > 0) return conversation.err(FAULTS.notAllRemoved, undefined, "close");
  return conversation.ok(marks.count > 0 ? DONE.updated : DONE.signingOff, "close");
}

/**
 * The message that an argument names, if it is there and without a mark; else the -ERR that says so.
 * To ask for one that is not there is no bad command, but to ask for what is no number is.
 */
function present(state: Transaction, argument: Uint8Array): MessageNumber | Answer {
  const { conversation, maildrop, marks } = state;
  const asked = text(argument);
  const number = parseMessageNumber(asked, maildrop.snapshot.count);
  if (number !== undefined) {
    return marks.has(number) ? conversation.err(FAULTS.alreadyMarked) : number;
  }
  return NUMBER.test(asked)
    ? conversation.err(FAULTS.noSuchMessage)
    : conversation.bad(FAULTS.noSuchMessage);
}

export const TRANSACTION_COMMANDS: CommandTable<Transaction> = new Map<
  string,
  CommandEntry<Transaction>
>([
  ...SHARED_COMMANDS,
  ["STAT", { arity: [0, 0], run: stat }],
  ["LIST", { arity: [0, 1], run: list }],
  ["UIDL", { arity: [0, 1], run: uidl }],
  ["RETR", { arity: [1, 1], run: retr }],
  ["TOP", { arity: [2, 2], run: top }],
  ["DELE", { arity: [1, 1], run: dele }],
  ["NOOP", { arity: [0, 0], run: noop }],
  ["RSET", { arity: [0, 0], run: rset }],
  ["QUIT", { arity: [0, 0], run: quit }],
]);
