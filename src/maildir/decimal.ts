/** Whole numbers as decimal digits, written as octets. */

/** Digits that are worked out at a time, so that 32-bit integers are all that it takes. */
const HALF = 100_000_000;

/** Writes a whole number in decimal digits, and returns where they end. */
export function writeDecimal(value: number, target: Uint8Array, at: number): number {
  if (value < HALF) return writeDigits(value, target, at, 1);
  return writeDigits(value % HALF, target, writeDecimal(Math.floor(value / HALF), target, at), 8);
}

function writeDigits(value: number, target: Uint8Array, at: number, least: number): number {
  let digits = 1;
  for (let rest = value | 0; rest >= 10; rest = (rest / 10) | 0) digits++;
  const end = at + Math.max(digits, least);
  let rest = value | 0;
  for (let place = end - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    target[place] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}
