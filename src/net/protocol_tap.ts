/**
 * What the protocol log gets of one connection: its beginning, each command with its response line,
 * its end. Never a secret.
 *
 * Only what is known to be harmless is let through, since the other way round something would be
 * forgotten: parameters that look as the command's should, of AUTH the mechanism, of PASS that it was
 * there. An unknown word is not named, since it may be a password that came out of turn.
 *
 * *Knows*: commands by name. *Does not know*: answers, files.
 */

import { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import type { ProtocolSession } from "../admin/protocol_log.ts";
import type { SessionLog } from "../admin/session_log.ts";
import { parseCommand, splitArguments } from "../wire/command.ts";

/** What a command's parameters look like when they may be logged. */
const NONE = /^$/;
const NUMBERS = /^(?:[0-9]{1,20}(?: [0-9]{1,20})?)?$/;
const ONE_WORD = /^\S*$/u;
const LANGUAGE = /^(?:\*|[A-Za-z0-9-]{1,20})?$/;
const MECHANISM = new RegExp(
  "^(?:PLAIN|LOGIN|NTLM|GSSAPI|GSS-SPNEGO|CRAM-MD5|DIGEST-MD5|SCRAM-[A-Z0-9-]+|" +
    "XOAUTH2|OAUTHBEARER|EXTERNAL|ANONYMOUS)?$",
  "i",
);
const HARMLESS: ReadonlyMap<string, RegExp> = new Map([
  ["USER", ONE_WORD],
  ["AUTH", MECHANISM],
  ["LANG", LANGUAGE],
  ...["LIST", "RETR", "DELE", "TOP", "UIDL"].map((name) => [name, NUMBERS] as const),
  ...["PASS", "APOP"].map((name) => [name, NONE] as const),
  ...["STAT", "NOOP", "RSET", "QUIT", "CAPA", "STLS", "UTF8"].map((name) => [name, NONE] as const),
]);

const WITHHELD = "*****";

/** The command and its parameters as they may be logged. */
interface LoggedCommand {
  readonly command: string;
  readonly parameters: string;
}

export class ProtocolTap {
  readonly #session: ProtocolSession;
  readonly #log: SessionLog;

  /** `log` knows who is logged in. */
  constructor(session: ProtocolSession, log: SessionLog) {
    this.#session = session;
    this.#log = log;
  }

  opened(greeting: string): void {
    this.#write({ command: "OpenSession", parameters: "" }, { reply: greeting });
  }

  closed(reason: string): void {
    this.#write({ command: "CloseSession", parameters: "" }, { reply: reason });
  }

  /** `expected` is what the session expected before the line came. */
  answered(
    line: Uint8Array | "too-long",
    expected: "command" | "sasl-response",
    answer: { readonly reply: string; readonly replyOctets: number; readonly sinceMs: number },
  ): void {
    this.#write(loggedCommand(line, expected), {
      // A challenge is a part of an exchange of secrets.
      reply: answer.reply.startsWith("+ ") ? "+" : answer.reply,
      requestOctets: line === "too-long" ? 0 : line.length + CRLF_OCTETS,
      replyOctets: answer.replyOctets,
      durationMs: performance.now() - answer.sinceMs,
    });
  }

  #write(
    command: LoggedCommand,
    answer: { reply: string; requestOctets?: number; replyOctets?: number; durationMs?: number },
  ): void {
    this.#session.write({
      requestOctets: 0,
      replyOctets: 0,
      durationMs: 0,
      user: this.#log.user,
      ...command,
      ...answer,
    });
  }
}

const CRLF_OCTETS = 2;

/** What may be logged of a line. */
export function loggedCommand(
  line: Uint8Array | "too-long",
  expected: "command" | "sasl-response",
): LoggedCommand {
  if (expected === "sasl-response") return { command: "(response)", parameters: WITHHELD };
  if (line === "too-long") return { command: "(too long)", parameters: "" };
  const command = parseCommand(line);
  if ("fault" in command) return { command: "(malformed)", parameters: "" };
  const harmless = HARMLESS.get(command.keyword);
  const given = splitArguments(command).map((argument) => Buffer.from(argument).toString("utf8"));
  if (harmless === undefined) {
    return { command: "(unknown)", parameters: given.length === 0 ? "" : WITHHELD };
  }
  const parameters = given.join(" ");
  if (harmless.test(parameters)) return { command: command.keyword, parameters };
  // The first word may be harmless where what follows is not: AUTH PLAIN and its initial response.
  const [first = ""] = given;
  const shown = given.length > 1 && harmless.test(first) ? `${first} ${WITHHELD}` : WITHHELD;
  return { command: command.keyword, parameters: shown };
}
