/**
 * The client that tests talk to a server with. It hears nothing that has not passed the reply grammar.
 *
 * Whoever writes a test says what is sent and looks at replies; one command at a time with `command`,
 * or any number at once with `send` and then `reply` for each.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Reply, ReplyReader } from "./reply_grammar.ts";
import { type SocketOptions, SocketWire, type Wire } from "./wire.ts";

/** How lines cross the wire: in one write, an octet a write, or cut at these places. */
export type Sending = "whole" | "octets" | readonly number[];

export class Pop3Client {
  readonly wire: Wire;
  readonly #reader = new ReplyReader();
  readonly #replies: Reply[] = [];
  #ended = false;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  /** Connects over TCP or TLS and takes the greeting, which must be positive. */
  static async connect(options: SocketOptions): Promise<Pop3Client> {
    const client = new Pop3Client(await SocketWire.connect(options));
    const greeting = await client.reply();
    assert.equal(greeting.status, "+OK", `the greeting was ${greeting.line}`);
    return client;
  }

  /** Sends lines, CRLF put behind each. */
  async send(lines: readonly (string | Uint8Array)[], sending: Sending = "whole"): Promise<void> {
    const octets = lines.map((line) => typeof line === "string" ? Buffer.from(line, "utf8") : line);
    for (const line of octets) this.#reader.sent(line);
    const all = Buffer.concat(octets.flatMap((line) => [line, CRLF]));
    const cuts = sending === "whole"
      ? []
      : sending === "octets"
      ? all.keys()
      : sending.map((place) => place % (all.length + 1)).sort((a, b) => a - b);
    let from = 0;
    for (const cut of [...cuts, all.length]) {
      if (cut > from) await this.wire.write(all.subarray(from, cut));
      from = cut;
    }
  }

  /** The next reply. Fails if the server closes first. */
  async reply(): Promise<Reply> {
    const reply = await this.replyOrEnd();
    assert.ok(reply !== undefined, "the server closed instead of answering");
    return reply;
  }

  /** The next reply, or undefined when the server has closed. */
  async replyOrEnd(): Promise<Reply | undefined> {
    while (this.#replies.length === 0 && !this.#ended) {
      const octets = await this.wire.read();
      if (octets !== undefined) {
        this.#replies.push(...this.#reader.push(octets));
      } else {
        this.#ended = true;
        this.#reader.end();
      }
    }
    return this.#replies.shift();
  }

  /** Puts a reply back, to be given by the next `reply`. */
  hearAgain(reply: Reply): void {
    this.#replies.unshift(reply);
  }

  /** Sends one line and returns its reply. */
  async command(line: string | Uint8Array): Promise<Reply> {
    await this.send([line]);
    return await this.reply();
  }

  /** Sends one line whose reply must be `+OK`, and returns what stands behind it. */
  async ok(line: string | Uint8Array): Promise<string> {
    const reply = await this.command(line);
    assert.equal(reply.status, "+OK", `${show(line)} was answered ${reply.line}`);
    return reply.line.slice("+OK ".length);
  }

  /** Sends one line whose reply must be `-ERR`, and returns the reply. */
  async err(line: string | Uint8Array): Promise<Reply> {
    const reply = await this.command(line);
    assert.equal(reply.status, "-ERR", `${show(line)} was answered ${reply.line}`);
    return reply;
  }

  /** Sends one line whose reply must be multi-line, and returns its lines as text. */
  async listing(line: string): Promise<string[]> {
    const reply = await this.command(line);
    assert.ok(reply.body !== undefined, `${line} was answered ${reply.line}`);
    return Buffer.from(reply.body).toString("utf8").split("\r\n").slice(0, -1);
  }

  /** Retrieves a message: its octets as sent, un-stuffed. */
  async retrieve(line: string): Promise<Buffer> {
    const reply = await this.command(line);
    assert.ok(reply.body !== undefined, `${line} was answered ${reply.line}`);
    return Buffer.from(reply.body);
  }

  async login(user: string, password: string): Promise<void> {
    await this.ok(`USER ${user}`);
    await this.ok(`PASS ${password}`);
  }

  /** Puts TLS on by STLS. */
  async stls(): Promise<void> {
    await this.ok("STLS");
    await this.startTls();
  }

  /** The handshake alone, after an accepted STLS. */
  async startTls(): Promise<void> {
    assert.equal(this.wire.pending, 0, "octets came between the answer to STLS and TLS");
    await this.wire.startTls();
    this.#reader.tlsStarted();
  }

  get wantsTls(): boolean {
    return this.#reader.wantsTls;
  }

  /** QUIT, answered +OK, and then the server closes. */
  async quit(): Promise<void> {
    await this.ok("QUIT");
    await this.closed();
  }

  /** Waits until the server closes; it may say nothing more before that. */
  async closed(): Promise<void> {
    const reply = await this.replyOrEnd();
    assert.equal(reply, undefined, `${reply?.line} came instead of the end`);
    this.wire.destroy();
  }

  /** Gives up the connection without a word. */
  disconnect(): void {
    this.wire.destroy();
  }
}

const CRLF = Buffer.from("\r\n");

function show(line: string | Uint8Array): string {
  return typeof line === "string" ? line : Buffer.from(line).toString("latin1");
}
