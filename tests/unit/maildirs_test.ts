/**
 * The demo mail is what it is said to be: every awkward kind of message is among it, and no octet of
 * it has changed since it was written (git, an editor and a careless test can all do that).
 *
 * After a wanted change: `cd maildirs && find alice bob carol -type f | LC_ALL=C sort |
 * xargs -d '\n' sha256sum > SHA256SUMS`.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { canonicalOctets, DEMO_USERS, demoMessages, MAILDIRS } from "../support/demo_mail.ts";
import type { DemoMessage } from "../support/demo_mail.ts";

const all = DEMO_USERS.flatMap((user) => demoMessages(user));

const text = (message: DemoMessage) => message.stored.toString("latin1");
const name = (message: DemoMessage) => message.path.slice(message.path.indexOf("/") + 1);
const header = (message: DemoMessage) =>
  text(message).replace(/\r\n/g, "\n").split("\n\n")[0] ?? "";
const body = (message: DemoMessage) =>
  text(message).replace(/\r\n/g, "\n").split("\n\n").slice(1).join("\n\n");
const lines = (message: DemoMessage) => text(message).split("\n");
const isUtf8 = (octets: Uint8Array) => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(octets);
    return true;
  } catch {
    return false;
  }
};
const has8bit = (part: string) => /[\x80-\xff]/.test(part);
const hint = (message: DemoMessage, key: "S" | "W") =>
  Number(new RegExp(`,${key}=([0-9]+)(?=[,:]|$)`).exec(name(message))?.[1] ?? NaN);
const hintsAreRight = (message: DemoMessage) =>
  hint(message, "S") === message.stored.length && hint(message, "W") === message.canonical.length;

/** Every awkward kind and how to know one. */
const KINDS: readonly (readonly [string, (message: DemoMessage) => boolean])[] = [
  [
    "multipart with an attachment",
    (m) => /multipart\/mixed[^]*\nContent-Disposition: attachment/.test(text(m)),
  ],
  [
    "text in base64",
    (m) => /\nContent-Type: text\/csv[^]*\nContent-Transfer-Encoding: base64/.test(text(m)),
  ],
  ["a PNG attachment", (m) => /\nContent-Type: image\/png[^]*\niVBORw0KGgo/.test(text(m))],
  [
    "multipart/alternative within multipart/mixed",
    (m) => /multipart\/mixed[^]*\nContent-Type: multipart\/alternative/.test(text(m)),
  ],
  ["message/rfc822", (m) => /\nContent-Type: message\/rfc822\n/.test(text(m))],
  ["multipart/digest", (m) => /\nContent-Type: multipart\/digest/.test(text(m))],
  ["multipart/signed", (m) => /\nContent-Type: multipart\/signed/.test(text(m))],
  ["multipart/report", (m) => /\nContent-Type: multipart\/report/.test(text(m))],
  [
    "a multipart that is never closed",
    (m) => text(m).includes('boundary="never-closed"') && !text(m).includes("--never-closed--"),
  ],
  ["quoted-printable", (m) => /\nContent-Transfer-Encoding: quoted-printable/.test(text(m))],
  ["8-bit body in UTF-8", (m) => has8bit(body(m)) && isUtf8(m.stored)],
  [
    "8-bit body in ISO-8859-1",
    (m) => has8bit(body(m)) && !isUtf8(m.stored) && /charset=iso-8859-1/.test(header(m)),
  ],
  [
    "RFC 2047 header, Q and B",
    (m) => /=\?UTF-8\?Q\?/.test(header(m)) && /=\?UTF-8\?B\?/.test(header(m)),
  ],
  ["raw UTF-8 header", (m) => has8bit(header(m)) && isUtf8(m.stored)],
  ["raw ISO-8859-1 header", (m) => has8bit(header(m)) && !isUtf8(m.stored)],
  ["ISO-2022-JP with escape octets", (m) => text(m).includes("\x1b$B")],
  [
    "empty body after a blank line",
    (m) => m.stored.length > 1 && text(m).endsWith("\n\n") && body(m) === "",
  ],
  ["body of blank lines only", (m) => /^\n+$/.test(body(m))],
  ["no final newline", (m) => m.stored.length > 0 && /[^\r\n]$/.test(text(m))],
  ["a dot alone at the end without newline", (m) => text(m).endsWith("\n.")],
  ["stored with CRLF throughout", (m) => text(m).includes("\r\n") && !/(^|[^\r])\n/.test(text(m))],
  ["stored CRLF with a line that begins with a dot", (m) => text(m).includes("\r\n.")],
  [
    "mixed line ends",
    (m) => text(m).includes("\r\n") && /[^\r]\n/.test(body(m)) && /\r\n[^]*[^\r]\n/.test(text(m)),
  ],
  ["lone CR", (m) => /\r[^\r\n]/.test(text(m))],
  ["CR before CRLF", (m) => text(m).includes("\r\r\n")],
  ["ends with CR", (m) => text(m).endsWith("\r")],
  ["ends with CRLF . CRLF", (m) => text(m).endsWith("\r\n.\r\n")],
  ["lines of dots", (m) => lines(m).filter((line) => /^\.+$/.test(line)).length >= 10],
  ["first octet a dot", (m) => text(m).startsWith(".\n")],
  ["a line of 100 kB", (m) => lines(m).some((line) => line.length >= 100_000)],
  [
    "lines of 998, 999 and 2048 octets",
    (m) => [998, 999, 2048].every((n) => lines(m).some((line) => line.length === n)),
  ],
  [
    "a header field of more than 1 kB on one line",
    (m) => header(m).split("\n").some((line) => line.length > 1000),
  ],
  ["a header of more than 8 kB", (m) => header(m).length > 8192],
  [
    "folded header fields, with tab and blank",
    (m) => /\n\t/.test(header(m)) && /\n /.test(header(m)),
  ],
  ["NUL, the last octet too", (m) => text(m).includes("\0\0") && text(m).endsWith("\0")],
  [
    "header without a blank line",
    (m) => m.stored.length > 0 && body(m) === "" && /^[A-Za-z-]+: .*[^\n]\n$/s.test(text(m)),
  ],
  ["no octets", (m) => m.stored.length === 0],
  ["one blank line and nothing else", (m) => text(m) === "\n"],
  [
    "From at the start of a body line, quoted and not",
    (m) => /\nFrom /.test(body(m)) && /\n>From /.test(body(m)),
  ],
  ["From_ line of a mailbox file as the first line", (m) => /^From [^:]/.test(text(m))],
  [
    "lines that look like POP3 responses",
    (m) => /\n\+OK /.test(text(m)) && /\n-ERR /.test(text(m)),
  ],
  ["trailing blanks and tabs", (m) => / \n[^]*\t\n/.test(body(m))],
  ["in new/ without info", (m) => m.path.startsWith("new/") && !name(m).includes(":")],
  ["in new/ with info", (m) => m.path.startsWith("new/") && /:2,S$/.test(name(m))],
  ["in cur/ with info and flags", (m) => m.path.startsWith("cur/") && /:2,[A-Z]{2}$/.test(name(m))],
  ["in cur/ with info and no flag", (m) => m.path.startsWith("cur/") && name(m).endsWith(":2,")],
  ["in cur/ without info", (m) => m.path.startsWith("cur/") && !name(m).includes(":")],
  ["right size hints", hintsAreRight],
  [
    "wrong size hints",
    (m) => !Number.isNaN(hint(m, "S")) && !Number.isNaN(hint(m, "W")) && !hintsAreRight(m),
  ],
  [
    "a size hint without the other",
    (m) => hint(m, "S") === m.stored.length && Number.isNaN(hint(m, "W")),
  ],
  // deno-lint-ignore no-control-regex
  ["a file name beyond ASCII", (m) => /[^\x00-\x7f]/.test(name(m))],
];

