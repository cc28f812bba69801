/**
 * What two servers' headers of one message have in common: a digest of its fields without those that servers add or
 * change, and without white space at line ends. Two messages have one digest if they are copies, or if whoever made
 * them gave them neither a date nor a Message-ID.
 *
 * *Knows* header fields. *Does not know* where they came from.
 */

import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { fieldsOf } from "./header_octets.ts";

/** Fields that POP3 and IMAP servers, mailbox files and deliverers write into a message that is there already. */
const SERVERS_FIELDS = new Set([
  "content-length",
  "delivered-to",
  "lines",
  "return-path",
  "status",
  "x-envelope-to",
  "x-imap",
  "x-imapbase",
  "x-keywords",
  "x-mozilla-keys",
  "x-mozilla-status",
  "x-mozilla-status2",
  "x-original-to",
  "x-status",
  "x-uid",
  "x-uidl",
]);

export interface HeaderDigest {
  readonly digest: string;
  /** Whether there is a Message-ID, so that no other message has this header. */
  readonly isUnique: boolean;
}

export function digestOf(header: Buffer): HeaderDigest {
  const hash = createHash("sha256");
  let isUnique = false;
  let isFirst = true;
  for (const field of fieldsOf(header)) {
    // The first line of a message in a mailbox file.
    const isOfMbox = isFirst && /^>?From /.test(field);
    isFirst = false;
    if (isOfMbox) continue;
    const name = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/.exec(field)?.[1]?.toLowerCase() ?? "";
    if (SERVERS_FIELDS.has(name)) continue;
    if (name === "message-id" && /:\s*\S/.test(field)) isUnique = true;
    // Servers fold alike, but blanks at the ends of lines get lost.
    hash.update(field.replace(/[ \t]+/g, " ").trimEnd(), "latin1").update("\n");
  }
  return { digest: hash.digest("latin1"), isUnique };
}
