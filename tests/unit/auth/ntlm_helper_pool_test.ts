/** The pool of helper processes, over a program that does what the messages say. */

import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { HelperChallenge } from "../../../src/auth/mechanisms/ntlm_by_helper.ts";
import {
  type HelperPoolOptions,
  NtlmAuthHelpers,
} from "../../../src/auth/ntlm_auth_helper/helper_pool.ts";

const FAKE = fileURLToPath(new URL("./fake_ntlm_auth.sh", import.meta.url));
const UNAVAILABLE = { kind: "unavailable" } as const;
const RIGHT = { kind: "right", name: "EXAMPLE\\alice" } as const;

/** A limit that no test waits for. */
const LONG_MS = 60_000;

interface Pool {
  readonly helpers: NtlmAuthHelpers;
  readonly starts: () => number;
}

/** A test over a pool that never waits between starts, unless the test says otherwise. */
function poolTest(
  name: string,
  options: Partial<HelperPoolOptions> & { readonly startFile?: string },
  body: (pool: Pool) => Promise<void>,
): void {
  test(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), "popkeep-helper-"));
    const { startFile = "starts", ...rest } = options;
    const started = join(folder, startFile);
    const helpers = new NtlmAuthHelpers({
      command: ["sh", FAKE, started],
      processes: 1,
      replyMs: LONG_MS,
      holdMs: LONG_MS,
      turnMs: LONG_MS,
      waitMs: LONG_MS,
      restartMs: 0,
      ...rest,
    });
    try {
      const starts = () => readFileSync(started, "utf8").split("\n").length - 1;
      await body({ helpers, starts });
    } finally {
      helpers.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

type Asked = Extract<HelperChallenge, { kind: "challenge" }>;

const octets = (words: string) => Buffer.from(words);

async function begin(helpers: NtlmAuthHelpers, address = "192.0.2.1"): Promise<Asked> {
  const asked = await helpers.begin(octets("hello"), address);
  ok(asked.kind === "challenge", asked.kind);
  return asked;
}

const processOf = (asked: Asked) => Number(Buffer.from(asked.octets).toString());

poolTest("one process serves one exchange after the other", {}, async ({ helpers, starts }) => {
  const processes = [];
  for (const [wish, verdict] of [["right", RIGHT], ["no", { kind: "wrong" }]] as const) {
    const asked = await begin(helpers);
    deepStrictEqual(await asked.finish(octets(wish)), verdict);
    processes.push(processOf(asked));
  }
  strictEqual(new Set(processes).size, 1);
  strictEqual(starts(), 1);
});

poolTest("two exchanges at once have a process each", { processes: 2 }, async ({ helpers }) => {
  const [one, two] = await Promise.all([begin(helpers), begin(helpers)]);
  notStrictEqual(processOf(one), processOf(two));
  deepStrictEqual(await two.finish(octets("right")), RIGHT);
  deepStrictEqual(await one.finish(octets("right")), RIGHT);
});

poolTest("there are never more processes than may be, and who waits has a turn", {
  processes: 2,
}, async ({ helpers, starts }) => {
  const exchanges = Array.from({ length: 6 }, async () => {
    const asked = await begin(helpers);
    return await asked.finish(octets("right"));
  });
  deepStrictEqual(await Promise.all(exchanges), Array(6).fill(RIGHT));
  strictEqual(starts(), 2);
});

poolTest("who waits too long for a process is told so", { waitMs: 20 }, async ({ helpers }) => {
  const held = await begin(helpers);
  deepStrictEqual(await helpers.begin(octets("hello"), "192.0.2.1"), UNAVAILABLE);
  deepStrictEqual(await held.finish(octets("right")), RIGHT);
});

poolTest(
  "an outage and a helper that cannot tell are no wrong password",
  {},
  async ({ helpers }) => {
    for (const wish of ["outage", "broken"]) {
      deepStrictEqual(await (await begin(helpers)).finish(octets(wish)), UNAVAILABLE);
    }
    deepStrictEqual(await helpers.begin(octets("broken"), "192.0.2.1"), UNAVAILABLE);
    deepStrictEqual(await helpers.begin(octets("garbage"), "192.0.2.1"), { kind: "malformed" });
  },
);

for (const wish of ["die", "flood", "twice"]) {
  poolTest(`a process that does "${wish}" is replaced`, {}, async ({ helpers, starts }) => {
    const asked = await begin(helpers);
    deepStrictEqual(await asked.finish(octets(wish)), UNAVAILABLE);
    deepStrictEqual(await (await begin(helpers)).finish(octets("right")), RIGHT);
    strictEqual(starts(), 2);
  });
}

poolTest("a process that does not answer in time is replaced", {
  replyMs: 3_000,
}, async ({ helpers }) => {
  const asked = await begin(helpers);
  deepStrictEqual(await asked.finish(octets("hang")), UNAVAILABLE);
  notStrictEqual(processOf(await begin(helpers)), processOf(asked));
});

poolTest("a client that lets a process wait too long loses it, and it serves others", {
  holdMs: 20,
}, async ({ helpers }) => {
  const slow = await begin(helpers);
  await sleep(60);
  deepStrictEqual(await slow.finish(octets("right")), UNAVAILABLE);
  const next = await begin(helpers);
  strictEqual(processOf(next), processOf(slow));
});

poolTest("while others wait, a client loses its process sooner", {
  turnMs: 20,
}, async ({ helpers }) => {
  const slow = await begin(helpers);
  const next = await begin(helpers);
  strictEqual(processOf(next), processOf(slow));
  deepStrictEqual(await slow.finish(octets("right")), UNAVAILABLE);
  deepStrictEqual(await next.finish(octets("right")), RIGHT);
});

poolTest("an exchange that is given up frees its process at once", {}, async ({ helpers }) => {
  const first = await begin(helpers);
  first.release();
  first.release();
  const second = await begin(helpers);
  strictEqual(processOf(second), processOf(first));
  deepStrictEqual(await first.finish(octets("right")), UNAVAILABLE);
  deepStrictEqual(await second.finish(octets("right")), RIGHT);
});

poolTest("an answer that is under way when the client goes is not another client's", {}, async (
  { helpers },
) => {
  const gone = await begin(helpers);
  const answer = gone.finish(octets("slow"));
  gone.release();
  const next = await begin(helpers);
  deepStrictEqual(await next.finish(octets("right")), RIGHT);
  deepStrictEqual(await answer, { kind: "right", name: "EXAMPLE\\slow" });
});

test("a program that is not there is unavailable, each time", async () => {
  const helpers = new NtlmAuthHelpers({
    command: ["/nowhere/ntlm_auth"],
    processes: 1,
    restartMs: 0,
  });
  deepStrictEqual(await helpers.begin(octets("hello"), "192.0.2.1"), UNAVAILABLE);
  deepStrictEqual(await helpers.begin(octets("hello"), "192.0.2.1"), UNAVAILABLE);
  helpers.close();
});

poolTest("a program that ends at once is not started again and again", {
  startFile: "starts.mute",
  restartMs: LONG_MS,
}, async ({ helpers, starts }) => {
  for (let tries = 0; tries < 5; tries++) {
    deepStrictEqual(await helpers.begin(octets("hello"), "192.0.2.1"), UNAVAILABLE);
  }
  strictEqual(starts(), 1);
});

poolTest("closing ends the processes, and whatever is under way is unavailable", {}, async (
  { helpers },
) => {
  const held = await begin(helpers);
  const answer = held.finish(octets("hang"));
  const waiting = helpers.begin(octets("hello"), "192.0.2.1");
  helpers.close();
  deepStrictEqual([await answer, await waiting], [UNAVAILABLE, UNAVAILABLE]);
  deepStrictEqual(await helpers.begin(octets("hello"), "192.0.2.1"), UNAVAILABLE);
  await rejects(async () => {
    for (let tries = 0; tries < 1_000; tries++) {
      process.kill(processOf(held), 0);
      await sleep(10);
    }
  }, { code: "ESRCH" });
});

poolTest("many silent clients of one address hold up the next address for one turn", {
  turnMs: 20,
}, async ({ helpers }) => {
  const silent = Array.from({ length: 20 }, () => helpers.begin(octets("hello"), "192.0.2.66"));
  const order: string[] = [];
  const noted = silent.map((asked) => asked.then(() => order.push("silent")));
  const honest = await begin(helpers, "198.51.100.1");
  order.push("honest");
  deepStrictEqual(await honest.finish(octets("right")), RIGHT);
  ok(order.indexOf("honest") <= 2, order.join(" "));
  helpers.close();
  await Promise.all(noted);
});
