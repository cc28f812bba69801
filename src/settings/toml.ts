/**
 * Reads TOML and goes on after a bad line, so that one slip does not hide the others.
 *
 * *Knows*: TOML's syntax errors. *Does not know*: which keys there are.
 */

import { parse, TomlError } from "smol-toml";
import { type Fault, shownValue } from "./faults.ts";
import { keyLines } from "./key_lines.ts";

export interface TomlDocument {
  readonly values: Readonly<Record<string, unknown>>;
  readonly lines: ReadonlyMap<string, number>;
  readonly faults: readonly Fault[];
  /** Whether all of the text but the bad lines was read; otherwise there are no values. */
  readonly isWhole: boolean;
}

/** Bad lines after which the rest is not looked at: by then it is another kind of file. */
const MAX_BAD_LINES = 20;

/** A line that holds one whole `key = value`, which can be taken out without harm to its neighbours. */
const KEY_LINE = /^[ \t]*([A-Za-z0-9_-]+)[ \t]*=/;

/**
 * Parses TOML with integers as bigint, so that 1 and 1.0 stay apart. A bad line is a fault and is read
 * as if it were empty.
 */
export function readToml(file: string, toml: string): TomlDocument {
  const faults: Fault[] = [];
  const lines = toml.split("\n");
  for (;;) {
    const text = lines.join("\n");
    try {
      const values = parse(text, { integersAsBigInt: true });
      return { values, lines: keyLines(text), faults, isWhole: true };
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const index = error.line - 1;
      const line = lines[index] ?? "";
      faults.push(syntaxFault(file, lines, error));
      // Only an error further on than the last is a new one; an earlier one comes of what was taken out.
      const isNew = error.line > (faults.at(-2)?.line ?? 0);
      if (!KEY_LINE.test(line) || !isNew || faults.length > MAX_BAD_LINES) {
        if (!isNew) faults.pop();
        return { values: {}, lines: new Map(), faults, isWhole: false };
      }
      lines[index] = "";
    }
  }
}

function syntaxFault(file: string, lines: readonly string[], error: TomlError): Fault {
  const line = lines[error.line - 1] ?? "";
  const key = KEY_LINE.exec(line)?.[1];
  // The parser's message goes on with a picture of the place.
  const reason = error.message.replace(/^Invalid TOML document: /, "").split("\n", 1)[0] ?? "";
  if (reason.startsWith("trying to redefine") && key !== undefined) {
    const first = lines.findIndex((earlier) => KEY_LINE.exec(earlier)?.[1] === key) + 1;
    return {
      file,
      line: error.line,
      key,
      found: first > 0 && first < error.line
        ? `a second time (it stands on line ${first} already)`
        : "a second time",
      allowed: "once",
    };
  }
  return {
    file,
    line: error.line,
    key,
    found: `${shownValue(line.trim())}, which is not TOML (${reason}, column ${error.column})`,
    allowed: 'TOML, such as key = "text", key = 5, key = true or key = ["text", "text"]',
  };
}
