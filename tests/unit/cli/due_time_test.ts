/** When the daily pass is due, by clocks that are set. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { DueTime } from "../../../src/cli/daily/due_time.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Noon, by the clock of this machine's zone. */
const NOON_MS = new Date(2026, 5, 10, 12).getTime();

/** A machine whose clock may be set; looks every half minute. */
class Machine {
  #steadyMs = 5_000_000;
  #wallMs = NOON_MS;
  readonly due = new DueTime("03:00", this.#now);

  get #now() {
    return { wallMs: this.#wallMs, steadyMs: this.#steadyMs };
  }

  set(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** How often it was due while so much time went by. */
  run(ms: number): number {
    let times = 0;
    for (let left = ms; left > 0; left -= MINUTE_MS / 2) {
      this.#steadyMs += MINUTE_MS / 2;
      this.#wallMs += MINUTE_MS / 2;
      if (this.due.look(this.#now).isDue) times++;
    }
    return times;
  }

  /** The machine sleeps. */
  sleep(ms: number): void {
    this.#steadyMs += ms;
    this.#wallMs += ms;
  }
}

test("it is due once a day", () => {
  const machine = new Machine();
  strictEqual(machine.run(14 * HOUR_MS), 0);
  strictEqual(machine.run(2 * HOUR_MS), 1);
  strictEqual(machine.run(5 * DAY_MS), 5);
});

test("a clock that is wrong for half a minute has no mail removed", () => {
  for (const hours of [0, 14.9]) {
    const machine = new Machine();
    machine.run(hours * HOUR_MS);
    machine.set(3_650 * DAY_MS);
    strictEqual(machine.run(MINUTE_MS), 0);
    machine.set(-3_650 * DAY_MS);
    strictEqual(machine.run(12 * HOUR_MS), 0);
    strictEqual(machine.run(36 * HOUR_MS), 1, "and it goes on by the clock that is right");
  }
});

test("a clock that is set right just before the due time is not believed by then", () => {
  const machine = new Machine();
  machine.run(HOUR_MS);
  machine.set(30 * DAY_MS + 13.9 * HOUR_MS);
  strictEqual(machine.run(23 * HOUR_MS), 0);
  strictEqual(machine.run(2 * DAY_MS), 2);
});

test("settings that are read again have a wrong clock believed no sooner", () => {
  const machine = new Machine();
  machine.set(3_650 * DAY_MS);
  machine.run(MINUTE_MS);
  machine.due.change("12:02", { wallMs: NOON_MS + 3_650 * DAY_MS, steadyMs: 0 });
  strictEqual(machine.run(10 * MINUTE_MS), 0);
});

test("what a clock went ahead is told, and a little is no matter", () => {
  const due = new DueTime("03:00", { wallMs: NOON_MS, steadyMs: 0 });
  deepStrictEqual(due.look({ wallMs: NOON_MS + HOUR_MS, steadyMs: 1_000 }), { isDue: false });
  const wallMs = NOON_MS + 3 * HOUR_MS;
  deepStrictEqual(due.look({ wallMs, steadyMs: 1_000 }), { isDue: false, aheadMs: 2 * HOUR_MS });
});

test("a machine that slept is late, and not wrong", () => {
  const machine = new Machine();
  machine.sleep(20 * HOUR_MS);
  strictEqual(machine.run(MINUTE_MS), 1);
  strictEqual(machine.run(HOUR_MS), 0);
});

test("without a time it is never due", () => {
  const due = new DueTime("", { wallMs: NOON_MS, steadyMs: 0 });
  strictEqual(due.look({ wallMs: NOON_MS + 400 * DAY_MS, steadyMs: 400 * DAY_MS }).isDue, false);
});
