/**
 * Reads date, sender and subject out of a stored message, for lists of messages.
 *
 * *Knows*: header fields, mailparser, which decodes them. *Does not know*: Maildir.
 *
 * Only two fields are handed to mailparser, and of each message only the header is read, up to a limit:
 * a message can be of any size and shape.
 */

import { Buffer, isUtf8 } from "node:buffer";
import type { StoredMessage } from "../maildrop/store.ts";

export interface MessageHeader {
  /** Undefined when there is none or it is no date. */
  readonly date: Date | undefined;
  /** The sender as the message has it, name and address; "" if there is none. */
  readonly from: string;
  /** The sender's name, or the address of one without a name. */
  readonly sender: string;
  readonly subject: string;
}

/** Most that is read of a message, octets. */
const HEADER_OCTETS = 262_144;

/** Most that is kept of one field, characters. */
const FIELD_CHARACTERS = 8_192;

/** Reads the header fields of an open message; does not close it. */
export async function readMessageHeader(message: StoredMessage): Promise<MessageHeader> {
  const fields = wantedFields(await readHeaderOctets(message));
  // Loaded only when it is needed: it is the largest part of the command line.
  const { simpleParser } = await import("mailparser");
  const header = ["from", "subject"].map((name) => `${fields.get(name) ?? "X-Absent:"}\r\n`);
  const parsed = await simpleParser(`${header.join("")}\r\n`, {
    skipHtmlToText: true,
    skipTextToHtml: true,
  });
  const sender = parsed.from?.value[0];
  return {
    date: dateOf(fields.get("date") ?? ""),
    from: parsed.from?.text ?? "",
    sender: sender?.name || sender?.address || parsed.from?.text || "",
    subject: parsed.subject ?? "",
  };
}

/** Read here, since mailparser takes a date that is none for the present. */
function dateOf(field: string): Date | undefined {
  const value = field.replace(/^[^:]*:/, "").replace(/\([^()]*\)/g, " ").replace(/\s+/g, " ")
    .trim();
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** The octets before the first empty line, or as many as are read at most. */
async function readHeaderOctets(message: StoredMessage): Promise<Buffer> {
  let octets = Buffer.alloc(0);
  const scratch = new Uint8Array(HEADER_OCTETS);
  while (octets.length < HEADER_OCTETS) {
    const chunk = await message.read(scratch);
    if (chunk === undefined) break;
    octets = Buffer.concat([octets, chunk]);
    const emptyLine = /(?:^|\n)\r?\n/.exec(octets.toString("latin1"));
    if (emptyLine !== null) return octets.subarray(0, emptyLine.index);
  }
  return octets.subarray(0, HEADER_OCTETS);
}

/** The first Date, From and Subject with their folded lines in CRLF, by name in lower case. */
function wantedFields(header: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let current: string | undefined;
  for (const line of header.toString("latin1").split(/\r?\n/)) {
    if (/^[ \t]/.test(line)) {
      if (current !== undefined) found.set(current, `${found.get(current)}\r\n${line}`);
      continue;
    }
    const name = /^(date|from|subject)[ \t]*:/i.exec(line)?.[1]?.toLowerCase();
    current = name !== undefined && !found.has(name) ? name : undefined;
    if (current !== undefined) found.set(current, line);
  }
  for (const [name, field] of found) found.set(name, decoded(field).slice(0, FIELD_CHARACTERS));
  return found;
}

/** A field, given one character an octet, as text. What is no UTF-8 is taken for Western European. */
function decoded(field: string): string {
  const octets = Buffer.from(field, "latin1");
  return new TextDecoder(isUtf8(octets) ? "utf-8" : "windows-1252").decode(octets);
}
