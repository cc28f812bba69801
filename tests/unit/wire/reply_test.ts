/** Response lines: form and length. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { errLine, fit, okLine } from "../../../src/wire/reply.ts";

test("a positive line is +OK, or +OK and text", () => {
  assert.equal(okLine(""), "+OK");
  assert.equal(okLine("2 320"), "+OK 2 320");
});

test("a negative line has its response code in front of the text", () => {
  assert.equal(errLine("no such message"), "-ERR no such message");
  assert.equal(errLine("wrong", "AUTH"), "-ERR [AUTH] wrong");
});

test("C0001: a line with its CRLF is never longer than 512 octets", () => {
  assert.equal(okLine("x".repeat(506)), `+OK ${"x".repeat(506)}`);
  assert.equal(okLine("x".repeat(507)), `+OK ${"x".repeat(506)}`);
  assert.equal(errLine("x".repeat(9_999), "SYS/TEMP").length, 510);
});

test("a text that is clipped is not clipped within a character", () => {
  for (const character of ["ä", "€", "😀"]) {
    for (let before = 0; before < 4; before++) {
      const line = fit("x".repeat(before) + character.repeat(400));
      const octets = Buffer.from(line);
      assert.ok(octets.length <= 510 && octets.length > 506, `${octets.length}`);
      assert.ok(line.endsWith(character));
    }
  }
});

test("a text cannot begin a line of its own", () => {
  assert.equal(okLine("a\r\n-ERR b\0c"), "+OK a??-ERR b?c");
});
