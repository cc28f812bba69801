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
  const digits = /^[0-9]{1,15}(?=,|$)/.exec(uniqueName.slice(at + key.length));
  return digits === null ? undefined : Number(digits[0]);
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
  const digits = /^[0-9]{1,15}(?=\.)/.exec(uniqueName);
  return digits === null ? 0 : Number(digits[0]);
}

/** Microseconds that the name has behind an `M` after the seconds, or 0. */
export function deliveryMicros(uniqueName: string): number {
  const micros = /^[0-9]+\.(?:[^.]*?)M([0-9]{1,9})/.exec(uniqueName);
  return micros === null ? 0 : Number(micros[1]);
}
