/**
 * RETR and TOP: a stored message on its way to the wire, made canonical, cut if it is TOP, stuffed,
 * and ended by exactly one terminator.
 *
 * The first chunk is read before the reply, so that storage that fails is an -ERR and not a broken
 * connection; a message that one chunk holds is handed out as one array. After that, memory is bounded
 * by a chunk whatever the size, and a failure throws out of the body: the connection ends without the
 * terminator, and no part of a message passes for the whole.
 *
 * Each array that is handed out is the receiver's to keep, as the store's are ours: a socket may still
 * be sending it when the next one is read.
 */

import { Buffer } from "node:buffer";
import type { MessageNumber } from "../maildrop/message_number.ts";
import { StorageFailure, type StoredMessage } from "../maildrop/store.ts";
import { Canonicaliser } from "../message/canonical.ts";
import { TopCutter } from "../message/top.ts";
import { DotStuffer, TERMINATOR } from "../wire/dot_stuffing.ts";
import { okLine } from "../wire/reply.ts";
import type { Answer } from "./answer.ts";
import { answerFailure } from "./failures.ts";
import { say } from "./languages.ts";
import { DONE, FAULTS } from "./replies.ts";
import type { Transaction } from "./transaction_state.ts";
import { hasEightBitHeader, refusesEightBitHeaders } from "./utf8_header.ts";

const NOTHING = new Uint8Array(0);

/** The figure is LIST's ([MS-STANXPOP3] 2.1.5), whatever the octets that follow come to. */
export function sendMessage(state: Transaction, number: MessageNumber): Promise<Answer> {
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
): Promise<Answer> {
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

async function send(state: Transaction, number: MessageNumber, sending: Sending): Promise<Answer> {
  const { conversation, maildrop } = state;
  try {
    if (refusesEightBitHeaders(conversation) && await hasEightBitHeader(maildrop, number)) {
      return conversation.err(FAULTS.needsUtf8, "UTF8");
    }
    const stored = await maildrop.open(number);
    state.reading = stored;
    let streaming = false;
    try {
      const encoder = new MessageEncoder(stored, sending.cutter);
      const first = await encoder.next();
      if (encoder.done) sending.sent(encoder.octets);
      else streaming = true;
      const body = streaming ? stream(state, encoder, first, sending) : first;
      return { line: sending.line, body, next: "read" };
    } finally {
      // The reply need not wait for the close, which cannot change it.
      if (!streaming) void closeReading(state);
    }
  } catch (error) {
    return answerFailure(conversation, "reading a message", error);
  }
}

async function* stream(
  state: Transaction,
  encoder: MessageEncoder,
  first: Uint8Array,
  sending: Sending,
): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    while (!encoder.done) yield await encoder.next();
    sending.sent(encoder.octets);
  } catch (error) {
    // Anything else is ours to mend: whoever draws the body tells it as such.
    if (error instanceof StorageFailure) {
      state.conversation.events.storageFailed?.("reading a message half-way", error);
    }
    throw error;
  } finally {
    await closeReading(state);
  }
}

/** Closes the message that is being read; what that may fail with changes nothing for the client. */
export async function closeReading(state: Transaction): Promise<void> {
  const stored = state.reading;
  state.reading = undefined;
  try {
    await stored?.close();
  } catch (error) {
    state.conversation.events.storageFailed?.("closing a message", error);
  }
}

/**
 * Reads a message and encodes it: canonical, cut, stuffed, in this order, since sizes and lines are
 * those before stuffing.
 */
class MessageEncoder {
  readonly #stored: StoredMessage;
  readonly #cutter: TopCutter | undefined;
  readonly #canonicaliser = new Canonicaliser();
  readonly #stuffer = new DotStuffer();
  #storedOctetsLeft: number;
  /** Octets so far, before stuffing. */
  octets = 0;
  /** Whether the last octets, with the terminator, have been given. */
  done = false;

  constructor(stored: StoredMessage, cutter: TopCutter | undefined) {
    this.#stored = stored;
    this.#cutter = cutter;
    this.#storedOctetsLeft = stored.storedOctets;
  }

  /**
   * Returns the next octets to send, in an array of their own. The terminator comes with the last of
   * them: clients have stumbled over one that arrived alone.
   *
   * @throws {StorageFailure} If reading fails or the message ends before its time.
   */
  async next(): Promise<Uint8Array> {
    let encoded: Uint8Array = NOTHING;
    if (this.#storedOctetsLeft > 0) {
      const chunk = await this.#stored.read() ?? endedEarly();
      this.#storedOctetsLeft -= chunk.length;
      encoded = this.#encode(this.#canonicaliser.push(chunk));
    }
    if (this.#storedOctetsLeft > 0 && this.#cutter?.done !== true) return encoded;
    this.done = true;
    return Buffer.concat([encoded, this.#encode(this.#canonicaliser.end()), TERMINATOR]);
  }

  #encode(canonical: Uint8Array): Uint8Array {
    const wanted = this.#cutter === undefined ? canonical : this.#cutter.push(canonical);
    this.octets += wanted.length;
    return this.#stuffer.push(wanted);
  }
}

function endedEarly(): never {
  throw new StorageFailure("SYS/TEMP", "The message ended before its stored size");
}
