/**
 * Lines in, answers out: takes what a client sends, gives the session one line at a time, and puts the
 * answers where they go out.
 *
 * Rules:
 * - One command at a time: the next line waits until the answer before it is with the socket.
 * - Replies to pipelined commands share writes: what has gathered goes out when no whole line is left.
 * - Nothing is drawn from a body while the socket is full, so a client that does not read stops its
 *   own session and no other.
 * - A body that fails throws out of `run`: its terminator must never be sent.
 *
 * *Knows*: the session, framing. *Does not know*: sockets beyond their output, timers, TLS.
 */

import { performance } from "node:perf_hooks";
import { OUTPUT_BATCH_OCTETS, SASL_LINE_OCTETS, TURN_COMMANDS, TURN_OCTETS } from "../limits.ts";
import type { Answer, Body, DrawnBody } from "../session/answer.ts";
import type { Session } from "../session/session.ts";
import { LineFramer } from "../wire/line_framer.ts";
import { takeLongLine } from "./long_lines.ts";
import type { Output } from "./output.ts";
import type { ProtocolTap } from "./protocol_tap.ts";
import { haveDoneEnough, nextTurn } from "./session_turns.ts";
import type { Sweep } from "./sweep.ts";

/**
 * Why the loop stands still.
 * - `idle`: no whole line is there, and all answers are with the socket.
 * - `close`, `start-tls`: the last answer says so; its line is put, and not flushed.
 * - `stopped`: `stop` was called.
 */
export type Halt = "idle" | "close" | "start-tls" | "stopped";

/** A body of more octets is copied and put in parts. What a chunk of a message is encoded to is seldom more. */
const MOST_AT_ONCE_OCTETS = 2 * OUTPUT_BATCH_OCTETS;

/** The work that a command is beside its output, in octets of output that take as long. */
const COMMAND_OCTETS_WORTH = TURN_OCTETS / TURN_COMMANDS;

/** The same of a command before login: half of what USER and PASS take, which is some tenths of a millisecond. */
const LOGIN_COMMAND_OCTETS_WORTH = TURN_OCTETS / 4;

/** What one line comes to: the loop stands still, or goes on. */
type Step = Halt | undefined;

/** A line that is answered. */
interface Asked {
  readonly line: Uint8Array | "too-long";
  /** Whether nobody was logged in before it. */
  readonly wasStranger: boolean;
  /** What the session expected before it. */
  readonly expected: "command" | "sasl-response";
  readonly sinceMs: number;
}

export interface CommandLoopOptions {
  readonly session: Session;
  readonly output: Output;
  readonly sweep: Sweep;
  readonly maxCommandOctets: number;
  /** The client's. */
  readonly address: string;
  readonly tap?: ProtocolTap | undefined;
}

export class CommandLoop {
  readonly #session: Session;
  readonly #sweep: Sweep;
  readonly #maxCommandOctets: number;
  readonly #address: string;
  readonly #tap: ProtocolTap | undefined;
  readonly #framer = new LineFramer();
  #output: Output;
  #activeMs: number;
  #running = false;
  #sending = false;
  #stopped = false;
  #lastLine = "";
  #longLine: ReturnType<typeof takeLongLine>;
  /** Commands answered, and output octets so far, when the others last had their turn. */
  #turnCommands = 0;
  #turnOctets = 0;

  constructor({ session, output, sweep, tap, ...options }: CommandLoopOptions) {
    this.#session = session;
    this.#output = output;
    this.#sweep = sweep;
    this.#maxCommandOctets = options.maxCommandOctets;
    this.#address = options.address;
    this.#tap = tap;
    this.#activeMs = sweep.nowMs;
  }

  /** When the client last sent a command or took octets, on the sweep's clock. */
  get activeMs(): number {
    return this.#activeMs;
  }

  /** Whether a command is being answered. */
  get running(): boolean {
    return this.#running;
  }

  /** Whether the client is to read before anything goes on, or is in the middle of a body. */
  get sending(): boolean {
    return this.#sending;
  }

  /** Octets received and not yet taken as lines. */
  get pending(): number {
    return this.#framer.pending;
  }

  /** Whether what the client sends is thrown away, up to the end of a line that is too long. */
  get discarding(): boolean {
    return this.#framer.discarding;
  }

