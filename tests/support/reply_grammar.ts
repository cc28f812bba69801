/**
 * The grammar of what a server may say, as a reader that takes its octets and throws at the first one
 * that may not stand there. Every octet that the server sends in any test goes through it.
 *
 * What it holds the server to:
 * - a response line is `+OK`, `-ERR` (or `+ ` and base64 during AUTH), printable ASCII (UTF-8 once LANG
 *   has chosen a language, RFC 6856 §3), CRLF, and at most 512 octets (RFC 1939 §3, RFC 5034 §5, C0001);
 * - text that begins with `[` is a response code that a document defines, on `-ERR`, and no other text
 *   holds a `[` (RFC 2449 §3 and §8, RFC 3206 §4, RFC 6856 §5); a greeting holds no `<...>` (V0012);
 * - nothing but CRLF ends a line, also in messages; a multi-line response is stuffed and terminated;
 * - one response a command, none without a command but one `-ERR` before the server closes (V0003);
 * - STAT, LIST, UIDL, CAPA, LANG and AUTH listings have exactly the form their documents give.
 *
 * Knows: the commands that were sent, in order. Does not know: sockets, tests, what a message holds.
 */

import { RESPONSE_LINE_OCTETS, SASL_LINE_OCTETS } from "../../src/limits.ts";
import { checkDataLine, checkStatusText, Unspeakable } from "./reply_lines.ts";

export { Unspeakable };

export interface Reply {
  /** The response line without CRLF. */
  readonly line: string;
  readonly status: "+OK" | "-ERR" | "+";
  /** The response code without brackets, if there is one. */
  readonly code: string | undefined;
  /** The lines of a multi-line response without terminator, un-stuffed, each with CRLF; undefined if single. */
  readonly body: Uint8Array | undefined;
  /** All lines of the response as they were on the wire, without CRLF, the terminator included. */
  readonly wireLines: readonly Uint8Array[];
}

/** Commands whose `+OK` is multi-line whatever their arguments. */
const ALWAYS_MULTI_LINE = new Set(["CAPA", "RETR", "TOP"]);
/** Commands whose `+OK` is multi-line when they have no argument. */
const MULTI_LINE_WITHOUT_ARGUMENT = new Set(["LIST", "UIDL", "LANG", "AUTH"]);

const LF = 10, CR = 13, DOT = 46;
const PLUS = 43;
const utf8 = new TextDecoder("utf-8", { fatal: true });
const latin1 = new TextDecoder("latin1");

type Phase = "status" | "body" | "tls" | "over";

export class ReplyReader {
  #phase: Phase = "status";
  #greeted = false;
  /** What the client sent and has no answer yet, one entry a line. */
  readonly #sent: { keyword: string; argument: string }[] = [];
  /** The command being answered, or undefined for the greeting and for a farewell. */
  #answering: { keyword: string; argument: string } | undefined;
  /** Whether the last reply was a challenge, so that the next line sent is a SASL response. */
  #challenged = false;
  #line: string = "";
  #body: Uint8Array[] = [];
  #wireLines: Uint8Array[] = [];
  /** Octets of a line whose end has not come; chunks, so that a long line stays linear. */
  #partial: Uint8Array[] = [];
  #partialOctets = 0;
  #closing = false;
  /** A language was chosen by LANG, so texts are UTF-8; before that they are ASCII. */
  #speaksUtf8 = false;

  /** Tells that the client sent this line (without its line end), so that an answer is due. */
  sent(line: Uint8Array): void {
    const text = latin1.decode(line);
    const match = /^([^ \t]*)[ \t]*([^]*)$/.exec(text)!;
    this.#sent.push({ keyword: match[1]!.toUpperCase(), argument: match[2]! });
  }

  /** How many answers are still due, the greeting not counted. */
  get due(): number {
    return this.#sent.length + (this.#phase === "body" ? 1 : 0);
  }

  /** Whether a TLS handshake must follow now: no plain octet is allowed any more. */
  get wantsTls(): boolean {
    return this.#phase === "tls";
  }

