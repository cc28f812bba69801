/** The check that every server octet passes: what it lets through, and what it speaks up about. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type Reply, ReplyReader } from "../../support/reply_grammar.ts";

/** A dialogue: lines that the client sends, and behind them what the server says to all of them. */
function read(sent: readonly string[], said: string, chunkOctets = Infinity): Reply[] {
  const reader = new ReplyReader();
  const replies = reader.push(Buffer.from("+OK ready\r\n"));
  for (const line of sent) reader.sent(Buffer.from(line));
  const octets = Buffer.from(said, "latin1");
  for (let at = 0; at < octets.length; at += chunkOctets) {
    replies.push(...reader.push(octets.subarray(at, at + chunkOctets)));
  }
  reader.end();
  return replies.slice(1);
}

const SAYABLE: readonly [string, string[], string][] = [
  ["a status line without text", ["NOOP"], "+OK\r\n"],
  ["a failure with a response code", ["PASS x"], "-ERR [AUTH] no\r\n"],
  ["a failure with a response code and no text", ["RETR 1"], "-ERR [SYS/TEMP]\r\n"],
  ["a bracket behind a response code", ["PASS x"], "-ERR [AUTH] no [sorry]\r\n"],
  ["a listing", ["LIST"], "+OK\r\n1 120\r\n2 200\r\n.\r\n"],
  ["an empty listing", ["UIDL"], "+OK nothing\r\n.\r\n"],
  ["a single-line listing", ["LIST 2"], "+OK 2 200\r\n"],
  ["a refused listing", ["LIST"], "-ERR not now\r\n"],
  ["capabilities", ["CAPA"], "+OK\r\nTOP\r\nSASL PLAIN\r\nAUTH-RESP-CODE\r\n.\r\n"],
  ["a languages listing", ["LANG"], "+OK\r\nen English\r\nfr Fran\xc3\xa7ais\r\n.\r\n"],
  [
    "texts in a language that was chosen",
    ["LANG de", "NOOP"],
    "+OK de gr\xc3\xbcn\r\n+OK gr\xc3\xbcn\r\n",
  ],
  ["a message with stuffed dots", ["RETR 1"], "+OK\r\n..\r\n...a\r\n\r\n.\r\n"],
  ["a message with NUL, lone CR and 8-bit octets", ["RETR 1"], "+OK\r\na\0\rb\xff\r\n.\r\n"],
  ["an empty challenge and success", ["AUTH PLAIN", "AHUAcA=="], "+ \r\n+OK\r\n"],
  ["a farewell nobody asked for", [], "-ERR idle for too long\r\n"],
  ["two answers to two commands", ["NOOP", "STAT"], "+OK\r\n+OK 0 0\r\n"],
];

for (const [what, sent, said] of SAYABLE) {
  test(`the reply grammar lets a server say ${what}`, () => {
    const whole = read(sent, said);
    assert.equal(whole.length, Math.max(1, sent.length));
    assert.deepEqual(read(sent, said, 1), whole, "in single octets it reads the same");
    const wire = whole.flatMap((reply) => reply.wireLines).map((line) => Buffer.from(line));
    assert.deepEqual(Buffer.concat(wire.flatMap((line) => [line, CRLF])).toString("latin1"), said);
  });
}

const CRLF = Buffer.from("\r\n");

const UNSPEAKABLE: readonly [string, string[], string, RegExp][] = [
  ["a bare LF", ["NOOP"], "+OK\n", /LF without CR/],
  ["a bare LF in a message", ["RETR 1"], "+OK\r\na\nb\r\n.\r\n", /LF without CR/],
  ["no status", ["NOOP"], "OK\r\n", /neither \+OK nor -ERR/],
  ["a lower-case status", ["NOOP"], "+ok\r\n", /not base64 after one space|challenge outside/],
  ["an IMAP farewell", [], "* BYE\r\n", /nobody asked for/],
  ["text glued to the status", ["NOOP"], "+OKAY\r\n", /neither/],
  ["8-bit text", ["NOOP"], "+OK caf\xe9\r\n", /printable/],
  [
    "8-bit text though LANG was refused",
    ["LANG x", "NOOP"],
    "-ERR no\r\n+OK \xc3\xbc\r\n",
    /printable/,
  ],
  ["text that is not UTF-8", ["LANG de"], "+OK de gr\xfcn\r\n", /not UTF-8/],
  ["a NUL in text", ["NOOP"], "+OK a\0\r\n", /printable/],
  ["513 octets", ["NOOP"], `+OK ${"a".repeat(507)}\r\n`, /513 octets/],
  ["an unknown response code", ["PASS x"], "-ERR [WHO] no\r\n", /nobody defined/],
  ["AUTH in answer to USER", ["USER x"], "-ERR [AUTH] no\r\n", /may not answer USER/],
  ["a response code on +OK", ["NOOP"], "+OK [AUTH] yes\r\n", /on \+OK/],
  ["a bracket that begins no code", ["NOOP"], "-ERR no [sorry]\r\n", /begins no response code/],
  ["more behind the size in STAT", ["STAT"], "+OK 2 320 octets\r\n", /of another form/],
  ["more behind the size in LIST", ["LIST 1"], "+OK 1 120 x\r\n", /of another form/],
  ["more behind the size in a listing", ["LIST"], "+OK\r\n1 120 x\r\n.\r\n", /no line of LIST/],
  ["a unique-id of 71", ["UIDL"], `+OK\r\n1 ${"a".repeat(71)}\r\n.\r\n`, /no line of UIDL/],
  ["an answer too many", ["NOOP"], "+OK\r\n+OK\r\n", /nobody asked for/],
  ["two farewells", [], "-ERR bye\r\n-ERR bye\r\n", /took its leave/],
  ["a line that was not stuffed", ["RETR 1"], "+OK\r\n.a\r\n.\r\n", /bare dot/],
  ["a message cut off", ["RETR 1"], "+OK\r\na\r\n", /before the terminator/],
  ["half a line", ["NOOP"], "+OK\r\n-ER", /middle of a line/],
  ["a challenge outside AUTH", ["NOOP"], "+ \r\n", /outside AUTH/],
  ["a challenge without its space", ["AUTH PLAIN"], "+\r\n", /one space/],
  ["a challenge with text", ["AUTH PLAIN"], "+ go on\r\n", /not base64/],
  ["plain octets after STLS", ["STLS", "NOOP"], "+OK\r\n+OK\r\n", /after STLS/],
];

for (const [what, sent, said, sentence] of UNSPEAKABLE) {
  test(`the reply grammar refuses ${what}`, () => {
    assert.throws(() => read(sent, said), sentence);
  });
}

test("the reply grammar refuses a greeting that looks like an APOP timestamp", () => {
  const reader = new ReplyReader();
  assert.throws(() => reader.push(Buffer.from("+OK ready <1.2@x>\r\n")), /APOP/);
});

test("the reply grammar lets a greeting hold a bracket, but not begin with one", () => {
  assert.equal(new ReplyReader().push(Buffer.from("+OK ready [really]\r\n")).length, 1);
  assert.throws(() => new ReplyReader().push(Buffer.from("+OK [IN-USE] ready\r\n")), /on \+OK/);
});
