/**
 * Names of message files: `unique-name[:info]`, where the unique name may carry size hints.
 *
 * A name is held as a string of octets (latin1: one character an octet), since a file name need not be
 * UTF-8. *Knows* the grammar that Maildir deliverers and readers share. *Does not know* the disk.
 */

/** The part up to the first `:`; it stays the same when flags change, so it is the message's identity. */
export function uniqueNameOf(fileName: string): string {
  const colon = fileName.indexOf(":");
  return colon < 0 ? fileName : fileName.slice(0, colon);
}

/** What a deliverer wrote into the name about the size; it may be wrong. */
export interface SizeHints {
  /** `,S=`: octets of the file. */
  readonly storedOctets?: number;
  /** `,W=`: octets with CRLF line ends, which is the exact size. */
  readonly exactOctets?: number;
}

/**
 * Reads `,S=` and `,W=`. A hint counts when digits follow it up to `,` or the end; hints that
 * contradict each other (fewer octets with CRLF than without, or more than twice as many and the two
 * of a missing last line end) are both dropped.
 */
export function sizeHints(uniqueName: string): SizeHints {
  const storedOctets = hint(uniqueName, ",S=");
  const exactOctets = hint(uniqueName, ",W=");
  if (storedOctets === undefined) return {};
  if (exactOctets === undefined) return { storedOctets };
  if (exactOctets < storedOctets || exactOctets > 2 * storedOctets + 2) return {};
  return { storedOctets, exactOctets };
}

function hint(uniqueName: string, key: string): number | undefined {
  const at = uniqueName.indexOf(key);
  if (at < 0) return undefined;
  const from = at + key.length;
  const end = endOfDigits(uniqueName, from);
  if (end === from || end - from > MOST_DIGITS) return undefined;
  return end === uniqueName.length || uniqueName[end] === ","
    ? wholeNumber(uniqueName, from, end)
    : undefined;
}

/** Digits that make a number which is exact. */
const MOST_DIGITS = 15;

// Loops, and no regular expressions: a million names are taken apart at a time.

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length && isDigit(text.charCodeAt(at))) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function wholeNumber(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}

/**
 * The name a file has in cur/ once its message was seen: flag S added, flags in order. Undefined when
 * it says so already, or when its info is of a kind that we do not understand and so leave alone.
 */
export function seenFileName(fileName: string): string | undefined {
  const uniqueName = uniqueNameOf(fileName);
  const info = fileName.slice(uniqueName.length);
  if (info === "" || info === ":") return `${uniqueName}:2,S`;
  if (!info.startsWith(":2,")) return undefined;
  const [flags = "", ...rest] = info.slice(3).split(",");
  if (flags.includes("S")) return undefined;
  const sorted = [...flags, "S"].sort().join("");
  return `${uniqueName}:2,${[sorted, ...rest].join(",")}`;
}

/** Flags of `:2,` info, in the order written; empty when there are none. */
export function flagsOf(fileName: string): string {
  const at = fileName.indexOf(":2,");
  return at < 0 ? "" : (fileName.slice(at + 3).split(",")[0] ?? "");
}

/**
 * Orders unique names as they were delivered: seconds, then microseconds of an `M` part, then octets.
 * Names that do not begin with seconds come first, among themselves by octets.
 */
export function compareDelivery(a: string, b: string): number {
  const seconds = deliverySeconds(a) - deliverySeconds(b);
  if (seconds !== 0) return seconds;
  const micros = deliveryMicros(a) - deliveryMicros(b);
  if (micros !== 0) return micros;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Seconds since 1970 that the name begins with, or 0. */
export function deliverySeconds(uniqueName: string): number {
  const end = endOfDigits(uniqueName, 0);
  if (end === 0 || end > MOST_DIGITS || uniqueName[end] !== ".") return 0;
  return wholeNumber(uniqueName, 0, end);
}

/** Microseconds that the name has in the part behind the seconds, behind an `M`; or 0. */
export function deliveryMicros(uniqueName: string): number {
  const dot = endOfDigits(uniqueName, 0);
  if (dot === 0 || uniqueName[dot] !== ".") return 0;
  let at = uniqueName.indexOf("M", dot + 1);
  if (at < 0) return 0;
  const nextDot = uniqueName.indexOf(".", dot + 1);
  const partEnd = nextDot < 0 ? uniqueName.length : nextDot;
  for (; at >= 0 && at < partEnd; at = uniqueName.indexOf("M", at + 1)) {
    const end = Math.min(endOfDigits(uniqueName, at + 1), at + 1 + MICROS_DIGITS);
    if (end > at + 1) return wholeNumber(uniqueName, at + 1, end);
  }
  return 0;
}

/** What is taken of the digits behind the `M`. */
const MICROS_DIGITS = 9;
