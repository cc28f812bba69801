/**
 * Which warnings of a quota a user was given, as the file `popkeep-quota-warnings` has it:
 *
 * ```
 * popkeep-quota-warnings 1
 * 80 1795453525              <- told at 80 %, then, in seconds
 * ```
 *
 * A percentage is told again only when the mailbox was 5 percentage points below it in between: else each message
 * that goes and comes around the mark would be told. A file that is damaged says nothing.
 *
 * *Does not know* disks and messages.
 */

import { QUOTA_HYSTERESIS_PERCENT } from "../limits.ts";

const FIRST_LINE = "popkeep-quota-warnings 1";

/** What was told, by percentage; when, in seconds since 1970. */
export type Told = ReadonlyMap<number, number>;

/** Reads what a file says; nothing where it is damaged. */
export function parseTold(text: string): Map<number, number> {
  const [first, ...lines] = text.split("\n");
  const isWhole = first === FIRST_LINE && lines.pop() === "" &&
    lines.every((line) => /^[1-9]\d{0,2} \d{1,12}$/.test(line));
  return new Map(
    isWhole ? lines.map((line) => line.split(" ").map(Number) as [number, number]) : [],
  );
}

/** The file that says it. */
export function textOfTold(told: Told): string {
  const lines = [...told].map(([level, atS]) => `${level} ${atS}`);
  return [FIRST_LINE, ...lines, ""].join("\n");
}

export interface Change {
  /** The percentage to tell; undefined where there is none. */
  readonly crossed: number | undefined;
  /** What will have been told. */
  readonly told: Told;
}

/** What is to be told of a mailbox that is so full; undefined if all stays as it is. */
export function changeOf(
  told: Told,
  levels: readonly number[],
  percent: number,
  nowMs = Date.now(),
): Change | undefined {
  const after = stillTold(told, levels, percent);
  const crossed = levels.filter((level) => percent >= level && !after.has(level));
  for (const level of crossed) after.set(level, Math.floor(nowMs / 1_000));
  if (crossed.length === 0 && after.size === told.size) return undefined;
  return { crossed: crossed.at(-1), told: after };
}

/** What need not be told again of a mailbox that is so full. */
export function stillTold(
  told: Told,
  levels: readonly number[],
  percent: number,
): Map<number, number> {
  return new Map(
    [...told].filter(([level]) => levels.includes(level) && !isRoomBelow(level, percent)),
  );
}

/** Whether so much room is worth telling when it is filled again. */
export function isRoomBelow(level: number, percent: number): boolean {
  return percent <= level - QUOTA_HYSTERESIS_PERCENT;
}
