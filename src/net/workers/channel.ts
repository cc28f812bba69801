/**
 * Messages between the supervisor and a worker, both ways: telling, and asking for an answer. A message is
 * a line of JSON.
 *
 *     {"tell": "hasten", "value": ...}
 *     {"ask": "reload", "id": 7, "value": ...}
 *     {"id": 7, "answer": ...}            or    {"id": 7, "fault": "sentence"}
 *
 * Messages arrive in the order in which they were sent. What is sent in one turn goes in one write. A
 * channel ends once: when the other side does, or says what is no message.
 *
 * *Knows*: streams. *Does not know*: what is said.
 */

import type { Readable, Writable } from "node:stream";

/** What an end of a channel does with what the other says. */
export interface ChannelEnd {
  /** The answer; what it throws is told to the other side as a fault. */
  asked(question: string, value: unknown): Promise<unknown>;
  told(event: string, value: unknown): void;
  /** Once. `reason` is there if it was the other side's fault. */
  ended(reason?: Error): void;
}

/** The other side is gone, or says that it could not answer. */
export class ChannelFault extends Error {
  override readonly name = "ChannelFault";
}

/** Longest message, UTF-16 code units: settings with a thousand directories are far shorter. */
const MESSAGE_UNITS = 16_777_216;

/** What may wait for the other side to take it, octets: more than a process that lives lets gather. */
const PENDING_OCTETS = 67_108_864;

interface Waiting {
  readonly answered: (answer: unknown) => void;
  readonly failed: (error: Error) => void;
}

interface Message {
  readonly tell?: unknown;
  readonly ask?: unknown;
  readonly id?: unknown;
  readonly value?: unknown;
  readonly answer?: unknown;
  readonly fault?: unknown;
}

export class Channel {
  readonly #output: Writable;
  readonly #end: ChannelEnd;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #toSend: string[] = [];
  /** The beginning of a line whose end has not come. */
  #begun: string[] = [];
  #begunUnits = 0;
  #ended = false;

  constructor(input: Readable, output: Writable, end: ChannelEnd) {
    this.#output = output;
    this.#end = end;
    input.setEncoding("utf8");
    input.on("data", (text: string) => this.#arrived(text));
    for (const event of ["end", "close"]) input.on(event, () => this.close());
    for (const stream of [input, output]) stream.on("error", () => this.close());
  }

  tell(event: string, value?: unknown): void {
    this.#send({ tell: event, value });
  }

  /** Resolves to the answer. @throws {ChannelFault} If there is none, or never will be. */
  ask(question: string, value?: unknown): Promise<unknown> {
    if (this.#ended) return Promise.reject(new ChannelFault("The other process is gone"));
    const id = ++this.#lastId;
    return new Promise((answered, failed) => {
      this.#waiting.set(id, { answered, failed });
      this.#send({ ask: question, id, value });
    });
  }

  /** Resolves when what was said so far is on its way. */
  flushed(): Promise<void> {
    return new Promise((resolve) => queueMicrotask(() => this.#output.write("", () => resolve())));
  }

  /** Ends it on this side. Nothing is sent or heard any more. */
  close(reason?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#begun = [];
    for (const { failed } of this.#waiting.values()) {
      failed(new ChannelFault("The other process is gone"));
    }
    this.#waiting.clear();
    this.#end.ended(reason);
  }

  #send(message: Message): void {
    if (this.#ended) return;
    this.#toSend.push(`${JSON.stringify(message)}\n`);
    if (this.#toSend.length > 1) return;
    queueMicrotask(() => {
      const text = this.#toSend.join("");
      this.#toSend = [];
      if (this.#ended) return;
      this.#output.write(text);
      if (this.#output.writableLength <= PENDING_OCTETS) return;
      this.close(new ChannelFault("The other process takes nothing any more"));
    });
  }

  #arrived(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0 && !this.#ended; at = text.indexOf("\n", from)) {
      this.#begun.push(text.slice(from, at));
      const line = this.#begun.join("");
      this.#begun = [];
      this.#begunUnits = 0;
      from = at + 1;
      this.#heard(line);
    }
    if (this.#ended || from === text.length) return;
    this.#begun.push(text.slice(from));
    this.#begunUnits += text.length - from;
    if (this.#begunUnits > MESSAGE_UNITS) this.close(new ChannelFault("A message is too long"));
  }

  #heard(line: string): void {
    const message = parse(line);
    if (typeof message?.tell === "string") return this.#end.told(message.tell, message.value);
    if (typeof message?.id !== "number") {
      return this.close(new ChannelFault("Something was said that is no message"));
    }
    const { id, ask, value } = message;
    if (typeof ask === "string") return void this.#answer(id, ask, value);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (message.fault === undefined) waiting?.answered(message.answer);
    else waiting?.failed(new ChannelFault(faultText(message.fault)));
  }

  async #answer(id: number, question: string, value: unknown): Promise<void> {
    try {
      this.#send({ id, answer: await this.#end.asked(question, value) });
    } catch (error) {
      this.#send({ id, fault: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Not every value can be made a text, and what another process says must not end this one. */
function faultText(fault: unknown): string {
  return typeof fault === "string" ? fault : "The other process could not answer";
}

function parse(line: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === "object" && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}
