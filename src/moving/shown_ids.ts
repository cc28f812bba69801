/**
 * What becomes of an old server's unique-id: it stays as it was wherever POP3 allows that.
 *
 * - 1 to 70 characters of 0x21 to 0x7E (RFC 1939 §7 UIDL) stay.
 * - What is longer or has other octets could never be shown. It is mapped: `sha256-` and 40 hexadecimal digits of
 *   its digest, so that each import, on each machine, gives the same. Clients download the message once more.
 * - Decimal ids are what popkeep's own counter gives ([MS-STANXPOP3] C0007), which then goes on above them, as
 *   C0009 has it of what was carried over. Those that leave the counter next to no ids are mapped as well; those
 *   above all that it can ever reach stay.
 *
 * *Knows* ids. *Does not know* messages.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { parseUniqueId, type UniqueId } from "../maildrop/unique_id.ts";

/** The counter stays exact in a double up to here. */
const LARGEST_COUNTED = BigInt(Number.MAX_SAFE_INTEGER);

/** Above it there would be too few left: it is a million messages a second for 35 years. */
const HIGHEST_ALLOWED = LARGEST_COUNTED - 2n ** 50n;

/** Before popkeep was: the counter is never below the clock, in microseconds since 1970, and this is July 2017. */
const FIRST_GIVEN = 1_500_000_000_000_000;

const DIGEST_DIGITS = 40;

export interface ShownId {
  readonly shown: UniqueId;
  readonly isMapped: boolean;
}

/** @param old A character an octet, at least one. */
export function shownId(old: string): ShownId {
  const asItIs = parseUniqueId(old);
  if (asItIs !== undefined && !isTooHigh(old)) return { shown: asItIs, isMapped: false };
  const digest = createHash("sha256").update(Buffer.from(old, "latin1")).digest("hex");
  return { shown: `sha256-${digest.slice(0, DIGEST_DIGITS)}` as UniqueId, isMapped: true };
}

function isTooHigh(id: string): boolean {
  const value = decimalValue(id);
  return value !== undefined && value > HIGHEST_ALLOWED && value <= LARGEST_COUNTED;
}

/** The number that popkeep's counter would have to go above; undefined where it can never come to such an id. */
export function countedValue(shown: string): number | undefined {
  const value = decimalValue(shown);
  return value === undefined || value > HIGHEST_ALLOWED ? undefined : Number(value);
}

/**
 * Whether popkeep's counter, which is at `next`, may have given that id. A list forgets its ids when their messages
 * are gone for long.
 */
export function mayBeGiven(shown: string, next: number): boolean {
  const value = Number(shown);
  return value >= FIRST_GIVEN && value < next && String(value) === shown;
}

function decimalValue(id: string): bigint | undefined {
  return /^[0-9]+$/.test(id) ? BigInt(id) : undefined;
}
