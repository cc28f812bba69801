/**
 * An LMTP client for tests: sends octets as it is told, and reads replies, each of which is held to the grammar of
 * RFC 5321 §4.2 and RFC 2034.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";

/** How long a reply may take, ms. */
const PATIENCE_MS = 60_000;

const REPLY_LINE = /^([2-5][0-9]{2})([ -])([\x20-\x7e]*)$/;

/** RFC 2034 §4: every reply but these has an enhanced code of its own class. */
const WITHOUT_STATUS =
  /^(?:220|354|250[ -](?!\d\.)|500 Error: (?:HELO|EHLO)|501 Error: (?:syntax|Bad hostname))/;

export type LmtpPlace = { readonly port: number } | { readonly path: string };

export class LmtpClient {
  readonly socket: net.Socket;
  #text = "";
  #isOver = false;
  #arrived: (() => void) | undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (octets: Buffer) => {
      this.#text += octets.toString("latin1");
      this.#arrived?.();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#arrived?.();
      });
    }
  }

  /** Connects; the greeting has been read. */
  static async connect(place: LmtpPlace): Promise<LmtpClient> {
    const options = "port" in place ? { host: "127.0.0.1", ...place } : place;
    const client = new LmtpClient(net.connect({ ...options, allowHalfOpen: true }));
    assert.match(await client.reply(), /^220 \S+ LMTP$/);
    return client;
  }

  /** Connects and has said LHLO; returns what that was answered too. */
  static async greeted(place: LmtpPlace): Promise<{ client: LmtpClient; features: string[] }> {
    const client = await LmtpClient.connect(place);
    const reply = await client.ask("LHLO mx.example.com");
    assert.match(reply, /^250-/);
    return { client, features: reply.split("\n").slice(1).map((line) => line.slice(4)) };
  }

  send(octets: string | Uint8Array): void {
    this.socket.write(typeof octets === "string" ? Buffer.from(octets, "latin1") : octets);
  }

  /** Sends a command; the lines of its reply, joined by LF. */
  ask(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    return this.reply();
  }

  async asked(command: string, reply: RegExp): Promise<string> {
    const said = await this.ask(command);
    assert.match(said, reply, command);
    return said;
  }

  /** MAIL, RCPT for each, and DATA, which all are taken. */
  async begin(recipients: readonly string[], sender = "zoe@example.org"): Promise<void> {
    await this.asked(`MAIL FROM:<${sender}>`, /^250 2\.1\.0 /);
    for (const one of recipients) await this.asked(`RCPT TO:<${one}>`, /^250 2\.1\.5 /);
    await this.asked("DATA", /^354 /);
  }

  /** The whole of a message; a reply for each recipient. */
  async deliver(
    recipients: readonly string[],
    message: string | Uint8Array,
    sender?: string,
  ): Promise<string[]> {
    await this.begin(recipients, sender);
    this.send(stuffed(message));
    const replies: string[] = [];
    for (const _ of recipients) replies.push(await this.reply());
    return replies;
  }

  /** The next reply. @throws If the server closes before. */
  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      if (line === undefined) {
        throw new Error(`closed, and before it ${JSON.stringify(this.#text)}`);
      }
      const [, code = "", between] = REPLY_LINE.exec(line) ?? [];
      assert.ok(code !== "", `no reply line: ${JSON.stringify(line)}`);
      assert.ok(line.length <= 510, line);
      if (!WITHOUT_STATUS.test(line)) {
        assert.match(line.slice(4), new RegExp(`^${code[0]}\\.\\d{1,3}\\.\\d{1,3} `), line);
      }
      lines.push(line);
      if (between === " ") return lines.join("\n");
    }
  }

  /** Waits for the server's end of the connection; what it said before. */
  async untilClosed(): Promise<string> {
    while (!this.#isOver) await this.#more();
    return this.#text;
  }

  /** Ends our side; what was sent is still read. */
  halfClose(): void {
    this.socket.end();
  }

  /** Is gone without a word. */
  vanish(): void {
    this.socket.destroy();
  }

  async quit(): Promise<void> {
    await this.asked("QUIT", /^221 /);
    this.socket.end();
    await this.untilClosed();
    this.socket.destroy();
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      if (this.#isOver) return undefined;
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the server says nothing")), PATIENCE_MS);
      this.#arrived = () => {
        clearTimeout(timer);
        this.#arrived = undefined;
        resolve();
      };
    });
  }
}

/** A message as DATA has it: dots at the beginning of lines doubled, and its end. Lines end in CRLF. */
export function stuffed(message: string | Uint8Array): Buffer {
  const text = typeof message === "string" ? message : Buffer.from(message).toString("latin1");
  const dotted = text.replace(/(^|\r\n)\./g, "$1..");
  const end = dotted === "" || dotted.endsWith("\r\n") ? ".\r\n" : "\r\n.\r\n";
  return Buffer.from(dotted + end, "latin1");
}
