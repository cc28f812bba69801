/**
 * One log line from one record: text with `name=value` fields for people, or a JSON object for
 * machines. Both have the same fields under the same names; docs/log.md lists them.
 *
 * A line is bounded, so that one write takes it whole and several processes can share a file or pipe.
 *
 * *Knows*: LogTape's records. *Does not know*: where lines go.
 */

import { Buffer } from "node:buffer";
import type { LogRecord } from "@logtape/logtape";
import { fieldName, type LogValue, logValue, printable } from "./log_text.ts";

export type LogFormat = "text" | "json";

type Field = readonly [name: string, value: LogValue];

/** Names that the line itself has: a field of that name could forge them. */
const RESERVED = new Set(["time", "level", "room", "message"]);

/**
 * Longest line with its LF, octets: POSIX's PIPE_BUF on Linux, up to which a pipe takes a write whole, or
 * the lines of two processes could be mixed.
 */
export const LOG_LINE_OCTETS = 4_096;

/** What a value of a line that would be longer is cut to, characters: the first of these that will do. */
const SHORTER_CHARACTERS = [1_000, 250, 50, 10];

/** The line for a record, with its LF; `origin` is said first. */
export function formatRecord(
  record: LogRecord,
  format: LogFormat,
  origin: Readonly<Record<string, number>> = {},
): string {
  const fields = [...Object.entries(origin), ...recordFields(record)];
  let line = lineOf(record, fields, format);
  for (const characters of SHORTER_CHARACTERS) {
    if (isShortEnough(line)) break;
    line = lineOf(record, fields.map((field) => shortened(field, characters)), format);
  }
  return line;
}

/** No UTF-16 code unit is more than three octets. */
function isShortEnough(line: string): boolean {
  return line.length * 3 <= LOG_LINE_OCTETS || Buffer.byteLength(line) <= LOG_LINE_OCTETS;
}

function shortened([name, value]: Field, characters: number): Field {
  if (typeof value !== "string" || value.length <= characters) return [name, value];
  return [name, `${value.slice(0, characters).toWellFormed()}...`];
}

function lineOf(record: LogRecord, fields: readonly Field[], format: LogFormat): string {
  const time = new Date(record.timestamp).toISOString();
  const { level } = record;
  const room = record.category.slice(1).join(".") || "popkeep";
  const message = messageText(record);
  if (format === "json") {
    // Written out, which costs a quarter of making an object of the fields first.
    let line = `{"time":"${time}","level":"${level}","room":"${room}","message":${quoted(message)}`;
    for (const [name, value] of fields) line += `,"${name}":${quoted(value)}`;
    return `${line}}\n`;
  }
  const texts = fields.map(([name, value]) => ` ${name}=${quotedWhereNeeded(value)}`);
  return `${time} ${level.padEnd(7)} ${message}${texts.join("")}\n`;
}

function recordFields(record: LogRecord): Field[] {
  const fields: Field[] = [];
  const { properties } = record;
  for (const property in properties) {
    const value = properties[property];
    if (value === undefined) continue;
    const plain = fieldName(property);
    const name = RESERVED.has(plain) ? `${plain}_` : plain;
    const shown = logValue(name, value);
    if (shown !== undefined) fields.push([name, shown]);
    // A fault of ours is worth the place it takes; what clients and disks do is not.
    if (value instanceof Error && (record.level === "error" || record.level === "fatal")) {
      fields.push(["stack", printable(value.stack ?? "")]);
    }
  }
  return fields;
}

/** Message texts are fixed; a placeholder in one is filled like any other value. */
function messageText(record: LogRecord): string {
  return record.message
    .map((part, at) => at % 2 === 0 ? printable(String(part)) : String(logValue("", part) ?? ""))
    .join("");
}

/** As JSON has it. Numbers are finite. */
function quoted(value: LogValue): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** A value that begins a new field, or is none at all, needs quotes to be read back. */
function quotedWhereNeeded(value: LogValue): string {
  const text = String(value);
  return /^[^\s"=\\]+$/u.test(text) ? text : JSON.stringify(text);
}
