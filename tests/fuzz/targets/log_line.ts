/** Log lines with anything in them: one line, bounded, of printable text, and JSON where that is asked for. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { formatRecord, LOG_LINE_OCTETS } from "../../../src/admin/log_format.ts";
import type { FuzzTarget } from "../target.ts";

/** Controls, what breaks lines, and what turns the direction of text. */
const UNFIT = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** Values that could be taken for more than one are in quotes. */
const TEXT_LINE = /^\S+ error {3}login failed(?: [a-z0-9_]+=(?:[^\s"=\\]+|"(?:[^"\\]|\\.)*"))*\n$/u;

export const logLine: FuzzTarget = {
  name: "log_line",
  executions: 15_000,
  maxOctets: 8_192,
  attempt(input) {
    const octets = Buffer.from(input);
    const [user = "", reason = ""] = octets.toString("utf8").split("\n---\n");
    // Halves of surrogate pairs, too.
    const utf16 = octets.subarray(0, octets.length & ~1).toString("utf16le");
    const properties = { user, reason, utf16, password: user, error: new Error(reason), octets };
    for (const format of ["text", "json"] as const) {
      const line = formatRecord({
        category: ["popkeep", "auth"],
        level: "error",
        message: ["login failed"],
        rawMessage: "login failed",
        properties,
        timestamp: 1_767_323_045_678,
      }, format);
      assert.ok(line.endsWith("\n") && !UNFIT.test(line.slice(0, -1)), "no plain line");
      assert.ok(
        line.isWellFormed() && Buffer.byteLength(line) <= LOG_LINE_OCTETS,
        "a line too long",
      );
      if (format === "json") {
        const { level, password } = JSON.parse(line);
        assert.deepEqual([level, password], ["error", "(withheld)"]);
      } else assert.match(line, TEXT_LINE);
    }
  },
};
