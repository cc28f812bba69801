/**
 * Places for SASL responses longer than usual: a Kerberos ticket may take 64 KiB, and ten thousand
 * clients who have not logged in must not be able to make us hold that much of each.
 */

import { LONG_SASL_LINES } from "../limits.ts";

let taken = 0;

/** Takes a place, which `giveBackLongLine` gives back; false if there is none. */
export function takeLongLine(): boolean {
  if (taken >= LONG_SASL_LINES) return false;
  taken++;
  return true;
}

export function giveBackLongLine(): void {
  taken--;
}
