/** The command parser and base64, against their rules as one pattern each. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseMessageNumber } from "../../../src/maildrop/message_number.ts";
import { decodeBase64, encodeBase64 } from "../../../src/wire/base64.ts";
import { parseCommand, splitArguments, text } from "../../../src/wire/command.ts";
import type { FuzzTarget } from "../target.ts";

/** What is counted to in message numbers. */
const MESSAGES = 300;

export const command: FuzzTarget = {
  name: "command",
  executions: 20_000,
  maxOctets: 1_024,
  attempt(input) {
    checkBase64(input);
    const line = Buffer.from(input).toString("latin1");
    const parsed = parseCommand(input);
    const isBad = /[\0\r]/.test(line);
    const [, keyword, separator, rest = ""] = /^([A-Za-z0-9]+)(?:([ \t])([^]*))?$/.exec(line) ?? [];
    if ("fault" in parsed) {
      const fault = line === "" ? "empty" : isBad ? "octets" : "keyword";
      assert.equal(parsed.fault, fault);
      return assert.ok(fault !== "keyword" || keyword === undefined);
    }
    assert.ok(!isBad);
    assert.equal(parsed.keyword, keyword?.toUpperCase());
    assert.equal(parsed.rest && text(parsed.rest), separator === undefined ? undefined : rest);
    const words = rest.split(/[ \t]+/).filter((word) => word !== "");
    const found = splitArguments(parsed).map(text);
    assert.deepEqual(found, words);
    for (const word of found) {
      const number = parseMessageNumber(word, MESSAGES);
      const meant = /^[0-9]{1,15}$/.test(word) ? Number(word) : 0;
      assert.equal(number, meant >= 1 && meant <= MESSAGES ? meant : undefined);
    }
  },
};

/** What is decoded has one spelling, the one that is encoded. */
function checkBase64(input: Uint8Array): void {
  assert.deepEqual(
    Buffer.from(decodeBase64(Buffer.from(encodeBase64(input)))!),
    Buffer.from(input),
  );
  const decoded = decodeBase64(input);
  if (decoded !== undefined) {
    assert.equal(encodeBase64(decoded), Buffer.from(input).toString("latin1"));
  }
}
