/**
 * Rows of a table in the order of their delivery: by seconds, then microseconds, then octets of their unique
 * names (file_name.ts). Lets others have their turn.
 *
 * Times are whole numbers of at most 54 bits: they are sorted digit by digit, from the lowest, each digit of
 * 11 bits in one pass that keeps the order of what has the same digit. Few messages have the same time; they
 * are then compared.
 */

import { compareDelivery } from "./file_name.ts";
import type { MessageTable } from "./message_table.ts";
import { stagedDeliveryMicros, stagedDeliverySeconds } from "./staged_name_parts.ts";
import { inRanges, Turns } from "./turns.ts";

/** From it on a number of seconds is none that a clock gave; such names are compared as a whole. */
const LATEST_SECONDS = 9e9;
const MICROS_A_SECOND = 1_000_000;

const DIGIT_BITS = 11;
const DIGIT = 1 << DIGIT_BITS;
/** What the two lower digits go up to. */
const LOW = DIGIT * DIGIT;

/** Rows that are sorted before the parts are merged. */
const FIRST_RUN = 16;

/** Sorts the rows, and returns them. */
export async function inDeliveryOrder(
  table: MessageTable,
  rows: Uint32Array<ArrayBuffer>,
): Promise<Uint32Array> {
  const times = await timesOf(table, rows);
  const sorted = await byTimes(rows, times);
  for (const [from, to] of await sameTimes(sorted, times)) {
    await sortSameTime(table, sorted.subarray(from, to));
  }
  return sorted;
}

/** Microseconds since the first of them, by row, as far as they go into a number. */
interface Times {
  /** The two lower digits, and those above: whole numbers of 32 bits are what is fast. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly highest: number;
}

async function timesOf(table: MessageTable, rows: Uint32Array): Promise<Times> {
  const times = new Float64Array(table.count);
  let first = Infinity;
  let last = 0;
  await inRanges(rows.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const row = rows[index]!;
      table.stageName(row);
      const time = stagedTime();
      times[row] = time;
      if (time < first) first = time;
      if (time > last) last = time;
    }
  });
  const low = new Uint32Array(table.count);
  const high = new Uint32Array(table.count);
  await inRanges(rows.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const row = rows[index]!;
      const time = times[row]! - first;
      const above = Math.floor(time / LOW);
      high[row] = above;
      low[row] = time - above * LOW;
    }
  });
  return { low, high, highest: Math.floor((last - first) / LOW) };
}

function stagedTime(): number {
  const seconds = stagedDeliverySeconds();
  if (seconds >= LATEST_SECONDS) return LATEST_SECONDS * MICROS_A_SECOND;
  return seconds * MICROS_A_SECOND + Math.min(stagedDeliveryMicros(), MICROS_A_SECOND - 1);
}

/** Sorts by times alone, one digit after the other. */
async function byTimes(
  rows: Uint32Array<ArrayBuffer>,
  { low, high, highest }: Times,
): Promise<Uint32Array<ArrayBuffer>> {
  let source = rows;
  let target = new Uint32Array(rows.length);
  const sortBy = async (part: Uint32Array, shift: number) => {
    await byDigit(source, target, (row) => part[row]! >>> shift & DIGIT - 1);
    [source, target] = [target, source];
  };
  for (let shift = 0; shift < 2 * DIGIT_BITS; shift += DIGIT_BITS) await sortBy(low, shift);
  for (let shift = 0; shift < 32 && highest >>> shift > 0; shift += DIGIT_BITS) {
    await sortBy(high, shift);
  }
  return source;
}

async function byDigit(
  source: Uint32Array,
  target: Uint32Array,
  digitOf: (row: number) => number,
): Promise<void> {
  const places = new Uint32Array(DIGIT);
  await inRanges(source.length, (from, to) => {
    for (let index = from; index < to; index++) places[digitOf(source[index]!)]!++;
  });
  let before = 0;
  for (let digit = 0; digit < DIGIT; digit++) {
    const count = places[digit]!;
    places[digit] = before;
    before += count;
  }
  await inRanges(source.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const row = source[index]!;
      target[places[digitOf(row)]!++] = row;
    }
  });
}

/** Where rows of the same time stand: from, to. */
async function sameTimes(
  sorted: Uint32Array,
  { low, high }: Times,
): Promise<readonly (readonly [number, number])[]> {
  const found: [number, number][] = [];
  await inRanges(sorted.length - 1, (from, to) => {
    for (let index = from; index < to; index++) {
      const row = sorted[index]!;
      const next = sorted[index + 1]!;
      if (low[row] !== low[next] || high[row] !== high[next]) continue;
      const last = found.at(-1);
      if (last !== undefined && last[1] === index + 1) last[1] = index + 2;
      else found.push([index, index + 2]);
    }
  });
  return found;
}

/** Equal times may hide larger numbers. Sorts the rows where they are. */
async function sortSameTime(table: MessageTable, rows: Uint32Array<ArrayBuffer>): Promise<void> {
  const isBefore = (one: number, other: number) =>
    compareDelivery(table.uniqueNameOf(one), table.uniqueNameOf(other)) < 0;
  await sortFirstRuns(rows, isBefore);
  if (rows.length > FIRST_RUN) rows.set(await merged(rows.slice(), isBefore));
}

type Before = (one: number, other: number) => boolean;

async function sortFirstRuns(rows: Uint32Array, isBefore: Before): Promise<void> {
  const turns = new Turns();
  for (let from = 0; from < rows.length; from += FIRST_RUN) {
    if (turns.isOver) await turns.next();
    const to = Math.min(from + FIRST_RUN, rows.length);
    for (let next = from + 1; next < to; next++) {
      const row = rows[next]!;
      let at = next;
      for (; at > from && isBefore(row, rows[at - 1]!); at--) rows[at] = rows[at - 1]!;
      rows[at] = row;
    }
  }
}

async function merged(rows: Uint32Array<ArrayBuffer>, isBefore: Before): Promise<Uint32Array> {
  const turns = new Turns();
  let source = rows;
  let target = new Uint32Array(rows.length);
  for (let run = FIRST_RUN; run < rows.length; run *= 2) {
    for (let from = 0; from < rows.length; from += run * 2) {
      const middle = Math.min(from + run, rows.length);
      const end = Math.min(from + run * 2, rows.length);
      let left = from;
      let right = middle;
      for (let at = from; at < end; at++) {
        if (turns.isOver) await turns.next();
        const takesRight = left >= middle || right < end && isBefore(source[right]!, source[left]!);
        target[at] = takesRight ? source[right++]! : source[left++]!;
      }
    }
    [source, target] = [target, source];
  }
  return source;
}
