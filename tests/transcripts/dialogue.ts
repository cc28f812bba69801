/**
 * Reads dialogues, which are data: pages of lines that anybody who knows POP3 can read.
 *
 * A file of dialogues/ holds any number of them:
 *
 *     # A comment.
 *     == RETR of a message that was removed meanwhile is refused
 *     cites: C0004                     statements that it proves (tests/conformance)
 *     ways: memory, tcp                all (memory, tcp, tls, stls) unless said
 *     sending: lines                   all (lines, whole, octets) unless said
 *     because: why not all, where `ways` or `sending` leaves some out
 *     start: greeting                  where it begins: greeting, connected, or logged-in unless said
 *     settings: max_bad_commands = 3   a line of the settings file
 *     password: with space             the user's, "secret" unless said
 *     message: Subject: a\n\nhello\n   what the mailbox holds, one line a message
 *
 *     C: RETR 1                        the client sends this line
 *     S: +OK 21 octets                 the server answers exactly this line
 *     S: -ERR [AUTH]*                  a status line with * at its end: whatever follows
 *     S~ \+OK \d+ octets               or a regular expression for the whole line
 *     S~ 1 (?<first>\d+)               whose named groups are remembered:
 *     S: 2 {=first}                    what was remembered
 *     S(tls,stls): x                   a line that comes only on these ways
 *     ! unlink 1                       something happens; see player.ts for what there is
 *
 * In messages and in C: and S: lines, `\n \r \t \0 \s \\ \xHH` are octets (`\s` a space where one would
 * not be seen), and `{...}` stands for what differs from run to run or would be long: {user},
 * {password}, {plain} (base64 for AUTH PLAIN), {fill:600} (so many "x"), and {base64:TEXT}, in whose text
 * USER, PASSWORD and FILL600 stand for the same.
 */

import { Buffer } from "node:buffer";

/** How a client reaches the server. */
export const WAYS = ["memory", "tcp", "tls", "stls"] as const;
export type Way = typeof WAYS[number];

/** How lines are sent: each after the answer to the one before, all at once, or octet by octet. */
export const SENDINGS = ["lines", "whole", "octets"] as const;
export type Sending = typeof SENDINGS[number];

export type Step =
  | { readonly kind: "client"; readonly text: string; readonly line: number }
  | {
    readonly kind: "server";
    readonly text: string;
    readonly isPattern: boolean;
    /** Ways on which the line comes; undefined for all. */
    readonly ways: readonly Way[] | undefined;
    readonly line: number;
  }
  | {
    readonly kind: "event";
    readonly what: string;
    readonly argument: string;
    readonly line: number;
  };

export interface Dialogue {
  readonly name: string;
  readonly file: string;
  readonly cites: readonly string[];
  readonly ways: readonly Way[];
  readonly sendings: readonly Sending[];
  readonly start: "greeting" | "connected" | "logged-in";
  /** TOML, a line each. */
  readonly settings: string;
  /** With its escapes, as the messages. */
  readonly password: string;
  readonly messages: readonly string[];
  readonly steps: readonly Step[];
}

/** Reads all dialogues of a file. @throws {Error} If a line is none of the above; it says which. */
export function parseDialogues(file: string, text: string): Dialogue[] {
  const dialogues: Dialogue[] = [];
  let reader: DialogueReader | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const where = `${file}:${index + 1}`;
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("== ")) {
      if (reader !== undefined) dialogues.push(reader.finish());
      reader = new DialogueReader(file, line.slice("== ".length));
    } else if (reader === undefined) {
      throw new Error(`${where}: this line belongs to no dialogue; one begins with "== "`);
    } else {
      reader.take(line, index + 1, where);
    }
  }
  if (reader !== undefined) dialogues.push(reader.finish());
  return dialogues;
}

class DialogueReader {
  readonly #file: string;
  readonly #name: string;
  readonly #headers = new Map<string, string[]>();
  readonly #steps: Step[] = [];

  constructor(file: string, name: string) {
    this.#file = file;
    this.#name = name;
  }