  /** The last response line. */
  get lastLine(): string {
    return this.#lastLine;
  }

  /** Takes what the client sent; `run` answers it. */
  push(octets: Uint8Array): void {
    this.#framer.push(octets);
  }

  /** Goes on over TLS, on which nothing is pending. */
  useOutput(output: Output): void {
    this.#framer.discardAll();
    this.#output = output;
    this.#turnOctets = 0;
    this.#activeMs = this.#sweep.nowMs;
  }

  /** Makes `run` return before the next line or the next part of a body. */
  stop(): void {
    this.#stopped = true;
    this.#releaseLongLine();
    this.#output.abandon();
  }

  /**
   * What the next line may have. AUTH with an initial response is a command and a response in one: clients
   * send whole OAuth tokens there, though RFC 5034 §4 would have them wait for the challenge.
   */
  #lineLimit(expected: "command" | "sasl-response"): number {
    if (expected === "command") {
      const isAuth = this.#session.state === "AUTHORIZATION" && this.#framer.beginsWith("AUTH ");
      return isAuth ? Math.max(this.#maxCommandOctets, SASL_LINE_OCTETS) : this.#maxCommandOctets;
    }
    const limit = this.#session.responseLineOctets;
    if (limit <= SASL_LINE_OCTETS || this.#framer.pending <= SASL_LINE_OCTETS) return limit;
    this.#longLine ??= takeLongLine(this.#address);
    return this.#longLine === undefined ? SASL_LINE_OCTETS : limit;
  }

  get #isStranger(): boolean {
    return this.#session.state === "AUTHORIZATION";
  }

