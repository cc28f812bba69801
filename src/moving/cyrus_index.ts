/**
 * The head of `cyrus.index`, in each mailbox folder of Cyrus IMAP: what its POP3 ids are made of (imap/mailbox.h
 * and mailbox_buf_to_index_header in mailbox.c; all numbers are 32 bits, the highest octet first).
 *
 * *Knows* versions 6 to 20 of the format. *Does not know* records of messages: their UIDs are in file names.
 */

import { Buffer } from "node:buffer";

/** What is read of the file: more than the fields that matter need. */
export const CYRUS_HEAD_OCTETS = 128;

const FORMAT_AT = 4;
const VERSION_AT = 8;
const START_AT = 12;

/** Where options and UIDVALIDITY are: the times before them grew to 64 bits in version 20. */
const FIELDS = {
  until19: { uidValidity: 44, options: 60 },
  from20: { uidValidity: 92, options: 64 },
} as const;

/** Ids have the UIDVALIDITY in them ("added for Outlook stupidity"); older mailboxes show the UID alone. */
const OPT_POP3_NEW_UIDL = 1;

export interface CyrusIndex {
  readonly uidValidity: number;
  readonly hasNewIds: boolean;
}

/** Undefined if it is no index of a version that is known. */
export function parseCyrusIndex(octets: Uint8Array): CyrusIndex | undefined {
  if (octets.length < CYRUS_HEAD_OCTETS) return undefined;
  const head = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const version = head.readUInt32BE(VERSION_AT);
  const startOctets = head.readUInt32BE(START_AT);
  const isKnown = head.readUInt32BE(FORMAT_AT) === 0 && version >= 6 && version <= 20;
  if (!isKnown || startOctets < 64) return undefined;
  const at = version < 20 ? FIELDS.until19 : FIELDS.from20;
  const uidValidity = head.readUInt32BE(at.uidValidity);
  if (uidValidity === 0) return undefined;
  return { uidValidity, hasNewIds: (head.readUInt32BE(at.options) & OPT_POP3_NEW_UIDL) !== 0 };
}

/** Cyrus's setting `uidl_format` in imapd.conf, and what each makes of UID and UIDVALIDITY (pop3d.c, uidl_msg). */
export const CYRUS_UIDL_FORMATS = {
  uidonly: (uid: number) => String(uid),
  cyrus: (uid: number, uidValidity: number) => `${uidValidity}.${uid}`,
  dovecot: (uid: number, uidValidity: number) => hex(uid) + hex(uidValidity),
  courier: (uid: number, uidValidity: number) => `${uidValidity}-${uid}`,
} as const;

export type CyrusUidlFormat = keyof typeof CYRUS_UIDL_FORMATS;

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
