/**
 * What a `maildirsize` file says (Maildir++, README.maildirquota): how much mail there may be, and how much there is.
 *
 * ```
 * 10000000S,1000C            <- the definition: octets, messages
 *      4096211         1203  <- octets and messages, when they were counted last
 *         2048            1  <- what came since,
 *        -6033           -2     and what went
 * ```
 *
 * Numbers stand right-aligned in twelve columns, as Courier writes them; Dovecot pads nothing, and both read both.
 * Who reads strictly finds damage that others overlook: a half-written line, what a disk left behind a power cut.
 * Damage means that the mail is counted again, so it is never believed and never an error.
 *
 * Pure. *Does not know* files.
 */

import type { QuotaLimits } from "../maildrop/quota_definition.ts";

export interface Usage {
  readonly octets: number;
  readonly messages: number;
}

export interface MaildirSizeText {
  /** The first line; undefined if it is none. */
  readonly definition: string | undefined;
  /** The sum of the other lines; undefined if any of them is damaged, or there is none. */
  readonly used: Usage | undefined;
  /** Lines behind the first, whatever they say. */
  readonly lines: number;
}

/** A file so long is counted anew by everybody who reads it, octets (README.maildirquota). */
export const MAILDIRSIZE_OCTETS = 5_120;

/** Longer ones are not kept for others when the file is written anew. */
const DEFINITION = /^[!-~]{1,100}$/;

const LINE = /^[ \t]*(-?\d{1,16})[ \t]+(-?\d{1,16})[ \t]*$/;

const COLUMNS = 12;

/** Reads a file's text, a character an octet. */
export function parseMaildirSize(text: string): MaildirSizeText {
  const [first = "", ...rest] = text.split("\n");
  const definition = DEFINITION.test(first) ? first : undefined;
  // Behind the last line end there is nothing, or a line that was not written to its end.
  const isWhole = rest.pop() === "";
  const used = isWhole && definition !== undefined ? sumOf(rest) : undefined;
  return { definition, used, lines: rest.length };
}

function sumOf(lines: readonly string[]): Usage | undefined {
  let octets = 0;
  let messages = 0;
  for (const line of lines) {
    const [, octetsOfLine, messagesOfLine] = LINE.exec(line) ?? [];
    octets += Number(octetsOfLine);
    messages += Number(messagesOfLine);
    if (!Number.isSafeInteger(octets) || !Number.isSafeInteger(messages)) return undefined;
  }
  // Less than nothing: what went was counted, and what had come was not.
  const isPossible = lines.length > 0 && octets >= 0 && messages >= 0;
  return isPossible ? { octets, messages } : undefined;
}

/** A line that adds so much; what is below zero went. */
export function encodeUsage({ octets, messages }: Usage): string {
  return `${column(octets)} ${column(messages)}\n`;
}

function column(value: number): string {
  return String(value).padStart(COLUMNS);
}

/** Whether there is more than a limit allows. */
export function isOver({ octets, messages }: Usage, limits: QuotaLimits): boolean {
  return limits.octets > 0 && octets > limits.octets ||
    limits.messages > 0 && messages > limits.messages;
}
