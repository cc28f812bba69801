import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { LogRecord } from "@logtape/logtape";
import { openGuessingGuard } from "../../../src/auth/guessing/guessing_guard.ts";
import { FAILED_LOGINS_FILE_OCTETS } from "../../../src/limits.ts";
import {
  DAY_MS,
  logged,
  MINUTE_MS,
  octets,
  openGuard,
  OPTIONS,
  withClock,
  withFolder,
} from "./guessing_setup.ts";

const GUESSER = "192.0.2.66";
const FILE = "failed_logins.json";

const textsOf = (records: readonly LogRecord[]) =>
  records.map(({ rawMessage }) => String(rawMessage));

/** Runs `work` with a clock and a folder for a file that nobody else has. */
const withState = (work: (folder: string, clock: { nowMs: number }) => Promise<void>) =>
  withFolder((folder) => withClock((clock) => work(join(folder, "state"), clock)));

test("what was counted, who is blocked and who is known last over a restart", () =>
  withState(async (folder, clock) => {
    const before = await openGuard({}, folder);
    await before.succeed("198.51.100.1", "alice");
    for (let at = 0; at < 100; at++) await before.fail(`203.0.113.${at}`, "alice");
    await before.fail("198.51.100.1", "alice");
    for (let at = 0; at < 30; at++) await before.fail(GUESSER, `user${at}`);
    for (let at = 0; at < 10; at++) await before.fail("192.0.2.2", "bob");
    await before.guard.close();

    clock.nowMs += MINUTE_MS;
    const { fail, succeed, waits } = await openGuard({}, folder);
    strictEqual(await fail(GUESSER, "bob"), "delayed");
    strictEqual(await fail("203.0.113.5", "alice"), "delayed");
    strictEqual(await succeed("198.51.100.1", "alice"), "succeeded");
    for (let at = 0; at < 20; at++) strictEqual(await fail("192.0.2.2", "bob"), "failed");
    deepStrictEqual(new Set(waits), new Set([15_000]), "the waits go on where they were");
    strictEqual(await fail("192.0.2.2", "bob"), "delayed");
    clock.nowMs += 14 * MINUTE_MS;
    strictEqual(await fail(GUESSER, "bob"), "failed", "no longer than it would have been");
  }));

test("the file names nobody, no address and no password, and is for its owner alone", () =>
  withState(async (folder) => {
    const { fail, succeed, guard } = await openGuard({}, folder);
    await fail(GUESSER, "alice@example.com", "hunter2");
    await succeed(GUESSER, "alice@example.com");
    await guard.close();
    const text = await readFile(join(folder, FILE), "utf8");
    ok(JSON.parse(text).known_logins.length === 1, "something is written");
    for (const word of ["alice", "example", "192", "hunter2"]) {
      // A digest may hold a short word by chance; none of these stands between quotes.
      ok(!text.includes(`"${word}`) && !text.includes("alice@"), word);
    }
    strictEqual((await stat(join(folder, FILE))).mode & 0o777, 0o600);
    strictEqual((await stat(folder)).mode & 0o777, 0o700);
    deepStrictEqual(await readdir(folder), [FILE], "nothing else is left there");
  }));

test("what a damaged clock wrote is not believed", () =>
  withState(async (folder, clock) => {
    clock.nowMs += 400 * DAY_MS;
    const before = await openGuard({}, folder);
    for (let at = 0; at < 30; at++) await before.fail(GUESSER, "alice");
    await before.succeed("198.51.100.1", "alice");
    await before.guard.close();
    clock.nowMs -= 400 * DAY_MS;
    const { fail } = await openGuard({}, folder);
    strictEqual(await fail(GUESSER, "alice"), "failed");
  }));

test("where there is no file yet nothing is said, and it begins with nothing", () =>
  withState(async (folder) => {
    const records = await logged(async () => {
      const { fail, guard } = await openGuard({}, folder);
      strictEqual(await fail(GUESSER, "alice"), "failed");
      await guard.close();
    });
    deepStrictEqual(textsOf(records), []);
  }));

test("without anything to keep no file is written", () =>
  withState(async (folder) => {
    const { guard } = await openGuard({}, folder);
    await guard.isDelayed(GUESSER, "alice");
    await guard.close();
    await rejects(stat(folder), { code: "ENOENT" });
  }));

const GOOD = {
  version: 1,
  key: "k".repeat(43),
  failures_of_address: [],
  failures_of_site: [],
  failures_of_account: [],
  failures_of_pair: [],
  forgiven: [],
  blocked_addresses: [],
  blocked_accounts: [],
  known_logins: [],
};

