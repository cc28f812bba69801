/**
 * Rows of a table in the order of their delivery: by seconds, then microseconds, then octets of their unique
 * names (file_name.ts). Lets others have their turn.
 */

import { compareDelivery, deliveryMicros, deliverySeconds } from "./file_name.ts";
import type { MessageTable } from "./message_table.ts";
import { Turns } from "./turns.ts";

/** From it on a number of seconds is none that a clock gave; such names are compared as a whole. */
const LATEST_SECONDS = 9e9;
const MICROS_A_SECOND = 1_000_000;

/** Rows that are sorted before the parts are merged. */
const FIRST_RUN = 16;

/** Sorts the rows, and returns them. */
export async function inDeliveryOrder(
  table: MessageTable,
  rows: Uint32Array<ArrayBuffer>,
): Promise<Uint32Array> {
  const times = await timesOf(table, rows);
  const isBefore = (one: number, other: number) => {
    const difference = times[one]! - times[other]!;
    return difference < 0 || difference === 0 && compareSameTime(table, one, other) < 0;
  };
  await sortFirstRuns(rows, isBefore);
  return await merged(rows, isBefore);
}

/** Microseconds since 1970 by row, as far as they go into a number. */
async function timesOf(table: MessageTable, rows: Uint32Array): Promise<Float64Array> {
  const times = new Float64Array(table.count);
  const turns = new Turns();
  for (const row of rows) {
    if (turns.isOver) await turns.next();
    const name = table.uniqueNameOf(row);
    const seconds = deliverySeconds(name);
    const micros = Math.min(deliveryMicros(name), MICROS_A_SECOND - 1);
    times[row] = Math.min(seconds, LATEST_SECONDS) * MICROS_A_SECOND +
      (seconds < LATEST_SECONDS ? micros : 0);
  }
  return times;
}

/** Equal times may hide larger numbers. */
function compareSameTime(table: MessageTable, one: number, other: number): number {
  return compareDelivery(table.uniqueNameOf(one), table.uniqueNameOf(other));
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