for (const [kind, is] of KINDS) {
  test(`among the demo mail is a message of the kind: ${kind}`, () => {
    assert.ok(all.some(is), `No message of maildirs/ is of this kind: ${kind}.`);
  });
}

test("the demo mail has about sixty messages, and each user has some", () => {
  assert.ok(all.length >= 60, `There are ${all.length}.`);
  for (const user of DEMO_USERS) assert.ok(demoMessages(user).length >= 15, user);
});

test("two demo messages are the same in everything but their file name", () => {
  const seen = new Set<string>();
  const twins = all.filter((m) => m.stored.length > 0 && seen.size === seen.add(text(m)).size);
  assert.equal(twins.length, 1);
});

test("carol has a Maildir++ subfolder with mail of its own", () => {
  const archive = join(MAILDIRS, "carol", ".Archive");
  assert.ok(existsSync(join(archive, "maildirfolder")));
  assert.ok(readdirSync(join(archive, "cur")).length >= 2);
  assert.ok(readdirSync(join(archive, "new")).length >= 1);
});

test("alice has a delivery in tmp/ that was never finished", () => {
  assert.ok(readdirSync(join(MAILDIRS, "alice", "tmp")).some((file) => !file.startsWith(".")));
});

test("every demo Maildir has cur/, new/ and tmp/, in a fresh clone too", () => {
  for (const maildir of ["alice", "bob", "carol", "carol/.Archive"]) {
    for (const folder of ["cur", "new", "tmp"]) {
      const path = join(MAILDIRS, maildir, folder);
      assert.ok(statSync(path).isDirectory(), path);
      assert.ok(readdirSync(path).length > 0, `git would not keep the empty folder ${path}`);
    }
  }
});

test("no octet of the demo mail has changed, no file is missing and none has come", () => {
  const wanted = new Map<string, string>();
  for (const line of readFileSync(join(MAILDIRS, "SHA256SUMS"), "utf8").trimEnd().split("\n")) {
    const match = /^([0-9a-f]{64}) {2}(.+)$/.exec(line);
    assert.ok(match?.[1] && match[2], `Not a line of sha256sum: "${line}"`);
    wanted.set(match[2], match[1]);
  }
  const found = new Map<string, string>();
  for (const user of DEMO_USERS) {
    for (const path of filesBelow(join(MAILDIRS, user))) {
      found.set(
        relative(MAILDIRS, path),
        createHash("sha256").update(readFileSync(path)).digest("hex"),
      );
    }
  }
  assert.deepEqual([...found].sort(), [...wanted].sort());
});

test("git is told to leave the demo mail as it is", () => {
  const attributes = readFileSync(join(MAILDIRS, "..", ".gitattributes"), "utf8").split("\n");
  assert.ok(attributes.includes("maildirs/** -text -diff"));
});

test("the canonical form that tests compare with is the one of the design", () => {
  const table: [string, string][] = [
    ["", ""],
    ["\n", "\r\n"],
    ["a", "a\r\n"],
    ["a\nb\n", "a\r\nb\r\n"],
    ["a\r\nb\n", "a\r\nb\r\n"],
    ["a\rb\r\r\n", "a\rb\r\r\n"],
    ["a\r", "a\r\r\n"],
    ["\0\n\0", "\0\r\n\0\r\n"],
  ];
  for (const [stored, canonical] of table) {
    assert.equal(canonicalOctets(Buffer.from(stored)).toString("latin1"), canonical);
  }
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
