/** The line framer: the same lines however the octets arrive, and nothing beyond the limit is kept. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { LineFramer } from "../../../src/wire/line_framer.ts";
import type { FuzzTarget } from "../target.ts";

const LIMITS_OCTETS = [4, 20, 512];

export const lineFramer: FuzzTarget = {
  name: "line_framer",
  executions: 4_000,
  attempt(input) {
    for (const limit of LIMITS_OCTETS) {
      const lines = expected(input, limit);
      // An octet at a time, in two pieces, and all at once.
      for (const step of [1, 1 + (input.length >> 1), input.length + 1]) {
        assert.deepEqual(linesOf(input, step, limit), lines);
      }
    }
  },
};

function linesOf(input: Uint8Array, step: number, limit: number): string[] {
  const framer = new LineFramer();
  const lines: string[] = [];
  for (let at = 0; at < input.length; at += step) {
    // The framer keeps what it is given.
    framer.push(Uint8Array.from(input.subarray(at, at + step)));
    for (let line; (line = framer.next(limit)) !== undefined;) {
      lines.push(line === "too-long" ? line : `line ${Buffer.from(line).toString("latin1")}`);
    }
    assert.ok(framer.pending < limit, "more is kept than a line may have");
  }
  return lines;
}

/** The rules of line_framer.ts once more, in the plainest way. */
function expected(input: Uint8Array, limit: number): string[] {
  const pieces = Buffer.from(input).toString("latin1").split("\n");
  const unended = pieces.pop()!;
  const lines = pieces.map((piece) =>
    piece.length + 1 > limit ? "too-long" : `line ${piece.replace(/\r$/, "")}`
  );
  return unended.length >= limit ? [...lines, "too-long"] : lines;
}
