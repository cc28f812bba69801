/** Lines do not depend on how the octets arrive, and the readers of lines take anything. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../src/wire/base64.ts";
import { parseCommand, splitArguments } from "../../src/wire/command.ts";
import { LineFramer } from "../../src/wire/line_framer.ts";
import { cut, storedMessage, testProperty } from "../support/property.ts";

const LIMIT_OCTETS = 20;

/** The rules of line_framer.ts once more: what lines the octets hold, whatever the chunks. */
function expected(octets: Uint8Array): string[] {
  const pieces = Buffer.from(octets).toString("latin1").split("\n");
  const unended = pieces.pop()!;
  const lines = pieces.map((piece) =>
    piece.length + 1 > LIMIT_OCTETS ? "too-long" : `line ${piece.replace(/\r$/, "")}`
  );
  return unended.length >= LIMIT_OCTETS ? [...lines, "too-long"] : lines;
}

testProperty(
  "lines are the same however the octets are cut, and nothing beyond the limit is kept",
  fc.property(cut(storedMessage()), (chunks) => {
    const framer = new LineFramer();
    const lines: string[] = [];
    for (const chunk of chunks) {
      framer.push(chunk);
      for (let line; (line = framer.next(LIMIT_OCTETS)) !== undefined;) {
        lines.push(line === "too-long" ? line : `line ${Buffer.from(line).toString("latin1")}`);
      }
      assert.ok(framer.pending < LIMIT_OCTETS);
    }
    assert.deepEqual(lines, expected(Buffer.concat(chunks)));
  }),
  1_000,
);

testProperty(
  "any octets are a command or a fault, and a command has the octets that it was made of",
  fc.property(fc.uint8Array({ maxLength: 40 }), (line) => {
    const command = parseCommand(line);
    if ("fault" in command) return;
    assert.match(command.keyword, /^[A-Z0-9]+$/);
    assert.ok(!line.includes(0) && !line.includes(13));
    const restLength = command.rest === undefined ? -1 : command.rest.length;
    assert.equal(command.keyword.length + 1 + restLength, line.length);
    for (const argument of splitArguments(command)) {
      assert.ok(argument.length > 0 && !argument.includes(9) && !argument.includes(32));
    }
  }),
  1_000,
);

testProperty(
  "base64 brings back any octets, and has one spelling for each",
  fc.property(fc.uint8Array({ maxLength: 40 }), fc.string(), (octets, text) => {
    assert.deepEqual(
      Buffer.from(decodeBase64(Buffer.from(encodeBase64(octets)))!),
      Buffer.from(octets),
    );
    const decoded = decodeBase64(Buffer.from(text));
    if (decoded !== undefined) assert.equal(encodeBase64(decoded), text);
  }),
);
