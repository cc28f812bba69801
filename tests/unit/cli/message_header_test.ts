import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { readMessageHeader } from "../../../src/cli/message_header.ts";
import type { StoredMessage } from "../../../src/maildrop/store.ts";

/** A message that is handed out in chunks, and how many were taken. */
function messageOf(octets: Uint8Array, chunkOctets = 65_536) {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += chunkOctets) {
    chunks.push(octets.subarray(at, at + chunkOctets));
  }
  const message: StoredMessage & { taken: number } = {
    storedOctets: octets.length,
    taken: 0,
    read: () => Promise.resolve(chunks[message.taken++]),
    close: () => Promise.resolve(),
  };
  return message;
}

function headerOf(text: string | Uint8Array, chunkOctets?: number) {
  const octets = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  return readMessageHeader(messageOf(octets, chunkOctets));
}

const NOTHING = { date: undefined, from: "", sender: "", subject: "" };

test("date, sender and subject are decoded", async () => {
  const text = `Received: from a
From: =?utf-8?Q?Andr=C3=A9_Lef=C3=A8vre?= <andre@example.com>
Subject: =?iso-8859-1?Q?D=E9j=E0?=
 =?iso-8859-1?Q?_vu?=
Date: Tue, 14 Jul 2026 10:00:00 +0200

Subject: not this one
`;
  for (const message of [text, text.replaceAll("\n", "\r\n")]) {
    for (const chunkOctets of [1, 7, 65_536]) {
      deepStrictEqual(await headerOf(message, chunkOctets), {
        date: new Date("2026-07-14T08:00:00Z"),
        from: '"Andr\u00e9 Lef\u00e8vre" <andre@example.com>',
        sender: "Andr\u00e9 Lef\u00e8vre",
        subject: "D\u00e9j\u00e0 vu",
      });
    }
  }
});

test("a sender without a name is shown by the address", async () => {
  strictEqual((await headerOf("From: a@example.com\n\n")).sender, "a@example.com");
});

test("8-bit headers are read as UTF-8, or as Western European where they are none", async () => {
  strictEqual((await headerOf("Subject: Gr\u00fc\u00dfe\n\n")).subject, "Gr\u00fc\u00dfe");
  const latin1 = Buffer.from("Subject: Gr\u00fc\u00dfe\n\n", "latin1");
  strictEqual((await headerOf(latin1)).subject, "Gr\u00fc\u00dfe");
});

test("a message without a header has nothing to show", async () => {
  for (const text of ["", "\n", "\r\nSubject: body\r\n", "\n\n\n", "no header at all"]) {
    deepStrictEqual(await headerOf(text), NOTHING, JSON.stringify(text));
  }
});

test("dates are read in the forms that mail has them in", async () => {
  for (
    const date of [
      "14 Jul 2026 08:00:00 +0000",
      "Tue, 14 Jul 2026 10:00:00 +0200 (Central European (Summer) Time)",
      "Tue, 14 Jul 2026\n 08:00:00 GMT",
    ]
  ) {
    const header = await headerOf(`Date: ${date}\n\n`);
    strictEqual(header.date?.toISOString(), "2026-07-14T08:00:00.000Z", date);
  }
});

test("a date that is none is no date", async () => {
  for (const date of ["the day before yesterday", "", "99 Jul 2026", "("]) {
    strictEqual((await headerOf(`Date: ${date}\n\n`)).date, undefined, date);
  }
});

test("of two fields with one name the first counts", async () => {
  strictEqual((await headerOf("Subject: one\nSubject: two\n\n")).subject, "one");
});

test("of a message with a large body only the header is read", async () => {
  const body = Buffer.alloc(10_000_000, "x");
  const message = messageOf(Buffer.concat([Buffer.from("Subject: large\n\n"), body]));
  strictEqual((await readMessageHeader(message)).subject, "large");
  strictEqual(message.taken, 1);
});

test("a header without an end is read up to a limit", async () => {
  const message = messageOf(Buffer.alloc(10_000_000, "Subject: on and on and on\n"));
  strictEqual((await readMessageHeader(message)).subject, "on and on and on");
  ok(message.taken < 10);
});

test("a subject as long as a book is cut", async () => {
  const { subject } = await headerOf(`Subject: ${"a ".repeat(50_000)}\n\n`);
  ok(subject.length < 10_000);
});

test("any octets give some header", async () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom("From: ", "Date: ", "Subject: ", "=?", "?Q?", "\n", " ", "<@>"),
    })
      .map((text) => Buffer.from(text, "utf8")),
  );
  await fc.assert(fc.asyncProperty(octets, async (octets) => {
    const { from, subject, sender } = await headerOf(octets);
    for (const text of [from, subject, sender]) strictEqual(typeof text, "string");
  }));
});