  #releaseLongLine(): void {
    this.#longLine?.giveBack();
    this.#longLine = undefined;
  }

  /**
   * Answers all whole lines that are pending: at once where nothing has to be waited for, as with most that
   * clients send. Not to be called while `running`.
   *
   * @throws What a body fails with, as it rejects.
   */
  run(): Halt | Promise<Halt> {
    this.#running = true;
    let waits = false;
    try {
      // A thousand strangers who all send a password at once wait for each other, and nobody for them.
      if (this.#isStranger && haveDoneEnough()) {
        waits = true;
        return this.#runOn(this.#letOthers());
      }
      for (;;) {
        const step = this.#step();
        if (step instanceof Promise) {
          waits = true;
          return this.#runOn(step);
        }
        if (step !== undefined) return step;
      }
    } finally {
      if (!waits) this.#running = false;
    }
  }

  async #runOn(waiting: Promise<Halt | undefined>): Promise<Halt> {
    try {
      for (let step = await waiting;; step = await this.#step()) {
        if (step !== undefined) return step;
      }
    } finally {
      this.#running = false;
    }
  }

  /** Answers one line; undefined when there may be more. */
  #step(): Step | Promise<Step> {
    if (this.#stopped) return "stopped";
    const expected = this.#session.expects;
    const line = this.#framer.next(this.#lineLimit(expected));
    if (line === undefined) {
      const flushing = this.#output.flush();
      // More may come in the meantime.
      return flushing === undefined ? "idle" : this.#taken(flushing);
    }
    this.#releaseLongLine();
    this.#activeMs = this.#sweep.nowMs;
    const sinceMs = this.#tap === undefined ? 0 : performance.now();
    const wasStranger = this.#isStranger;
    const answer = line === "too-long"
      ? this.#session.receiveTooLong()
      : this.#session.receive(line);
    const asked = { line, wasStranger, expected, sinceMs };
    return answer instanceof Promise
      ? this.#answerLater(asked, answer)
      : this.#answer(asked, answer);
  }

  async #answerLater(asked: Asked, answer: Promise<Answer>): Promise<Step> {
    // A login may wait long for its turn; what was said before it should not.
    if (this.#session.state === "AUTHORIZATION") await this.#taken(this.#output.flush());
    return this.#answer(asked, await answer);
  }

  #answer(asked: Asked, answer: Answer): Step | Promise<Step> {
    if (this.#stopped) return "stopped";
    this.#lastLine = answer.line;
    const octetsBefore = this.#output.octets;
    this.#output.putLine(answer.line);
    const sending = answer.body && this.#send(answer.body);
    return sending === undefined
      ? this.#answered(asked, answer, octetsBefore)
      : sending.then(() => this.#answered(asked, answer, octetsBefore));
  }

  #answered(
    { line, wasStranger, expected, sinceMs }: Asked,
    answer: Answer,
    octetsBefore: number,
  ): Step | Promise<Step> {
    if (wasStranger && !this.#isStranger) this.#output.widen();
    this.#tap?.answered(line, expected, {
      reply: answer.line,
      replyOctets: this.#output.octets - octetsBefore,
      sinceMs,
    });
    if (answer.next !== "read") return answer.next;
    const worth = wasStranger ? LOGIN_COMMAND_OCTETS_WORTH : COMMAND_OCTETS_WORTH;
    const haveAllDoneEnough = haveDoneEnough(worth + this.#output.octets - octetsBefore);
    const taking = this.#output.full ? this.#output.flush() : undefined;
    return taking === undefined
      ? this.#endTurn(haveAllDoneEnough)
      : this.#taken(taking).then(() => this.#endTurn(haveAllDoneEnough));
  }

  #endTurn(haveAllDoneEnough: boolean): Step | Promise<Step> {
    this.#activeMs = this.#sweep.nowMs;
    // Who waits for this answer before he says more is not to wait for anybody else.
    const isOver = ++this.#turnCommands >= TURN_COMMANDS || this.#turnIsOver() ||
      haveAllDoneEnough && this.#framer.pending > 0;
    return isOver ? this.#letOthers() : undefined;
  }

  /** Sends a body; undefined when it is all put and nobody is to be waited for, the usual case. */
  #send(body: Body): Promise<void> | undefined {
    // Lent: it has to be put whole before anything is awaited.
    if (!(body instanceof Uint8Array)) return this.#sendInParts(drawnBody(body));
    if (body.length > MOST_AT_ONCE_OCTETS) {
      return this.#sendInParts(drawnBody(partsOf(new Uint8Array(body))));
    }
    const taking = this.#output.put(body);
    return taking && this.#sendRest(taking);
  }

  /** Waits while the client takes a body that is put. */
  async #sendRest(taking: Promise<void>): Promise<void> {
    this.#sending = true;
    await taking;
    this.#sending = false;
    this.#activeMs = this.#sweep.nowMs;
  }

  async #sendInParts(drawn: DrawnBody): Promise<void> {
    let all = false;
    this.#sending = true;
    try {
      while (!this.#stopped) {
        let octets = drawn.draw();
        // Octets that come at once are lent: nothing may be awaited before they are put.
        if (octets instanceof Promise) octets = await octets;
        if (octets === undefined) return void (all = true);
        const taking = this.#output.put(octets);
        if (taking !== undefined) await this.#taken(taking);
        const isOver = haveDoneEnough(octets.length) || this.#turnIsOver();
        if (isOver && !this.#stopped) await this.#letOthers();
      }
    } finally {
      this.#sending = false;
      if (!all) await drawn.leave();
    }
  }

  /** Waits until the socket has taken what was written, which is the client's doing. */
  async #taken(taking: Promise<void> | undefined): Promise<undefined> {
    if (taking === undefined) return;
    const sending = this.#sending;
    this.#sending = true;
    await taking;
    this.#sending = sending;
    this.#activeMs = this.#sweep.nowMs;
  }

  #turnIsOver(): boolean {
    return this.#output.octets - this.#turnOctets >= TURN_OCTETS;
  }

  async #letOthers(): Promise<undefined> {
    this.#turnCommands = 0;
    this.#turnOctets = this.#output.octets;
    await nextTurn(this.#address);
    this.#activeMs = this.#sweep.nowMs;
  }
}

/** A body that is there, or made of what is there, drawn. */
function drawnBody(body: Iterable<Uint8Array> | DrawnBody): DrawnBody {
  if ("draw" in body) return body;
  const parts = body[Symbol.iterator]();
  return {
    draw: () => parts.next().value,
    leave: () => void parts.return?.(),
  };
}

/** A large array in parts, so that each that the client takes counts as activity. */
function* partsOf(body: Uint8Array): Generator<Uint8Array, undefined> {
  for (let at = 0; at < body.length; at += OUTPUT_BATCH_OCTETS) {
    yield body.subarray(at, at + OUTPUT_BATCH_OCTETS);
  }
}
