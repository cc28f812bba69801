/**
 * The fields of a certificate (RFC 5280 §4.1) that decide who somebody is and whether it still holds.
 *
 * Signatures are not looked at here. `node:crypto` gives some of the fields as text in which one name can
 * be written so as to look like two; here they are read from the octets.
 */

import { Buffer } from "node:buffer";
import {
  asciiOf,
  childrenOf,
  contextTag,
  DerFault,
  type Element,
  expectTag,
  objectIdentifier,
  readElement,
  TAG,
  textOf,
  timeOf,
} from "./der.ts";

export interface Certificate {
  /** Hexadecimal, as it stands in the DER. */
  readonly serial: string;
  /** The DER of the names, in hexadecimal: equal only where they are octet by octet. */
  readonly issuer: string;
  readonly subject: string;
  /** ms since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly commonNames: readonly string[];
  readonly alternatives: AlternativeNames;
  /** Whether its key may sign revocation lists (RFC 5280 §4.2.1.3). */
  readonly signsLists: boolean;
}

/** subjectAltName (RFC 5280 §4.2.1.6); names that are no text are left out. */
export interface AlternativeNames {
  readonly email: readonly string[];
  readonly dns: readonly string[];
  /** Microsoft's user principal name. */
  readonly upn: readonly string[];
}

const COMMON_NAME = "2.5.4.3";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const KEY_USAGE = "2.5.29.15";
/** [MS-WCCE] §2.2.2.7.7.4: szOID_NT_PRINCIPAL_NAME. */
const USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3";
/** RFC 9598 §3: SmtpUTF8Mailbox. */
const SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9";

/** KeyUsage's bit 6, cRLSign, in the first octet of bits. */
const LIST_SIGNING = 0x02;

/**
 * Reads a certificate in DER.
 *
 * @throws {DerFault} If it is none.
 */
export function readCertificate(der: Uint8Array): Certificate {
  const [toBeSigned] = childrenOf(readElement(der), TAG.sequence);
  const fields = [...childrenOf(toBeSigned, TAG.sequence)];
  // The version is left out of certificates of the first.
  if (fields[0]?.tag === contextTag(0, { constructed: true })) fields.shift();
  const [serial, , issuer, validity, subject, ...rest] = fields;
  const [notBefore, notAfter] = childrenOf(validity, TAG.sequence);
  const extensions = readExtensions(rest);
  const usage = extensions.get(KEY_USAGE);
  return {
    serial: hexadecimal(expectTag(serial, TAG.integer).content),
    issuer: hexadecimal(expectTag(issuer, TAG.sequence).whole),
    subject: hexadecimal(expectTag(subject, TAG.sequence).whole),
    notBeforeMs: timeOf(notBefore),
    notAfterMs: timeOf(notAfter),
    commonNames: commonNamesOf(expectTag(subject, TAG.sequence)),
    alternatives: alternativeNamesOf(extensions.get(SUBJECT_ALTERNATIVE_NAME)),
    signsLists: usage === undefined || maySignLists(usage),
  };
}

export function hexadecimal(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

/** What the extensions hold, by their object identifiers. */
function readExtensions(fields: readonly Element[]): ReadonlyMap<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  const tag = contextTag(3, { constructed: true });
  const holder = fields.find((field) => field.tag === tag);
  if (holder === undefined) return extensions;
  const [list] = childrenOf(holder, tag);
  for (const extension of childrenOf(list, TAG.sequence)) {
    const parts = [...childrenOf(extension, TAG.sequence)];
    const name = objectIdentifier(parts[0]);
    if (extensions.has(name)) throw new DerFault("an extension stands there twice");
    extensions.set(name, expectTag(parts.at(-1), TAG.octetString).content);
  }
  return extensions;
}

function commonNamesOf(subject: Element): string[] {
  const names: string[] = [];
  for (const relative of childrenOf(subject, TAG.sequence)) {
    for (const attribute of childrenOf(relative, TAG.set)) {
      const [type, value] = childrenOf(attribute, TAG.sequence);
      if (objectIdentifier(type) !== COMMON_NAME || value === undefined) continue;
      names.push(...present(textOf(value)));
    }
  }
  return names;
}

function alternativeNamesOf(extension: Uint8Array | undefined): AlternativeNames {
  const found = { email: [] as string[], dns: [] as string[], upn: [] as string[] };
  if (extension === undefined) return found;
  for (const name of childrenOf(readElement(extension), TAG.sequence)) {
    switch (name.tag) {
      case contextTag(0, { constructed: true }):
        readOtherName(name, found);
        break;
      case contextTag(1, { constructed: false }):
        found.email.push(...present(asciiOf(name.content)));
        break;
      case contextTag(2, { constructed: false }):
        found.dns.push(...present(asciiOf(name.content)));
    }
  }
  return found;
}

function readOtherName(name: Element, found: { email: string[]; upn: string[] }): void {
  const tag = contextTag(0, { constructed: true });
  const [type, holder] = childrenOf(name, tag);
  const kind = objectIdentifier(type);
  if (kind !== USER_PRINCIPAL_NAME && kind !== SMTP_UTF8_MAILBOX) return;
  const [value] = childrenOf(holder, tag);
  const text = present(value === undefined ? undefined : textOf(value));
  (kind === USER_PRINCIPAL_NAME ? found.upn : found.email).push(...text);
}

function maySignLists(usage: Uint8Array): boolean {
  // The first octet of a bit string counts the bits that are not used.
  const bits = expectTag(readElement(usage), TAG.bitString).content[1] ?? 0;
  return (bits & LIST_SIGNING) !== 0;
}

function present(text: string | undefined): string[] {
  return text === undefined ? [] : [text];
}
