import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { parseMailPath, unquotedAddress } from "../../../src/wire/mail_path.ts";

test("paths are read as they stand, with what is in quotes", () => {
  const addresses: Record<string, string> = {
    "MAIL FROM:<>": "",
    "mail from:<zoe@example.org>": "zoe@example.org",
    "MAIL FROM: <zoe@example.org>": "zoe@example.org",
    "MAIL  FROM : <zoe>": "zoe",
    'MAIL FROM:<"a> <b"@example.org>': '"a> <b"@example.org',
    'MAIL FROM:<"a\\">"@example.org>': '"a\\">"@example.org',
    "MAIL FROM:<@one.example,@two.example:zoe@example.org>": "zoe@example.org",
    "MAIL FROM:<a..b.@example.org>": "a..b.@example.org",
    "MAIL FROM:<bücher@bücher.example>": "bücher@bücher.example",
    "MAIL FROM:<zoe@xn--bcher-kva.example>": "zoe@xn--bcher-kva.example",
  };
  for (const [line, address] of Object.entries(addresses)) {
    strictEqual(parseMailPath(line, "MAIL FROM")?.address, address, line);
  }
});

test("what is no path is none", () => {
  const lines = [
    "MAIL",
    "MAIL FROM",
    "MAIL FROM:",
    "MAIL FROM:zoe",
    "MAIL FROM:<zoe",
    "MAIL FROM:zoe>",
  ]
    .concat([
      "MAIL FROM:<a<b>",
      "MAIL FROM:<zoe>x",
      'MAIL FROM:<"zoe>',
      "RCPT TO:<zoe>",
      "MAILFROM:<zoe>",
    ])
    .concat(["MAIL FROM:<zoe> =1", "MAIL FROM:<zoe> SIZE:1", ""]);
  deepStrictEqual(lines.filter((line) => parseMailPath(line, "MAIL FROM") !== undefined), []);
});

test("parameters are read by their keywords, and one that is there twice is told", () => {
  const path = parseMailPath("MAIL FROM:<> size=1  BODY=8BITMIME\tSMTPUTF8 RET=", "MAIL FROM")!;
  deepStrictEqual([...path.parameters], [
    ["SIZE", "1"],
    ["BODY", "8BITMIME"],
    ["SMTPUTF8", true],
    ["RET", true],
  ]);
  strictEqual(path.duplicate, undefined);
  strictEqual(parseMailPath("RCPT TO:<x> A=1 a=2", "RCPT TO")!.duplicate, "A");
});

test("an address in quotes means what is in them", () => {
  const meant: Record<string, string> = {
    "alice@example.com": "alice@example.com",
    '"alice smith"@example.com': "alice smith@example.com",
    '"a\\"b\\\\c"@example.com': 'a"b\\c@example.com',
    '"alice"': "alice",
    '""@example.com': "@example.com",
    '"open@example.com': '"open@example.com',
    '"a"b@example.com': '"a"b@example.com',
  };
  for (const [address, wanted] of Object.entries(meant)) {
    strictEqual(unquotedAddress(address), wanted);
  }
});
