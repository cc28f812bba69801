/**
 * RETR and TOP: a stored message on its way to the wire, made canonical, cut if it is TOP, stuffed,
 * and ended by exactly one terminator.
 *
 * The first chunk is read before the reply, so that storage that fails is an -ERR and not a broken
 * connection; a message that one chunk holds is handed out as one array. After that, memory is bounded
 * by a chunk whatever the size, and a failure throws out of the body: the connection ends without the
 * terminator, and no part of a message passes for the whole.
 *
 * A message that the store has at hand is read, encoded and handed out without a wait, through memory
 * that all sessions share: such octets are lent (answer.ts). What is waited for is copied out of it.
 */

import type { MessageNumber } from "../maildrop/message_number.ts";
import { StorageFailure, type StoredMessage } from "../maildrop/store.ts";
import { TopCutter } from "../message/top.ts";
import { okLine } from "../wire/reply.ts";
import type { Answer, DrawnBody } from "./answer.ts";
import { answerFailure } from "./failures.ts";
import { say } from "./languages.ts";
import { DONE, FAULTS } from "./replies.ts";
import type { Transaction } from "./transaction_state.ts";
import { hasEightBitHeader, refusesEightBitHeaders } from "./utf8_header.ts";
import { scratch, type WireEncoder, wireEncoder } from "./wire_encoder.ts";

const NOTHING = new Uint8Array(0);

/** The figure is LIST's ([MS-STANXPOP3] 2.1.5), whatever the octets that follow come to. */
export function sendMessage(state: Transaction, number: MessageNumber): Answer | Promise<Answer> {
  return send(state, number, {
    line: okLine(`${state.maildrop.snapshot.octetsOf(number)} octets`),
    cutter: undefined,
    sent(octets) {
      state.maildrop.noteExactOctets(number, octets);
      state.retrieved.add(number);
      state.sent.messages++;
      state.sent.octets += octets;
    },
  });
}

export function sendTop(
  state: Transaction,
  number: MessageNumber,
  bodyLines: number,
): Answer | Promise<Answer> {
  return send(state, number, {
    line: okLine(say(state.conversation.language, DONE.topFollows)),
    cutter: new TopCutter(bodyLines),
    sent(octets) {
      state.sent.tops++;
      state.sent.topOctets += octets;
    },
  });
}

interface Sending {
  readonly line: string;
  readonly cutter: TopCutter | undefined;
  /** Called when all octets have been drawn, with their number before stuffing. */
  sent(octets: number): void;
}

function send(
  state: Transaction,
  number: MessageNumber,
  sending: Sending,
): Answer | Promise<Answer> {
  if (refusesEightBitHeaders(state.conversation)) return sendWithWaits(state, number, sending);
  try {
    const stored = state.maildrop.open(number);
    if (stored instanceof Promise) return sendWithWaits(state, number, sending, stored);
    const body = new MessageBody(state, stored, sending);
    const first = body.next();
    if (first instanceof Promise) return answerLater(state, body, first);
    return body.answerFrom(first);
  } catch (error) {
    return failed(state, error);
  }
}

/** The same where something has to be waited for before the message is open. */
async function sendWithWaits(
  state: Transaction,
  number: MessageNumber,
  sending: Sending,
  opening?: Promise<StoredMessage>,
): Promise<Answer> {
  const { conversation, maildrop } = state;
  try {
    const isRefused = opening === undefined && await hasEightBitHeader(maildrop, number);
    if (isRefused) return conversation.err(FAULTS.needsUtf8, "UTF8");
    const body = new MessageBody(state, await (opening ?? maildrop.open(number)), sending);
    const first = body.next();
    return body.answerFrom(first instanceof Promise ? await first : new Uint8Array(first));
  } catch (error) {
    return failed(state, error);
  }
}

async function answerLater(
  state: Transaction,
  body: MessageBody,
  first: Promise<Uint8Array>,
): Promise<Answer> {
  try {
    return body.answerFrom(await first);
  } catch (error) {
    return failed(state, error);
  }
}

/** The -ERR for a message of which nothing has been sent yet. */
function failed(state: Transaction, error: unknown): Answer {
  void closeReading(state);
  return answerFailure(state.conversation, "reading a message", error, FAULTS.unreadable);
}

/** Closes the message that is being read; what that may fail with changes nothing for the client. */
export function closeReading(state: Transaction): void | Promise<void> {
  const stored = state.reading;
  state.reading = undefined;
  const failed = (error: unknown) => {
    state.conversation.events.storageFailed?.("closing a message", error as Error);
  };
  try {
    const closing = stored?.close();
    if (closing !== undefined) return closing.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * Reads a message and encodes it. The terminator comes with the last octets: clients have stumbled over one
 * that arrived alone.
 */
class MessageBody implements DrawnBody {
  readonly #state: Transaction;
  readonly #stored: StoredMessage;
  readonly #sending: Sending;
  readonly #encoder: WireEncoder;
  #storedOctetsLeft: number;
  #first: Uint8Array | undefined;

  constructor(state: Transaction, stored: StoredMessage, sending: Sending) {
    state.reading = stored;
    this.#state = state;
    this.#stored = stored;
    this.#sending = sending;
    this.#encoder = wireEncoder(sending.cutter);
    this.#storedOctetsLeft = stored.storedOctets;
  }

  /** The answer, once the first octets are there: they are all of a message that is not large. */
  answerFrom(first: Uint8Array): Answer {
    const { line } = this.#sending;
    if (this.#encoder.done) {
      this.#sending.sent(this.#encoder.octets);
      return { line, body: first, next: "read" };
    }
    // Of a large message: it may be drawn later than it was lent for.
    this.#first = new Uint8Array(first);
    return { line, body: this, next: "read" };
  }

  draw(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    if (this.#encoder.done) {
      this.#sending.sent(this.#encoder.octets);
      return undefined;
    }
    try {
      const octets = this.next();
      return octets instanceof Promise ? octets.catch((error) => this.#brokenOff(error)) : octets;
    } catch (error) {
      return this.#brokenOff(error);
    }
  }

  leave(): void | Promise<void> {
    return closeReading(this.#state);
  }

  /**
   * Returns the next octets to send, lent if they come at once.
   *
   * @throws {StorageFailure} If reading fails or the message ends before its time.
   */
  next(): Uint8Array | Promise<Uint8Array> {
    if (this.#storedOctetsLeft === 0) return this.#encoded(NOTHING);
    const chunk = this.#stored.read(scratch);
    if (chunk instanceof Promise) return chunk.then((come) => new Uint8Array(this.#encoded(come)));
    return this.#encoded(chunk);
  }

  #encoded(chunk: Uint8Array | undefined): Uint8Array {
    if (chunk === undefined) {
      throw new StorageFailure("SYS/TEMP", "The message ended before its stored size");
    }
    this.#storedOctetsLeft -= chunk.length;
    const octets = this.#encoder.encode(chunk, this.#storedOctetsLeft === 0);
    // The reply need not wait for the close, which cannot change it.
    if (this.#encoder.done) void closeReading(this.#state);
    return octets;
  }

  /** Some of the message has been sent: nothing can be said to the client any more. */
  #brokenOff(error: unknown): never {
    void closeReading(this.#state);
    // Anything else is ours to mend: whoever draws the body tells it as such.
    if (error instanceof StorageFailure) {
      this.#state.conversation.events.storageFailed?.("reading a message half-way", error);
    }
    throw error;
  }
}
