/**
 * One log line from one record: text with `name=value` fields for people, or a JSON object for
 * machines. Both have the same fields under the same names; docs/log.md lists them.
 *
 * *Knows*: LogTape's records. *Does not know*: where lines go.
 */

import type { LogRecord } from "@logtape/logtape";
import { fieldName, type LogValue, logValue, printable } from "./log_text.ts";

export type LogFormat = "text" | "json";

/** Names that the line itself has: a field of that name could forge them. */
const RESERVED = new Set(["time", "level", "room", "message"]);

/** The line for a record, with its LF. */
export function formatRecord(record: LogRecord, format: LogFormat): string {
  const time = new Date(record.timestamp).toISOString();
  const { level } = record;
  const room = record.category.slice(1).join(".") || "popkeep";
  const message = messageText(record);
  const fields = recordFields(record);
  if (format === "json") {
    return `${JSON.stringify({ time, level, room, message, ...Object.fromEntries(fields) })}\n`;
  }
  const texts = fields.map(([name, value]) => ` ${name}=${quotedWhereNeeded(value)}`);
  return `${time} ${level.padEnd(7)} ${message}${texts.join("")}\n`;
}

function recordFields(record: LogRecord): [string, LogValue][] {
  const fields: [string, LogValue][] = [];
  for (const [property, value] of Object.entries(record.properties)) {
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

/** A value that begins a new field, or is none at all, needs quotes to be read back. */
function quotedWhereNeeded(value: LogValue): string {
  const text = String(value);
  return /^[^\s"=\\]+$/u.test(text) ? text : JSON.stringify(text);
}
