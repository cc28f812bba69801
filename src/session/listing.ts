/** The bodies of multi-line responses that are lists of lines. */

import { Buffer } from "node:buffer";
import { TERMINATOR } from "../wire/dot_stuffing.ts";
import type { Body } from "./answer.ts";

/** Characters gathered before an array is made: the listing of a million messages needs no more. */
const CHUNK_CHARACTERS = 32_768;

/** A list of at most so many lines is made at once: one array costs the writer less than an iterable. */
const SHORT_LIST_LINES = 500;

const TERMINATOR_TEXT = Buffer.from(TERMINATOR).toString("latin1");

/** A short list; no line begins with a dot. */
export function linesBody(lines: readonly string[]): Body {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join("") + TERMINATOR_TEXT);
}

/**
 * One line for each number from 1 to `count` for which `lineOf` gives one; a long list is made as it
 * is drawn. Lines are ASCII and begin with a digit, so nothing is to be stuffed.
 */
export function numberedBody(
  count: number,
  lineOf: (number: number) => string | undefined,
): Body {
  const chunks = numberedLines(count, lineOf);
  return count <= SHORT_LIST_LINES ? Buffer.concat([...chunks]) : chunks;
}

function* numberedLines(
  count: number,
  lineOf: (number: number) => string | undefined,
): Generator<Uint8Array> {
  let text = "";
  for (let number = 1; number <= count; number++) {
    const line = lineOf(number);
    if (line === undefined) continue;
    text += `${line}\r\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text, "latin1");
    text = "";
  }
  yield Buffer.from(text + TERMINATOR_TEXT, "latin1");
}
