/** Calls that do not come back: who is told, who may still call, and what becomes of what comes late. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DISK_THREADS, FILESYSTEM_CALLS } from "../../../src/limits.ts";
import { DiskGate, ThreadShares } from "../../../src/maildir/disk_gate.ts";

/** Short, so that a test need not wait long; nothing here has to be done within it. */
const TIMEOUT_MS = 20;
const LONG_MS = 60_000;

const OVERDUE = { name: "StorageFailure", kind: "SYS/TEMP" };

/** A test beside which something else goes on: the gate's own timer keeps no process alive. */
function gateTest(name: string, body: () => void | Promise<void>): void {
  test(name, async () => {
    const others = setInterval(() => {}, LONG_MS);
    try {
      await body();
    } finally {
      clearInterval(others);
    }
  });
}

/** A call that comes back when it is told to. */
class Held {
  hasBegun = false;
  comeBack: (value: string) => void = () => {};
  fail: (error: Error) => void = () => {};
  readonly work = () => {
    this.hasBegun = true;
    return new Promise<string>((comeBack, fail) => Object.assign(this, { comeBack, fail }));
  };
}

function gateOf(threads: number, shares = new ThreadShares(threads)): DiskGate {
  return new DiskGate("/mail", shares);
}

/** Makes calls that are held; returns them, and what becomes of each. */
function hold(
  gate: DiskGate,
  { count = 1, mailbox = "/mail/a", timeoutMs = LONG_MS, late = (_: string) => {} } = {},
): { calls: Held[]; outcomes: Promise<string>[] } {
  const calls = Array.from({ length: count }, () => new Held());
  const outcomes = calls.map(({ work }) =>
    gate.run({ mailbox, doing: "test", timeoutMs }, work, late)
  );
  for (const outcome of outcomes) outcome.catch(() => {});
  return { calls, outcomes };
}

function begun(calls: readonly Held[]): number {
  return calls.filter(({ hasBegun }) => hasBegun).length;
}

const quick = (gate: DiskGate, mailbox: string) =>
  gate.run({ mailbox, doing: "test", timeoutMs: LONG_MS }, () => Promise.resolve("done"));

gateTest(
  "calls to one filesystem have half of the threads, those of one mailbox a part of that",
  async () => {
    const gate = gateOf(16);
    const one = hold(gate, { count: 10 });
    const other = hold(gate, { count: 10, mailbox: "/mail/b" });
    deepStrictEqual([begun(one.calls), begun(other.calls)], [6, 2]);
    one.calls[0]!.comeBack("first");
    strictEqual(await one.outcomes[0], "first");
    deepStrictEqual([begun(one.calls), begun(other.calls)], [7, 2]);
    for (let index = 0; index < 10; index++) {
      for (const { calls, outcomes } of [one, other]) {
        calls[index]!.comeBack(`${index}`);
        ok(["first", `${index}`].includes(await outcomes[index]!));
      }
    }
    ok(gate.isIdle);
  },
);

gateTest("filesystems that hang one after the other never have all threads", () => {
  const shares = new ThreadShares(32);
  const taken = Array.from({ length: 4 }, () => {
    const gate = gateOf(32, shares);
    const held = ["a", "b", "c"].flatMap((mailbox) => hold(gate, { count: 32, mailbox }).calls);
    return begun(held);
  });
  deepStrictEqual(taken, [16, 8, 4, 2]);
  strictEqual(shares.taken, 30);
});

gateTest("of two threads each of two filesystems has one", () => {
  const shares = new ThreadShares(2);
  strictEqual(begun(hold(gateOf(2, shares), { count: 3 }).calls), 1);
  strictEqual(begun(hold(gateOf(2, shares), { count: 3 }).calls), 1);
});

gateTest("a call that takes too long fails and says what was waited for", async () => {
  const gate = gateOf(8);
  const { calls, outcomes } = hold(gate, { timeoutMs: TIMEOUT_MS });
  await rejects(outcomes[0]!, { ...OVERDUE, message: /"\/mail\/a" does not answer: .* to test$/ });
  calls[0]!.comeBack("late");
});

gateTest("what comes late is given to who gives it up, once", async () => {
  const gate = gateOf(8);
  const given: string[] = [];
  const late = (value: string) => void given.push(value);
  const { calls, outcomes } = hold(gate, { count: 2, timeoutMs: TIMEOUT_MS, late });
  calls[0]!.comeBack("in time");
  strictEqual(await outcomes[0], "in time");
  await rejects(outcomes[1]!, OVERDUE);
  deepStrictEqual(given, []);
  calls[1]!.comeBack("late");
  await sleep(0);
  deepStrictEqual(given, ["late"]);
});

gateTest(
  "a mailbox with an overdue call is not asked again until it comes back; others are",
  async () => {
    const gate = gateOf(8);
    const { calls, outcomes } = hold(gate, { timeoutMs: TIMEOUT_MS });
    await rejects(outcomes[0]!, OVERDUE);
    const next = new Held();
    await rejects(gate.run({ mailbox: "/mail/a", doing: "test", timeoutMs: LONG_MS }, next.work), {
      ...OVERDUE,
      message: /earlier call/,
    });
    ok(!next.hasBegun);
    strictEqual(await quick(gate, "/mail/b"), "done");
    calls[0]!.fail(new Error("too late to matter"));
    await sleep(0);
    strictEqual(await quick(gate, "/mail/a"), "done");
  },
);

