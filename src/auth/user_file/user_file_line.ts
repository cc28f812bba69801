/**
 * Changes one line of a user file and leaves the rest of it octet by octet.
 *
 * *Knows* where the fields of a line are, and which names are one user's. A line is text of one character an octet, with its line end.
 * *Does not know* what the fields mean, or files.
 */

import { Buffer } from "node:buffer";
import { foldedName } from "../user_name.ts";

/** What some editors write at the beginning of a UTF-8 file, one character an octet. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/** Fields before the extra ones: user, password, uid, gid, gecos, home, shell. */
const FIXED_FIELDS = 7;

/** Text as lines hold it: one character for each octet of its UTF-8. */
export function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The user of a line, one character an octet; undefined for comments and lines without one. */
function userOfLine(line: string): string | undefined {
  const { content } = parted(line);
  const text = content.startsWith(BYTE_ORDER_MARK)
    ? content.slice(BYTE_ORDER_MARK.length)
    : content;
  return text.startsWith("#") ? undefined : /^[^:]+/.exec(text)?.[0];
}

/** A line and its end, as whoever reads the file parts them: a CR elsewhere is a part of the line. */
function parted(line: string): { content: string; end: string } {
  const end = /\r?\n?$/.exec(line)?.[0] ?? "";
  return { content: line.slice(0, line.length - end.length), end };
}

/** Whether a line is an entry of this user, in whatever letter case; never for what is no UTF-8. */
export function isLineOf(line: string, user: string): boolean {
  const found = userOfLine(line);
  if (found === undefined) return false;
  const name = Buffer.from(found, "latin1").toString("utf8");
  return !name.includes("\ufffd") && foldedName(name) === foldedName(user);
}

export function withPassword(line: string, stored: string): string {
  const { content, end } = parted(line);
  const [, name = "", rest = ""] = /^([^:]*)(?::[^:]*)?(.*)$/s.exec(content) ?? [];
  return `${name}:${octets(stored)}${rest}${end}`;
}

/** The extra fields of a line as they stand there, `key=value` or `key`. */
export function extrasOfLine(line: string): string[] {
  return extraText(line).split(" ").filter((field) => field !== "");
}

/** The line with these extra fields, by key, in the place of those it had; undefined takes one away. */
export function withExtras(
  line: string,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const { content, end } = parted(line);
  const before = extraText(line);
  const kept = before.split(" ").filter((field) => !Object.hasOwn(changes, keyOf(field)));
  const added = Object.entries(changes).flatMap(([key, value]) =>
    value === undefined ? [] : [octets(`${key}=${value}`)]
  );
  const after = [...kept.join(" ") === "" ? [] : kept, ...added].join(" ");
  if (after === before) return line;
  const fixed = content.split(":").slice(0, FIXED_FIELDS);
  while (fixed.length < FIXED_FIELDS) fixed.push("");
  return [...fixed, after].join(":") + end;
}

/** The rest of the line behind the fixed fields; see passwd_line.ts for the old form. */
function extraText(line: string): string {
  const [first = "", ...further] = parted(line).content.split(":").slice(FIXED_FIELDS);
  const old = first === "" && further.join("") !== "";
  const text = old ? `userdb_mail=${further.join(":")}` : [first, ...further].join(":");
  // Colons alone are fields that are not there; something behind them would be the old form.
  return /^:+$/.test(text) ? "" : text;
}

function keyOf(field: string): string {
  return field.replace(/=.*$/s, "");
}
