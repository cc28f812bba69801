/**
 * Places for SASL responses longer than usual: a Kerberos ticket may take 64 KiB, and ten thousand
 * clients who have not logged in must not be able to make us hold that much of each. No address has more
 * than its share, or two of them could keep all others out.
 */

import { countedAddress } from "../counted_address.ts";
import { LONG_SASL_LINES, LONG_SASL_LINES_OF_ADDRESS } from "../limits.ts";

let taken = 0;
const takenBy = new Map<string, number>();

/** Takes a place for a client of this address; undefined if there is none. It is given back once. */
export function takeLongLine(address: string): { giveBack(): void } | undefined {
  const source = countedAddress(address);
  const own = takenBy.get(source) ?? 0;
  if (taken >= LONG_SASL_LINES || own >= LONG_SASL_LINES_OF_ADDRESS) return undefined;
  taken++;
  takenBy.set(source, own + 1);
  return {
    giveBack() {
      taken--;
      const left = takenBy.get(source)! - 1;
      if (left === 0) takenBy.delete(source);
      else takenBy.set(source, left);
    },
  };
}
