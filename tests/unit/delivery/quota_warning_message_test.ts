/** The message that warns of a quota: in each language, of templates, always in ASCII and as RFC 5322 has it. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { encodeHeaderText, encodeText } from "../../../src/delivery/mime_text.ts";
import {
  percentUsed,
  quotaWarningMessage,
  sizeInWords,
  type WarningFacts,
} from "../../../src/delivery/quota_warning_message.ts";
import { WARNING_WORDS } from "../../../src/delivery/quota_warning_texts.ts";
import { QUOTA_WARNING_LANGUAGES } from "../../../src/settings/quota_section.ts";
import { testProperty } from "../../support/property.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-warning-`);
after(() => rmSync(folder, { recursive: true, force: true }));

const FACTS: WarningFacts = {
  template: { file: "", language: "en", serverName: "mail.example.com" },
  user: "alice@example.org",
  used: { octets: 1_900_000_000, messages: 1_203 },
  limits: { octets: 2 ** 31, messages: 10_000 },
  percent: 88.4,
  exceeded: "refuse",
  nowMs: Date.UTC(2026, 10, 23, 17, 5, 9),
};

/** The message, which must be one; with LF for CRLF, as it is stored. */
async function message(facts: Partial<WarningFacts> = {}): Promise<string> {
  const octets = Buffer.from(await quotaWarningMessage({ ...FACTS, ...facts }));
  const text = octets.toString("latin1");
  assert.match(text, /^[\n\x20-\x7e]*\n$/, "it is ASCII, with LF at line ends, the last one too");
  assert.ok(text.split("\n").every((line) => line.length <= 998));
  const [header = ""] = text.split("\n\n");
  for (const field of ["From", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"]) {
    assert.equal(header.match(new RegExp(`^${field}:`, "gmi"))?.length, 1, field);
  }
  return text;
}

function template(text: string | Buffer): Partial<WarningFacts> {
  const file = `${folder}/template`;
  writeFileSync(file, text);
  return { template: { ...FACTS.template, file } };
}

test("there is a text in each language that the settings have", () => {
  assert.deepEqual(Object.keys(WARNING_WORDS).sort(), [...QUOTA_WARNING_LANGUAGES].sort());
});

for (const language of QUOTA_WARNING_LANGUAGES) {
  test(`the built-in text is whole: ${language}`, async () => {
    for (const percent of [88.4, 100]) {
      for (const exceeded of ["refuse", "defer"] as const) {
        const facts = { percent, exceeded, template: { ...FACTS.template, language } };
        const parsed = await simpleParser(await message(facts));
        assert.ok(parsed.text!.includes("alice@example.org"));
        assert.equal(parsed.subject!.includes("88"), percent === 88.4);
        assert.match(parsed.text!, /1[.,]8 GiB .* 2 GiB/);
        assert.doesNotMatch(`${parsed.subject}${parsed.text}`, /[{}\ufffd]|undefined|NaN/);
        assert.ok(parsed.text!.split("\n").every((line) => line.length <= 78), parsed.text!);
      }
    }
    const words = Object.values(WARNING_WORDS[language]);
    assert.ok(words.every((text) => text !== "" && text === text.normalize("NFC")));
  });
}

test("a limit that there is not is not told of", async () => {
  const text = await message({ limits: { octets: 0, messages: 10_000 } });
  assert.match(text, /Messages: {2}1,203 of 10,000/);
  assert.doesNotMatch(text, /Storage/);
});

test("the date is RFC 5322's, and the domain is the user's", async () => {
  const text = await message();
  assert.match(text, /^Date: Mon, 23 Nov 2026 17:05:09 \+0000$/m);
  assert.match(text, /^From: Postmaster <postmaster@example\.org>$/m);
  assert.match(text, /^To: alice@example\.org$/m);
  assert.match(await message({ user: "bob" }), /^To: bob@mail\.example\.com$/m);
  assert.match(await message({ user: 'b "o\\b' }), /^To: "b \\"o\\\\b"@mail\.example\.com$/m);
  for (const user of ["j\u00f6rg@example.org", "alice@ex\u00e4mple.org", "a@b_c@d!"]) {
    const odd = await message({ user });
    assert.match(odd, /^To: (undisclosed-recipients:;|"a@b_c"@)/m, user);
    assert.match(odd, /^From: Postmaster <postmaster@[a-z.]+>$/m);
  }
});

test("a template says what it says, and what it leaves out is added", async () => {
  const text = await message(template(`From: "J\u00f6rg, Mail" <joerg@example.com>
Subject: Postf\u00e4cher: {percent} % von {user} mit einem so langen Betreff, dass er gefaltet wird
X-Site: example
Date: yesterday
Message-ID: <mine@example.com>
Auto-Submitted: no

{used} von {limit}, {messages} von {message_limit}, {nothing} {user}.
F\u00fcr immer = gut. \t
`));
  const parsed = await simpleParser(text);
  assert.equal(
    parsed.subject,
    "Postf\u00e4cher: 88 % von alice@example.org mit einem so langen Betreff, dass er gefaltet wird",
  );
  assert.equal(parsed.headers.get("x-site"), "example");
  assert.equal(parsed.headers.get("auto-submitted"), "auto-generated");
  assert.notEqual(parsed.messageId, "<mine@example.com>");
  assert.equal(
    parsed.text,
    "1.8 GiB von 2 GiB, 1,203 von 10,000, {nothing} alice@example.org.\n" +
      "F\u00fcr immer = gut. \t\n",
  );
  assert.match(text, /^Content-Transfer-Encoding: quoted-printable$/m);
});

test("a template without a header is a text", async () => {
  const parsed = await simpleParser(
    await message(template("Attention: there are {used}\r\nused.")),
  );
  // Its first line looks like a field, and the second does not: no header.
  assert.equal(parsed.text, "Attention: there are 1.8 GiB\nused.\n");
  assert.equal(parsed.subject, "Your mailbox is 88 % full");
});

test("a template that cannot be used is as if there were none", async () => {
  const missing = { template: { ...FACTS.template, file: `${folder}/missing` } };
  const bad = [
    missing,
    template(Buffer.from([0xff, 0xfe])),
    template("a\0b"),
    template("x".repeat(65_537)),
  ];
  for (const facts of bad) {
    assert.match(await message(facts), /^Subject: Your mailbox is 88 % full$/m);
  }
  assert.match(await message(template(`\n${"x".repeat(65_535)}`)), /x=$/m);
});

test("nothing in a template makes another header of the message", async () => {
  const text = await message({
    ...template("Subject: {user}\n\n{user}\n"),
    user: "a\nBcc: b@example.com",
  });
  assert.doesNotMatch(text.split("\n\n")[0]!, /^Bcc/m);
});

test("sizes are told in units of 1024, in the language's own way", () => {
  assert.equal(sizeInWords(0, "en"), "0 B");
  assert.equal(sizeInWords(1_023, "en"), "1,023 B");
  assert.equal(sizeInWords(1_536, "de"), "1,5 KiB");
  assert.equal(sizeInWords(2 ** 31, "en"), "2 GiB");
  assert.equal(sizeInWords(3 * 2 ** 50, "en"), "3,072 TiB");
});

test("the resource that there is less left of says how full it is", () => {
  const limits = { octets: 100, messages: 10 };
  assert.equal(percentUsed({ octets: 50, messages: 9 }, limits), 90);
  assert.equal(percentUsed({ octets: 120, messages: 9 }, limits), 120);
  assert.equal(percentUsed({ octets: 120, messages: 9 }, { octets: 0, messages: 0 }), 0);
});

const line = fc.string({ unit: "grapheme", maxLength: 300 })
  .map((text) => text.replace(/[\p{Cc}\p{Cs}]/gu, " "));

testProperty(
  "any text comes back as it was",
  fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
    const text = lines.join("\n");
    const { encoding, octets } = encodeText(text);
    const encoded = octets.toString("latin1");
    assert.match(encoded, /^[\n\t\x20-\x7e]*$/);
    assert.ok(encoded.split("\n").every((piece) => piece.length <= 78));
    const header = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: ";
    const { text: parsed = "" } = await simpleParser(`${header}${encoding}\n\n${encoded}`);
    assert.equal(parsed.trimEnd(), text.trimEnd());
  }),
  200,
);

testProperty(
  "any subject comes back as it was, but for control characters and blanks",
  fc.asyncProperty(line, async (subject) => {
    const encoded = encodeHeaderText(subject, false, "Subject: ".length);
    assert.match(encoded, /^(?:[\x20-\x7e]|\n )*$/);
    const { subject: parsed = "" } = await simpleParser(`Subject: ${encoded}\n\n`);
    const plain = (text: string) => text.replace(/\s+/gu, " ").trim();
    assert.equal(plain(parsed), plain(subject));
  }),
  200,
);
