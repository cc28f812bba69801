/**
 * Reads DER (X.690), as far as certificates and revocation lists need it: one element, and those in it.
 *
 * A package would do, but the one at hand refuses revocation lists of more than a few thousand entries.
 * Elements are views on the octets; nothing is copied. *Does not know* what the elements mean.
 */

import { Buffer } from "node:buffer";

/** The octets are not what they should be. The message says what was expected and holds none of them. */
export class DerFault extends Error {
  override readonly name = "DerFault";
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of a context-specific element, constructed or primitive. */
export function contextTag(number: number, { constructed }: { constructed: boolean }): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length. */
  readonly whole: Uint8Array;
}

/**
 * Reads the octets as one element and nothing behind it.
 *
 * @throws {DerFault} If they are not.
 */
export function readElement(octets: Uint8Array): Element {
  const element = elementAt(octets, 0);
  if (element.whole.length !== octets.length) throw new DerFault("octets follow the element");
  return element;
}

/**
 * The elements in one of a given tag, one after the other.
 *
 * @throws {DerFault} If the tag is another one, or what is inside is not well-formed.
 */
export function* childrenOf(element: Element | undefined, tag: number): Generator<Element> {
  const { content } = expectTag(element, tag);
  for (let at = 0; at < content.length;) {
    const child = elementAt(content, at);
    yield child;
    at += child.whole.length;
  }
}

/** @throws {DerFault} If the element is missing or has another tag. */
export function expectTag(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) {
    throw new DerFault(`no element with the tag ${tag} where one has to be`);
  }
  return element;
}

/** An object identifier in dots and digits. */
export function objectIdentifier(element: Element | undefined): string {
  const { content } = expectTag(element, TAG.objectIdentifier);
  const parts: number[] = [];
  let part = 0;
  for (const octet of content) {
    part = part * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    // X.690 §8.19.4: the first two are written as one.
    const first = Math.min(Math.floor(part / 40), 2);
    parts.push(...(parts.length === 0 ? [first, part - 40 * first] : [part]));
    part = 0;
  }
  return parts.join(".");
}

/** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 has them, ms since 1970. */
export function timeOf(element: Element | undefined): number {
  if (element === undefined) throw new DerFault("no time where one has to be");
  const text = Buffer.from(element.content).toString("latin1");
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  const digits = element.tag === TAG.utcTime ? 2 : element.tag === TAG.generalizedTime ? 4 : 0;
  if (match === null || match[1]?.length !== digits) throw new DerFault("a time of another form");
  const [, written, month, day, hour, minute, second] = match.map(Number) as Seven;
  // RFC 5280 §4.1.2.5.1: two digits are those of 1950 to 2049.
  const year = digits === 4 ? written : written + (written < 50 ? 2_000 : 1_900);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

type Seven = [number, number, number, number, number, number, number];

/** The text of a string type; undefined for a type that is not read, and for octets that are no text. */
export function textOf({ tag, content }: Element): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return decode("utf-8", content);
    case TAG.bmpString:
      return decode("utf-16be", content);
    case TAG.printableString:
    case TAG.ia5String:
      return asciiOf(content);
    default:
      return undefined;
  }
}

/** Undefined if there is anything but ASCII. */
export function asciiOf(content: Uint8Array): string | undefined {
  return content.every((octet) => octet < 0x80)
    ? Buffer.from(content).toString("latin1")
    : undefined;
}

function decode(encoding: string, content: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

/** X.690 §8.1 with the restrictions of §10.1: lengths are definite, here of up to four octets. */
function elementAt(octets: Uint8Array, at: number): Element {
  const tag = octets[at];
  const first = octets[at + 1];
  if (tag === undefined || first === undefined) throw new DerFault("an element is cut off");
  // X.690 §8.1.2.4: tags of several octets, which nothing here has.
  if ((tag & 0x1f) === 0x1f) throw new DerFault("a tag of several octets");
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthOctets > 4) throw new DerFault("a length of a form that is not DER");
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthOctets; index++) {
    length = length * 256 + (octets[at + 2 + index] ?? 0);
  }
  const start = at + 2 + lengthOctets;
  if (start + length > octets.length) throw new DerFault("an element is cut off");
  return {
    tag,
    content: octets.subarray(start, start + length),
    whole: octets.subarray(at, start + length),
  };
}