  take(content: string, line: number, where: string): void {
    const said = /^(C|S(?:\([a-z,]+\))?):(?: (.*))?$/.exec(content);
    const pattern = /^S~ (.*)$/.exec(content);
    const event = /^! ([a-z-]+)(?: (.*))?$/.exec(content);
    const header = /^([a-z]+):(?: (.*))?$/.exec(content);
    if (said?.[1] === "C") {
      this.#steps.push({ kind: "client", text: said[2] ?? "", line });
    } else if (said !== null) {
      const ways = said[1]!.length > 1 ? wayList(said[1]!.slice(2, -1), where) : undefined;
      this.#steps.push({ kind: "server", text: said[2] ?? "", isPattern: false, ways, line });
    } else if (pattern !== null) {
      this.#steps.push({
        kind: "server",
        text: pattern[1]!,
        isPattern: true,
        ways: undefined,
        line,
      });
    } else if (event !== null) {
      this.#steps.push({ kind: "event", what: event[1]!, argument: event[2] ?? "", line });
    } else if (header !== null && this.#steps.length === 0) {
      this.#headers.set(header[1]!, [...this.#headers.get(header[1]!) ?? [], header[2] ?? ""]);
    } else {
      throw new Error(`${where}: not a line of a dialogue: ${content}`);
    }
  }

  finish(): Dialogue {
    const where = `${this.#file}: ${this.#name}`;
    const dialogue: Dialogue = {
      name: this.#name,
      file: this.#file,
      cites: this.#list("cites"),
      ways: wayList(this.#one("ways") ?? WAYS.join(","), where),
      sendings: sendingList(this.#one("sending") ?? SENDINGS.join(","), where),
      start: startOf(this.#one("start") ?? "logged-in", where),
      settings: this.#many("settings").join("\n"),
      password: this.#one("password") ?? "secret",
      messages: this.#many("message"),
      steps: this.#steps,
    };
    const isWhole = dialogue.ways.length === WAYS.length &&
      dialogue.sendings.length === SENDINGS.length;
    const because = this.#one("because");
    if (!isWhole && because === undefined) {
      throw new Error(
        `${where}: it leaves out a way or a sending and does not say because of what`,
      );
    }
    const [unknown] = this.#headers.keys();
    if (unknown !== undefined) throw new Error(`${where}: there is no header "${unknown}"`);
    if (dialogue.steps.length === 0) throw new Error(`${where}: nothing is said`);
    return dialogue;
  }

  #many(header: string): string[] {
    const values = this.#headers.get(header) ?? [];
    this.#headers.delete(header);
    return values;
  }

  #one(header: string): string | undefined {
    return this.#many(header).at(-1);
  }

  #list(header: string): string[] {
    return this.#many(header).flatMap((value) => value.split(",")).map((value) => value.trim());
  }
}

function wayList(text: string, where: string): Way[] {
  return text.split(",").map((word) => oneOf(WAYS, word.trim(), where));
}

function sendingList(text: string, where: string): Sending[] {
  return text.split(",").map((word) => oneOf(SENDINGS, word.trim(), where));
}

function startOf(text: string, where: string): Dialogue["start"] {
  return oneOf(["greeting", "connected", "logged-in"] as const, text, where);
}

function oneOf<Word extends string>(words: readonly Word[], text: string, where: string): Word {
  const word = words.find((word) => word === text);
  if (word === undefined) throw new Error(`${where}: "${text}" is none of ${words.join(", ")}`);
  return word;
}

/** Who plays: what the placeholders of a dialogue stand for. */
export interface Cast {
  readonly user: string;
  readonly password: string;
  /** What named groups of S~ lines have met. */
  readonly remembered?: ReadonlyMap<string, string>;
}

/** The octets that a text of a dialogue stands for. */
export function octetsOf(text: string, cast: Cast): Buffer {
  const pieces: Buffer[] = [];
  const form =
    /\{(user|password|plain|=(\w+)|base64:([^}]*)|fill:(\d+))\}|\\x([0-9A-Fa-f]{2})|\\(.)/gu;
  let at = 0;
  for (const match of text.matchAll(form)) {
    pieces.push(Buffer.from(text.slice(at, match.index), "utf8"));
    at = match.index + match[0].length;
    pieces.push(octetsOfForm(match, cast));
  }
  pieces.push(Buffer.from(text.slice(at), "utf8"));
  return Buffer.concat(pieces);
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  0: "\0",
  s: " ",
  "\\": "\\",
  "{": "{",
  "}": "}",
};

function octetsOfForm(match: RegExpExecArray, cast: Cast): Buffer {
  const [whole, placeholder, remembered, encoded, fill, hex, escaped] = match;
  if (hex !== undefined) return Buffer.from([Number.parseInt(hex, 16)]);
  if (escaped !== undefined) {
    const octets = ESCAPES[escaped];
    if (octets === undefined) throw new Error(`There is no escape ${whole}`);
    return Buffer.from(octets);
  }
  if (fill !== undefined) return Buffer.alloc(Number(fill), "x");
  if (encoded !== undefined) {
    // Braces cannot nest, so words stand for what differs: {base64:\0USER\0PASSWORD}.
    const inner = encoded.replaceAll("USER", cast.user).replaceAll("PASSWORD", cast.password)
      .replace(/FILL(\d+)/g, (_, length) => "x".repeat(Number(length)));
    return Buffer.from(octetsOf(inner, cast).toString("base64"));
  }
  if (remembered !== undefined) {
    const value = cast.remembered?.get(remembered);
    if (value === undefined) throw new Error(`Nothing was remembered as "${remembered}"`);
    return Buffer.from(value);
  }
  if (placeholder === "plain") {
    return Buffer.from(Buffer.from(`\0${cast.user}\0${cast.password}`).toString("base64"));
  }
  return Buffer.from(placeholder === "user" ? cast.user : cast.password);
}
