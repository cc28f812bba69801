/**
 * Which of a mailbox's deleted messages a command means: those since a time, or of some unique-ids, or all.
 *
 * *Knows*: how times are written. *Does not know*: what is done with them.
 */

import type { DeletedFile } from "../maildir/deleted_messages.ts";
import { parseDurationMs } from "../settings/units.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printable } from "./printable.ts";

/** What commander hands over. */
export interface ChoiceOptions {
  readonly since?: string;
  readonly id?: readonly string[];
  readonly all?: boolean;
}

/** Of the files, those that are meant. @throws {Failure} If the options are no good. */
export function chosenOf(
  files: readonly DeletedFile[],
  { since, id: ids }: ChoiceOptions,
  nowMs = Date.now(),
): DeletedFile[] {
  const sinceMs = since === undefined ? -Infinity : timeOf(since, nowMs);
  const wanted = ids === undefined ? undefined : new Set(ids);
  const found = files.filter((file) =>
    file.deletedMs >= sinceMs && (wanted === undefined || wanted.has(shownId(file) ?? ""))
  );
  const missing = [...wanted ?? []].filter((id) => !found.some((file) => shownId(file) === id));
  if (missing.length > 0) {
    const list = missing.map(printable).join(", ");
    throw new Failure(
      ExitCode.noInput,
      `no message with the unique-id ${list} is among the deleted${
        since === undefined ? "" : " since then"
      }`,
    );
  }
  return found;
}

/** The unique-id that clients know a message by; undefined if no session ever saw it. */
export function shownId({ carried, id }: DeletedFile): string | undefined {
  return carried ?? (id === undefined ? undefined : String(id));
}

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?(Z|[+-]\d{2}:\d{2})?$/;

/** A time ago, such as `2h`, or a date, in UTC unless it says otherwise. @throws {Failure} */
function timeOf(text: string, nowMs: number): number {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const [, day, time = "00:00", zone = "Z"] = DATE.exec(text) ?? [];
  const timeMs = day === undefined ? NaN : Date.parse(`${day}T${time}${zone}`);
  if (!Number.isNaN(timeMs)) return timeMs;
  throw new Failure(
    ExitCode.usage,
    `--since takes a time ago, such as 2h or 1d12h, or a date in UTC, such as 2026-11-23 or ` +
      `2026-11-23T08:30; found: ${printable(text)}`,
  );
}
