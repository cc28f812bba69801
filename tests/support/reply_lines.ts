/**
 * The form of single lines of responses, by command: the half of the reply grammar that keeps no state.
 *
 * Knows: RFC 1939, 2449, 3206, 5034 and 6856, and what [MS-STANXPOP3] takes away from them.
 * Does not know: which line comes when; reply_grammar.ts does.
 */

import { RESPONSE_LINE_OCTETS } from "../../src/limits.ts";

/** The server said something that no server may say. */
export class Unspeakable extends Error {
  override readonly name = "Unspeakable";

  constructor(what: string, line: string) {
    super(`The server broke the grammar: ${what}: ${JSON.stringify(line)}`);
  }
}

/** Every response code a document defines for POP3, and the commands it may answer, if it says so. */
const RESPONSE_CODES: Readonly<Record<string, RegExp>> = {
  "LOGIN-DELAY": /^(PASS|AUTH|sasl-response)$/, // RFC 2449 §8.1.1
  "IN-USE": /^(PASS|AUTH|sasl-response)$/, // RFC 2449 §8.1.2
  "SYS/TEMP": /^/, // RFC 3206 §4: anything, an empty line too
  "SYS/PERM": /^/,
  "AUTH": /^(PASS|AUTH|sasl-response)$/, // RFC 3206 §6; to USER it would tell who exists
  "UTF8": /^(LIST|TOP|RETR)$/, // RFC 6856 §5
};

/** What follows `+OK ` where a document fixes it and [MS-STANXPOP3] allows nothing after it. */
const EXACT_TEXT: Readonly<Record<string, RegExp>> = {
  STAT: /^[0-9]+ [0-9]+$/, // RFC 1939 §5 STAT, V0004
  LIST: /^[1-9][0-9]* [0-9]+$/, // RFC 1939 §5 LIST, V0005
  UIDL: /^[1-9][0-9]* [\x21-\x7e]{1,70}$/, // RFC 1939 §7 UIDL
};

const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What a response line answers. */
export interface Answered {
  /** The command's keyword, "sasl-response", "greeting" or "farewell". */
  readonly what: string;
  readonly argument: string;
  /** Whether text may hold more than ASCII: a language was chosen (RFC 6856 §3.1). */
  readonly utf8: boolean;
}

/** Checks a response line and returns its response code. */
export function checkStatusText(
  line: string,
  { what, argument, utf8 }: Answered,
): string | undefined {
  if (line.startsWith("+") && !line.startsWith("+OK")) {
    // RFC 5034 §5 continue-req: the space stands also before an empty challenge.
    if (!line.startsWith("+ ") || !BASE64.test(line.slice(2))) {
      throw new Unspeakable("a challenge that is not base64 after one space", line);
    }
    return undefined;
  }
  const form = utf8 ? /^(\+OK|-ERR)(?: (\P{Cc}*))?$/u : /^(\+OK|-ERR)(?: ([\x20-\x7e]*))?$/;
  const match = form.exec(line);
  if (match === null) throw new Unspeakable("neither +OK nor -ERR with printable text", line);
  const text = match[2] ?? "";
  if (what === "greeting" && /[<>]/.test(text)) {
    throw new Unspeakable("a greeting that looks like an APOP timestamp", line);
  }
  if (match[1] === "+OK") {
    // RFC 2449 §3: a greeting is made of gchar, which has "["; other texts of schar, which has not.
    const bracket = what === "greeting" ? text.startsWith("[") : text.includes("[");
    if (bracket) throw new Unspeakable("a response code on +OK", line);
    const exact = argument.trim() === "" && what !== "STAT" ? undefined : EXACT_TEXT[what];
    if (exact !== undefined && !exact.test(text)) {
      throw new Unspeakable(`an answer to ${what} of another form`, line);
    }
    return undefined;
  }
  return checkResponseCode(text, what, line);
}

function checkResponseCode(text: string, what: string, line: string): string | undefined {
  if (!text.startsWith("[")) {
    // RFC 2449 §3: text without a response code is made of schar, which leaves out "[".
    if (text.includes("[")) throw new Unspeakable("a [ that begins no response code", line);
    return undefined;
  }
  const code = /^\[([^\]]*)\]( |$)/.exec(text)?.[1];
  const commands = code === undefined ? undefined : RESPONSE_CODES[code];
  if (commands === undefined) throw new Unspeakable("a response code nobody defined", line);
  if (!commands.test(what)) {
    throw new Unspeakable(`that response code may not answer ${what}`, line);
  }
  return code;
}

/** Lines of listings; a message's lines may hold anything. */
const LISTINGS: Readonly<Record<string, RegExp>> = {
  LIST: EXACT_TEXT["LIST"]!,
  UIDL: EXACT_TEXT["UIDL"]!,
  // RFC 2449 §3: capability = capa-tag *(SP param); a tag holds no dot.
  CAPA: /^[\x21-\x2d\x2f-\x7e]+( [\x21-\x7e]+)*$/,
  // RFC 6856 §3.1: a language tag, and at will one space and its description, in UTF-8.
  LANG: /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*( [^\p{Cc}]+)?$/u,
  // RFC 4422 §3.1: a mechanism name is 1 to 20 of A-Z 0-9 - _.
  AUTH: /^[A-Z0-9_-]{1,20}$/,
};

/** Checks one un-stuffed line of a multi-line response that is no message. */
export function checkDataLine(keyword: string, octets: Uint8Array): void {
  const line = new TextDecoder(keyword === "LANG" ? "utf-8" : "latin1").decode(octets);
  if (octets.length + 2 > RESPONSE_LINE_OCTETS) {
    throw new Unspeakable(`a line of ${octets.length + 2} octets`, line);
  }
  if (!LISTINGS[keyword]!.test(line)) {
    throw new Unspeakable(`a line that is no line of ${keyword}`, line);
  }
}
