/**
 * Whole numbers as decimal digits, written as octets: lists and files of a million messages are made of
 * them, so there is no text in between.
 */

const ZERO = 48;
const NINE = 57;

/** Digits that are worked out at a time, so that 32-bit integers are all that it takes. */
const HALF = 100_000_000;

/** Both digits of the numbers below 100. */
const PAIRS = Uint8Array.from({ length: 200 }, (_, at) => {
  const pair = at >> 1;
  return ZERO + (at % 2 === 0 ? Math.floor(pair / 10) : pair % 10);
});

/** Writes a whole number in decimal digits, and returns where they end. */
export function writeDecimal(value: number, target: Uint8Array, at: number): number {
  if (value < HALF) return writeDigits(value | 0, target, at, digitsOf(value | 0));
  const high = Math.floor(value / HALF);
  return writeDigits((value - high * HALF) | 0, target, writeDecimal(high, target, at), 8);
}

/** Of a number below HALF. */
function digitsOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : (value < 1_000 ? 3 : 4);
  return value < 1_000_000 ? (value < 100_000 ? 5 : 6) : (value < 10_000_000 ? 7 : 8);
}

function writeDigits(value: number, target: Uint8Array, at: number, digits: number): number {
  let place = at + digits;
  let rest = value;
  while (place - at >= 2) {
    const hundredth = (rest / 100) | 0;
    const pair = (rest - hundredth * 100) << 1;
    target[--place] = PAIRS[pair + 1]!;
    target[--place] = PAIRS[pair]!;
    rest = hundredth;
  }
  if (place > at) target[at] = ZERO + rest;
  return at + digits;
}

/** The same for numbers of which most are one more than the one before: those are counted, not worked out. */
export class DecimalCounter {
  readonly #digits = new Uint8Array(20);
  #length = 0;
  #value = -1;

  write(value: number, target: Uint8Array, at: number): number {
    const digits = this.#digits;
    const last = this.#length - 1;
    if (value === this.#value + 1 && last >= 0 && digits[last]! < NINE) digits[last]!++;
    else this.#length = writeDecimal(value, digits, 0);
    this.#value = value;
    const length = this.#length;
    for (let digit = 0; digit < length; digit++) target[at + digit] = digits[digit]!;
    return at + length;
  }
}
