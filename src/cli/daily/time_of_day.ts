/** When a time of day comes next, by the clock of this machine's time zone. Pure but for the zone. */

/**
 * The next time that it is so late, ms since 1970; more than `nowMs`. On the day on which the clock skips that
 * time, the same time after the gap.
 *
 * @param time `HH:MM`.
 */
export function nextTimeOfDay(time: string, nowMs: number): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  const next = new Date(nowMs);
  next.setHours(hours, minutes, 0, 0);
  if (next.getTime() <= nowMs) {
    next.setDate(next.getDate() + 1);
    // The hour may have been moved by a change of the clock on the day before.
    next.setHours(hours, minutes, 0, 0);
  }
  return next.getTime();
}
