/**
 * Rows of a table in the order of their delivery: by seconds, then microseconds, then octets of their unique
 * names (file_name.ts). Lets others have their turn.
 *
 * Times are whole numbers of at most 53 bits: they are sorted digit by digit, from the lowest, each digit of
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

const DIGIT = 2_048;

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

/** Microseconds by row, as far as they go into a number, since the first of them. */
async function timesOf(table: MessageTable, rows: Uint32Array): Promise<Float64Array> {
  const times = new Float64Array(table.count);
  let first = Infinity;
  await inRanges(rows.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const row = rows[index]!;
      table.stageName(row);
      const time = stagedTime();
      times[row] = time;
      if (time < first) first = time;
    }
  });
  await inRanges(rows.length, (from, to) => {
    for (let index = from; index < to; index++) times[rows[index]!]! -= first;
  });
  return times;
}

function stagedTime(): number {
  const seconds = stagedDeliverySeconds();
  if (seconds >= LATEST_SECONDS) return LATEST_SECONDS * MICROS_A_SECOND;
  return seconds * MICROS_A_SECOND + Math.min(stagedDeliveryMicros(), MICROS_A_SECOND - 1);
}

/** Sorts by times alone, one digit after the other. */
async function byTimes(
  rows: Uint32Array<ArrayBuffer>,
  times: Float64Array,
): Promise<Uint32Array<ArrayBuffer>> {
  const latest = await latestOf(rows, times);
  let source = rows;
  let target = new Uint32Array(rows.length);
  for (let unit = 1; unit <= latest; unit *= DIGIT) {
    await byDigit(source, target, (row) => Math.floor(times[row]! / unit) % DIGIT);
    [source, target] = [target, source];
  }
  return source;
}

async function latestOf(rows: Uint32Array, times: Float64Array): Promise<number> {
  let latest = 0;
  await inRanges(rows.length, (from, to) => {
    for (let index = from; index < to; index++) latest = Math.max(latest, times[rows[index]!]!);
  });
  return latest;
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
  times: Float64Array,
): Promise<readonly (readonly [number, number])[]> {
  const found: [number, number][] = [];
  await inRanges(sorted.length - 1, (from, to) => {
    for (let index = from; index < to; index++) {
      if (times[sorted[index]!] !== times[sorted[index + 1]!]) continue;
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