gateTest("a call that insists is made though the mailbox has an overdue one", async () => {
  const gate = gateOf(8);
  const { calls, outcomes } = hold(gate, { timeoutMs: TIMEOUT_MS });
  await rejects(outcomes[0]!, OVERDUE);
  const call = { mailbox: "/mail/a", doing: "test", timeoutMs: LONG_MS, insists: true };
  strictEqual(await gate.run(call, () => Promise.resolve("done")), "done");
  calls[0]!.comeBack("late");
});

gateTest(
  "what waits behind an overdue call of its mailbox is told at once, and never made",
  async () => {
    const gate = gateOf(4);
    const first = hold(gate, { timeoutMs: TIMEOUT_MS });
    const second = hold(gate);
    strictEqual(begun(second.calls), 0);
    await rejects(first.outcomes[0]!, OVERDUE);
    await rejects(second.outcomes[0]!, OVERDUE);
    first.calls[0]!.comeBack("late");
    await sleep(0);
    strictEqual(begun(second.calls), 0);
    strictEqual(await quick(gate, "/mail/a"), "done");
  },
);

gateTest("who waits for a place until the time is up is told, and takes none later", async () => {
  const gate = gateOf(2);
  const first = hold(gate);
  const second = hold(gate, { mailbox: "/mail/b", timeoutMs: TIMEOUT_MS });
  await rejects(second.outcomes[0]!, OVERDUE);
  first.calls[0]!.comeBack("done");
  strictEqual(await first.outcomes[0], "done");
  strictEqual(begun(second.calls), 0);
  ok(gate.isIdle);
});

gateTest(
  "where all places are overdue nobody waits; where one comes back they are asked again",
  async () => {
    const gate = gateOf(4);
    const [one, other] = ["/mail/a", "/mail/b"].map((mailbox) =>
      hold(gate, { mailbox, timeoutMs: TIMEOUT_MS })
    );
    await rejects(one!.outcomes[0]!, OVERDUE);
    await rejects(other!.outcomes[0]!, OVERDUE);
    await rejects(quick(gate, "/mail/c"), { ...OVERDUE, message: /\/mail, does not answer/ });
    one!.calls[0]!.comeBack("late");
    await sleep(0);
    strictEqual(await quick(gate, "/mail/c"), "done");
    await rejects(quick(gate, "/mail/b"), OVERDUE);
    other!.calls[0]!.comeBack("late");
  },
);

gateTest(
  "work that is put off is done when the mailbox answers, at once where it does",
  async () => {
    const gate = gateOf(8);
    const done: string[] = [];
    gate.whenAnswering("/mail/a", () => done.push("at once"));
    const { calls, outcomes } = hold(gate, { timeoutMs: TIMEOUT_MS });
    await rejects(outcomes[0]!, OVERDUE);
    gate.whenAnswering("/mail/a", () => done.push("later"));
    gate.whenAnswering("/mail/b", () => done.push("another's"));
    deepStrictEqual(done, ["at once", "another's"]);
    calls[0]!.comeBack("late");
    await sleep(0);
    deepStrictEqual(done, ["at once", "another's", "later"]);
  },
);

gateTest("a shorter time counts though a longer one is being watched", async () => {
  const gate = gateOf(8);
  const patient = hold(gate);
  const hasty = hold(gate, { mailbox: "/mail/b", timeoutMs: TIMEOUT_MS });
  await rejects(hasty.outcomes[0]!, OVERDUE);
  for (const { calls } of [patient, hasty]) calls[0]!.comeBack("done");
  strictEqual(await patient.outcomes[0], "done");
});

gateTest("what a call throws before it waits is its failure", async () => {
  const gate = gateOf(8);
  const call = { mailbox: "/mail/a", doing: "test", timeoutMs: LONG_MS };
  const failing = gate.run(call, () => {
    throw new Error("at once");
  });
  await rejects(failing, (error: Error) => {
    match(error.message, /at once/);
    return true;
  });
  ok(gate.isIdle);
});

gateTest("nineteen filesystems that hang leave a thread to the next one", async () => {
  const shares = new ThreadShares(DISK_THREADS);
  const held = Array.from({ length: 19 }, (_, at) => {
    const gate = new DiskGate(`/mail${at}`, shares);
    return ["/a", "/b", "/c"].map((mailbox) =>
      hold(gate, { count: FILESYSTEM_CALLS, mailbox, timeoutMs: TIMEOUT_MS })
    );
  });
  await Promise.allSettled(held.flat().flatMap(({ outcomes }) => outcomes));
  strictEqual(shares.taken, DISK_THREADS - 1);
  strictEqual(await quick(new DiskGate("/mail", shares), "/mail/a"), "done");
});