  tlsStarted(): void {
    if (this.#phase !== "tls") throw new Unspeakable("TLS begins though no STLS was accepted", "");
    this.#phase = "status";
    this.#speaksUtf8 = false;
  }

  /** Takes octets and returns the replies that they complete. @throws {Unspeakable} */
  push(octets: Uint8Array): Reply[] {
    const replies: Reply[] = [];
    let from = 0;
    for (let lf; (lf = octets.indexOf(LF, from)) >= 0; from = lf + 1) {
      const line = this.#takeLine(octets.subarray(from, lf + 1));
      const reply = this.#phase === "body" ? this.#bodyLine(line) : this.#statusLine(line);
      if (reply !== undefined) replies.push(reply);
    }
    if (from < octets.length) {
      this.#partial.push(new Uint8Array(octets.subarray(from)));
      this.#partialOctets += octets.length - from;
      const mayBeAnyLength = this.#phase === "body" && this.#isMessage();
      if (!mayBeAnyLength && this.#partialOctets > SASL_LINE_OCTETS) {
        throw new Unspeakable("a response line has no end", this.#partialText());
      }
    }
    return replies;
  }

  /** The server closed the connection. @throws {Unspeakable} If it closed in the middle of something. */
  end(): void {
    if (this.#partialOctets > 0) {
      throw new Unspeakable("the connection closes in the middle of a line", this.#partialText());
    }
    if (this.#phase === "body") {
      throw new Unspeakable("the connection closes before the terminator", this.#line);
    }
    this.#phase = "over";
  }

  #partialText(): string {
    return this.#partial.map((chunk) => latin1.decode(chunk)).join("").slice(0, 200);
  }

  /** Joins what was kept with the end of the line, checks the line end and takes it off. */
  #takeLine(ending: Uint8Array): Uint8Array {
    const line = this.#partialOctets === 0 ? ending : join([...this.#partial, ending]);
    this.#partial = [];
    this.#partialOctets = 0;
    if (line[line.length - 2] !== CR) {
      throw new Unspeakable("a line ends in LF without CR", latin1.decode(line));
    }
    return line.subarray(0, line.length - 2);
  }

  #isMessage(): boolean {
    return this.#answering?.keyword === "RETR" || this.#answering?.keyword === "TOP";
  }

  #statusLine(octets: Uint8Array): Reply | undefined {
    const line = this.#textOf(octets);
    if (this.#phase === "tls") throw new Unspeakable("plain octets after STLS was accepted", line);
    if (this.#closing) throw new Unspeakable("more octets after the server took its leave", line);
    const wasChallenged = this.#challenged;
    this.#challenged = false;
    this.#line = line;
    const wireLines = [new Uint8Array(octets)];
    if (this.#greeted && this.#sent.length === 0) return this.#farewell(line, wireLines);
    this.#answering = this.#greeted ? this.#sent.shift() : undefined;
    const what = !this.#greeted
      ? "greeting"
      : wasChallenged
      ? "sasl-response"
      : this.#answering!.keyword;

    if (line.startsWith("+ ") || line === "+") {
      if (what !== "AUTH" && what !== "sasl-response") {
        throw new Unspeakable("a challenge outside AUTH", line);
      }
      checkStatusText(line, { what, argument: "", utf8: false });
      this.#challenged = true;
      return { line, status: "+", code: undefined, body: undefined, wireLines };
    }
    if (octets.length + 2 > RESPONSE_LINE_OCTETS) {
      throw new Unspeakable(`a response line of ${octets.length + 2} octets`, line);
    }
    const code = checkStatusText(line, {
      what,
      argument: this.#answering?.argument ?? "",
      utf8: this.#speaksUtf8,
    });
    this.#greeted = true;
    const status = line.startsWith("+OK") ? "+OK" : "-ERR";
    if (status === "+OK" && what === "STLS") this.#phase = "tls";
    if (status === "+OK" && this.#isMultiLine(what)) {
      this.#phase = "body";
      this.#wireLines = wireLines;
      return undefined;
    }
    return { line, status, code, body: undefined, wireLines };
  }

  /** The line's text: ASCII, or what LANG has allowed; the reply that grants it is in the language. */
  #textOf(octets: Uint8Array): string {
    const next = this.#sent[0];
    if (this.#greeted && next?.keyword === "LANG" && next.argument.trim() !== "") {
      if (octets[0] === PLUS) this.#speaksUtf8 = true;
    }
    if (!this.#speaksUtf8) return latin1.decode(octets);
    try {
      return utf8.decode(octets);
    } catch {
      throw new Unspeakable("text that is not UTF-8", latin1.decode(octets));
    }
  }

  /** A line nobody asked for: allowed once, as the last thing before the connection closes. */
  #farewell(line: string, wireLines: Uint8Array[]): Reply {
    if (!line.startsWith("-ERR")) throw new Unspeakable("an answer nobody asked for", line);
    const code = checkStatusText(line, {
      what: "farewell",
      argument: "",
      utf8: this.#speaksUtf8,
    });
    this.#closing = true;
    return { line, status: "-ERR", code, body: undefined, wireLines };
  }

  #isMultiLine(what: string): boolean {
    if (ALWAYS_MULTI_LINE.has(what)) return true;
    return MULTI_LINE_WITHOUT_ARGUMENT.has(what) && this.#answering!.argument.trim() === "";
  }

  #bodyLine(line: Uint8Array): Reply | undefined {
    const wireLines = this.#wireLines;
    wireLines.push(new Uint8Array(line));
    if (line.length === 1 && line[0] === DOT) {
      this.#phase = "status";
      const body = join(this.#body);
      this.#body = [];
      return { line: this.#line, status: "+OK", code: undefined, body, wireLines };
    }
    if (line[0] === DOT && line[1] !== DOT) {
      throw new Unspeakable(
        "a line of a multi-line response begins with a bare dot",
        latin1.decode(line),
      );
    }
    const unstuffed = line[0] === DOT ? line.subarray(1) : line;
    if (!this.#isMessage()) checkDataLine(this.#answering!.keyword, unstuffed);
    this.#body.push(new Uint8Array(unstuffed), CRLF);
    return undefined;
  }
}

const CRLF = new Uint8Array([CR, LF]);

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
