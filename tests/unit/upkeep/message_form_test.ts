/** What is said of messages that are no Internet messages (C0011, RFC 5322), whatever pieces they come in. */

import { deepStrictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { fieldFaults } from "../../../src/upkeep/field_contents.ts";
import { FormReader } from "../../../src/upkeep/message_form.ts";

const FROM = "From: a@b.example\n";
const DATE = "Date: Tue, 14 Jul 2026 10:00:00 +0200\n";
const GOOD = `${FROM}${DATE}Subject: hello\n folded\n\nbody\n`;

async function faultsOf(text: string, pieceOctets = Infinity): Promise<string[]> {
  const octets = Buffer.from(text, "latin1");
  const reader = new FormReader();
  for (let at = 0; at < octets.length; at += pieceOctets) {
    reader.push(octets.subarray(at, at + Math.min(pieceOctets, octets.length)));
  }
  const { faults, fields } = reader.end();
  return [...faults, ...await fieldFaults(fields)];
}

const CASES: readonly (readonly [name: string, text: string, faults: readonly string[]])[] = [
  ["a plain message", GOOD, []],
  ["lines that end with CRLF", GOOD.replaceAll("\n", "\r\n"), []],
  ["no body and no line end", `${FROM}${DATE.trimEnd()}`, []],
  ["a line of 998 octets", `${GOOD}${"x".repeat(998)}\r\n`, []],
  ["no header", "just text\nmore\n", ["has no header"]],
  ["nothing before the body", "\nbody\n", ["has no header"]],
  ["no From", `${DATE}\nbody`, ["has no From"]],
  ["no Date", `${FROM}\nbody`, ["has no Date"]],
  ["two From", `${FROM}${FROM}${DATE}\n`, ["has From 2 times"]],
  ["two Message-ID", `${GOOD.slice(0, -6)}Message-ID: <a@b>\nMessage-Id: <c@d>\n\n`, [
    "has Message-ID 2 times",
  ]],
  ["a line that is no field", `${FROM}nonsense\n${DATE}\n`, [
    "has a line in its header that is no header field",
  ]],
  ["the line of an mbox", `From x Tue Jul 14\n${GOOD}`, [
    "begins with the line of an mbox file (From ...)",
  ]],
  ["a NUL", `${GOOD}a\0b\n`, ["has a NUL in it"]],
  ["a bare CR", `${GOOD}a\rb\n`, ["has a CR without LF in it"]],
  ["two CRs before LF", `${GOOD}a\r\r\nb`, ["has a CR without LF in it"]],
  ["a CR at the end", `${GOOD}a\r`, ["has a CR without LF in it"]],
  ["a long line", `${GOOD}${"x".repeat(999)}\n`, [
    "has a line of 999 octets, and 998 are allowed",
  ]],
  ["a long line at the end", `${GOOD}${"x".repeat(1_200)}`, [
    "has a line of 1200 octets, and 998 are allowed",
  ]],
  ["UTF-8 in the header", `${FROM}${DATE}Subject: \xc3\xa4\n\n`, [
    "has UTF-8 in its header, which is allowed by RFC 6532 alone",
  ]],
  ["Latin-1 in the header", `${FROM}${DATE}Subject: \xe4\n\n\xe4`, [
    "has octets above 127 in its header that are no UTF-8",
  ]],
  ["8-bit in the body", `${GOOD}\xe4\n`, []],
  ["no address in From", `From: nobody\n${DATE}\n`, ["has no address in From"]],
  ["an empty From", `From:\n${DATE}\n`, ["has no address in From"]],
  [
    "a From that is folded and encoded",
    `From: =?utf-8?Q?=C3=84?=\n <a@b.example> (x)\n${DATE}\n`,
    [],
  ],
  ["a From of several", `From: "A, B" <a@b.example>, c@d.example\n${DATE}\n`, []],
  ["a Date that is none", `${FROM}Date: yesterday\n\n`, ["has a Date that is none"]],
  ["a Date with comments", `${FROM}Date: Tue, 14 Jul 2026 10:00:00 +0200 (CEST)\n\n`, []],
  ["a Date with an old zone", `${FROM}Date: 14 Jul 2026 10:00 MEZ\n\n`, []],
];

for (const [name, text, faults] of CASES) {
  test(`of a message with ${name} is said: ${faults.join("; ") || "nothing"}`, async () => {
    for (const pieceOctets of [Infinity, 1, 2, 7]) {
      deepStrictEqual(await faultsOf(text, pieceOctets), faults, `in pieces of ${pieceOctets}`);
    }
  });
}

test("a header that does not end is kept up to a limit, and the rest of the message still looked at", async () => {
  const faults = await faultsOf(`${FROM}${DATE}${"X: y\n".repeat(100_000)}\0`);
  deepStrictEqual(faults, ["has a header of 256 KiB or more", "has a NUL in it"]);
});