const DIGEST = "d".repeat(22);

const DAMAGED: readonly [string, string][] = [
  ["empty", ""],
  ["cut", JSON.stringify(GOOD).slice(0, -1)],
  ["another kind of value", "[]"],
  ["of another version", JSON.stringify({ ...GOOD, version: 2 })],
  ["without a key", JSON.stringify({ ...GOOD, key: "" })],
  ["without a list", JSON.stringify({ ...GOOD, forgiven: undefined })],
  ["with a count of none", JSON.stringify({ ...GOOD, forgiven: [[DIGEST, "1", 1]] })],
  ["with a count that is broken", JSON.stringify({ ...GOOD, forgiven: [[DIGEST, 1.5, 1]] })],
  ["with a key of its own", JSON.stringify({ ...GOOD, forgiven: [["__proto__", 1, 1]] })],
  ["with a login of no time", JSON.stringify({ ...GOOD, known_logins: [[DIGEST]] })],
  ["too long", " ".repeat(FAILED_LOGINS_FILE_OCTETS) + JSON.stringify(GOOD)],
];

for (const [how, text] of DAMAGED) {
  test(`a file that is ${how} is told once, forgotten, and replaced by a good one`, () =>
    withState(async (folder) => {
      await mkdir(folder);
      await writeFile(join(folder, FILE), text);
      const records = await logged(async () => {
        const { fail, guard } = await openGuard({}, folder);
        strictEqual(await fail(GUESSER, "alice"), "failed");
        await guard.close();
      });
      strictEqual(records.length, 1);
      match(textsOf(records)[0]!, /^the failed logins of before .* forgotten$/);
      strictEqual(JSON.parse(await readFile(join(folder, FILE), "utf8")).version, 1);
    }));
}

test("a file of the right form is taken", () =>
  withState(async (folder) => {
    await mkdir(folder);
    await writeFile(join(folder, FILE), JSON.stringify(GOOD));
    const records = await logged(async () => {
      const { fail, guard } = await openGuard({}, folder);
      await fail(GUESSER, "alice");
      await guard.close();
    });
    deepStrictEqual(textsOf(records), []);
    strictEqual(JSON.parse(await readFile(join(folder, FILE), "utf8")).key, GOOD.key);
  }));

test("a folder that cannot be written to is told once, and counting goes on", () =>
  withState(async (folder) => {
    // A file in its place: root could write to a folder whatever its mode says.
    await writeFile(folder, "");
    const records = await logged(async () => {
      const { fail, guard } = await openGuard({ maxFailuresOfAddress: 3 }, folder);
      for (let at = 0; at < 3; at++) await fail(GUESSER, "alice");
      strictEqual(await fail(GUESSER, "alice"), "delayed");
      await guard.close();
    });
    deepStrictEqual(textsOf(records), [
      "the failed logins of before cannot be read and are forgotten",
      "too many failed logins; an address is refused",
      "what is remembered cannot be written",
    ]);
  }));

test("an address or account that gets blocked is one line of the log, however much follows", () =>
  withState(async (_folder, clock) => {
    const records = await logged(async () => {
      const { fail } = await openGuard({ maxFailuresOfAccount: 40 });
      for (let at = 0; at < 60; at++) await fail(GUESSER, `user${at}`);
      for (let at = 0; at < 60; at++) await fail(`203.0.113.${at % 50}`, "Alice");
    });
    const until = new Date(clock.nowMs + 15 * MINUTE_MS).toISOString();
    deepStrictEqual(
      records.map(({ level, rawMessage, properties }) => ({ level, rawMessage, properties })),
      [
        {
          level: "warning",
          rawMessage: "too many failed logins; an address is refused",
          properties: { address: GUESSER, failures: 30, until },
        },
        {
          level: "warning",
          rawMessage: "too many failed logins; a user is refused to addresses that failed",
          properties: { user: "Alice", failures: 40, until },
        },
      ],
    );
  }));

test("when the server stops, answers that wait go out", async () => {
  const guard = await openGuessingGuard({ ...OPTIONS, delayMs: 15_000 });
  const failing: Promise<void>[] = [];
  for (let at = 0; at < 10; at++) {
    const attempt = await guard.begin(GUESSER, "alice");
    if (attempt.kind === "open") failing.push(attempt.failed(octets(`${at}`)));
  }
  guard.hasten();
  await Promise.all(failing);
  const attempt = await guard.begin(GUESSER, "alice");
  if (attempt.kind === "open") await attempt.failed();
  await guard.close();
});
