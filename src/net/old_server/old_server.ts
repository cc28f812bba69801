/**
 * A POP3 server that a mailbox moves away from, as its client: which messages it lists, their unique-ids and
 * headers (RFC 1939, RFC 2449, RFC 2595). It marks and removes nothing.
 *
 * Headers come by TOP, several at a time where the server says that it can take that. RETR, which some servers take
 * for leave to remove a message, is used only if the caller says so; then the session is not ended by QUIT, so that
 * nothing is updated.
 *
 * *Knows* POP3. *Does not know* Maildirs. The password is sent, and neither kept nor shown.
 */

import { Buffer } from "node:buffer";
import {
  connectOverTls,
  connectPlain,
  type OldServerAddress,
  startTls,
} from "./connect_old_server.ts";
import { LineSocket } from "./line_socket.ts";
import { OldServerFault } from "./old_server_fault.ts";

/** Time for each line, ms: RFC 1939 §3 gives a server ten minutes, and none takes them. */
const LINE_MS = 120_000;

/** More messages than any mailbox that POP3 can be used with. */
const MOST_MESSAGES = 1_000_000;

/** A capability list that is longer is none. */
const MOST_CAPABILITIES = 1_000;

/** Commands that are sent ahead of their answers (RFC 2449 §6.6). */
const AHEAD = 32;

/** Most that is kept of a header, octets. */
const HEADER_OCTETS = 262_144;

/** That the text of a message may be longer than its size says, tenfold, whatever the server takes sizes for. */
const SIZE_SLACK_OCTETS = 16_777_216;

const CRLF = Buffer.from("\r\n");

export type OldServerTls = "implicit" | "starttls" | "none";

export interface OldServerOptions extends OldServerAddress {
  readonly tls: OldServerTls;
  readonly user: string;
  readonly password: Uint8Array;
  /** Whether whole messages may be downloaded where the server has no TOP. */
  readonly mayRetrieve: boolean;
}

export interface ListedOldMessage {
  readonly number: number;
  /** A character an octet. */
  readonly id: string;
  readonly octets: number;
}

export class OldServer {
  #lines: LineSocket;
  readonly #mayRetrieve: boolean;
  #capabilities: ReadonlySet<string> = new Set();
  #hasRetrieved = false;

  private constructor(lines: LineSocket, mayRetrieve: boolean) {
    this.#lines = lines;
    this.#mayRetrieve = mayRetrieve;
  }

  /** Connects and logs in. The caller ends it. @throws {OldServerFault} */
  static async open(options: OldServerOptions): Promise<OldServer> {
    const isTls = options.tls === "implicit";
    const socket = isTls ? await connectOverTls(options) : await connectPlain(options);
    const server = new OldServer(new LineSocket(socket, LINE_MS), options.mayRetrieve);
    try {
      await server.#mustBePositive("greets with");
      if (options.tls === "starttls") await server.#startTls(options);
      await server.#logIn(options);
      server.#capabilities = await server.#askCapabilities();
      return server;
    } catch (error) {
      server.#lines.close();
      throw error;
    }
  }

  async #startTls(options: OldServerOptions): Promise<void> {
    await this.#command("STLS", "to STLS answers");
    const secure = await startTls(this.#lines.release(), options);
    this.#lines = new LineSocket(secure, LINE_MS);
  }

  async #logIn({ user, password }: OldServerOptions): Promise<void> {
    const octets = [Buffer.from(user, "utf8"), password];
    if (octets.some((part) => part.some((octet) => octet === 13 || octet === 10 || octet === 0))) {
      throw new OldServerFault(
        "refused",
        "a name or password with a line end in it cannot be sent",
      );
    }
    this.#lines.write(Buffer.concat([Buffer.from("USER "), octets[0]!, CRLF]));
    const name = await this.#reply();
    if (!name.isPositive) throw new OldServerFault("refused", `to USER it answers ${name.text}`);
    this.#lines.write(Buffer.concat([Buffer.from("PASS "), octets[1]!, CRLF]));
    const login = await this.#reply();
    if (!login.isPositive) {
      throw new OldServerFault("refused", `the login is answered ${login.text}`);
    }
  }

  async #askCapabilities(): Promise<ReadonlySet<string>> {
    this.#send("CAPA");
    const found = new Set<string>();
    if (!(await this.#reply()).isPositive) return found;
    for await (const line of this.#listing(MOST_CAPABILITIES)) {
      found.add(line.toString("latin1").split(" ")[0]!.toUpperCase());
    }
    return found;
  }

  /** What the server lists, in its order. @throws {OldServerFault} */
  async messages(): Promise<ListedOldMessage[]> {
    const sizes = new Map<number, number>();
    await this.#command("LIST", "to LIST answers");
    for await (const line of this.#listing(MOST_MESSAGES)) {
      const [, number, octets] =
        /^([0-9]{1,10})[ \t]+([0-9]{1,15})/.exec(line.toString("latin1")) ?? [];
      if (number !== undefined) sizes.set(Number(number), Number(octets));
    }
    await this.#command("UIDL", "has no unique-ids: to UIDL it answers");
    const found: ListedOldMessage[] = [];
    for await (const line of this.#listing(MOST_MESSAGES)) {
      const [, digits, id] = /^([0-9]{1,10})[ \t]+(.*?)[ \t]*$/.exec(line.toString("latin1")) ?? [];
      const octets = sizes.get(Number(digits));
      if (id === undefined || id === "" || octets === undefined) continue;
      found.push({ number: Number(digits), id, octets });
    }
    return found;
  }

  /** One header for each, in their order; undefined for a message that is not there. @throws {OldServerFault} */
  async *headers(messages: readonly ListedOldMessage[]): AsyncGenerator<Buffer | undefined> {
    const first = messages[0];
    if (first === undefined) return;
    const command = await this.#headerCommand(first);
    const ahead = this.#capabilities.has("PIPELINING") ? AHEAD : 1;
    let sent = 0;
    for (let at = 0; at < messages.length; at++) {
      while (sent < Math.min(at + ahead, messages.length)) this.#send(command(messages[sent++]!));
      yield (await this.#reply()).isPositive ? await this.#header(messages[at]!) : undefined;
    }
  }

  /** How headers are asked for. */
  async #headerCommand(first: ListedOldMessage): Promise<(message: ListedOldMessage) => string> {
    const top = ({ number }: ListedOldMessage) => `TOP ${number} 0`;
    if (this.#capabilities.has("TOP")) return top;
    this.#send(top(first));
    if ((await this.#reply()).isPositive) {
      await this.#header(first);
      return top;
    }
    if (!this.#mayRetrieve) {
      throw new OldServerFault("unusable", "the old server has no TOP, by which headers are read");
    }
    this.#hasRetrieved = true;
    return ({ number }) => `RETR ${number}`;
  }

  /** What comes before the first empty line of a message, of which the rest is read and dropped. */
  async #header(message: ListedOldMessage): Promise<Buffer> {
    const lines: Buffer[] = [];
    const most = mostOctetsOf(message);
    let octets = 0;
    let all = 0;
    let isOver = false;
    for await (const line of this.#listing(Infinity)) {
      all += line.length + CRLF.length;
      if (all > most) {
        throw new OldServerFault("unusable", `its message ${message.number} does not end`);
      }
      isOver ||= line.length === 0 || octets + line.length > HEADER_OCTETS;
      if (isOver) continue;
      lines.push(Buffer.from(line), CRLF);
      octets += line.length + CRLF.length;
    }
    return Buffer.concat(lines);
  }

  /** Ends the session, and waits for nothing. */
  end(): void {
    try {
      if (!this.#hasRetrieved) this.#send("QUIT");
    } catch {
      // It is at its end already.
    }
    setTimeout(() => this.#lines.close(), 100).unref();
  }

  #send(command: string): void {
    this.#lines.write(Buffer.from(`${command}\r\n`, "latin1"));
  }

  async #command(command: string, doing: string): Promise<void> {
    this.#send(command);
    await this.#mustBePositive(doing);
  }

  async #mustBePositive(doing: string): Promise<void> {
    const { isPositive, text } = await this.#reply();
    if (!isPositive) throw new OldServerFault("unusable", `the old server ${doing} ${text}`);
  }

  async #reply(): Promise<{ readonly isPositive: boolean; readonly text: string }> {
    const text = (await this.#lines.readLine()).toString("latin1");
    if (!/^(?:\+OK|-ERR)(?:[ \t]|$)/i.test(text)) {
      throw new OldServerFault("unusable", `what answers is no POP3 server: ${text.slice(0, 200)}`);
    }
    return { isPositive: text.startsWith("+"), text: text.slice(0, 512) };
  }

  /** The lines of a multi-line response, without the dot that stuffs them. */
  async *#listing(most: number): AsyncGenerator<Buffer> {
    for (let lines = 0;; lines++) {
      const line = await this.#lines.readLine();
      if (line.length === 1 && line[0] === 0x2e) return;
      if (lines >= most) throw new OldServerFault("unusable", `it lists over ${most} lines`);
      yield line[0] === 0x2e ? line.subarray(1) : line;
    }
  }
}

/** What the text of a message may take: sizes are told in many ways, and none of them is out by so much. */
function mostOctetsOf({ octets }: ListedOldMessage): number {
  return 10 * octets + SIZE_SLACK_OCTETS;
}
