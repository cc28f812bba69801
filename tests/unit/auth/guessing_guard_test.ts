import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  FORGIVEN_FAILED_LOGINS,
  KNOWN_LOGINS_AT_ONCE,
  LOGINS_WAITING_OF_ADDRESS,
  SITE_ADDRESSES,
} from "../../../src/limits.ts";
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  octets,
  openGuard,
  OPTIONS,
  withClock,
} from "./guessing_setup.ts";

const GUESSER = "192.0.2.66";
const ELSEWHERE = "198.51.100.1";

test("the first failures from an address are answered at once, and then each waits twice as long", () =>
  withClock(async () => {
    const { fail, waits } = await openGuard();
    for (let at = 0; at < 10; at++) await fail(GUESSER, `user${at}`);
    deepStrictEqual(waits, [0, 0, 0, 1, 2, 4, 8, 15, 15, 15].map((seconds) => seconds * 1_000));
  }));

test("a first wait of zero waits never", () =>
  withClock(async () => {
    const { fail, waits } = await openGuard({ delayMs: 0 });
    for (let at = 0; at < 20; at++) await fail(GUESSER, "alice");
    deepStrictEqual(new Set(waits), new Set([0]));
  }));

test("an address with too many failures is refused until its time is over, for every name", () =>
  withClock(async (clock) => {
    const { fail, succeed, guard } = await openGuard();
    for (let at = 0; at < 30; at++) strictEqual(await fail(GUESSER, `user${at}`), "failed");
    strictEqual(await fail(GUESSER, "another"), "delayed");
    strictEqual(await succeed(GUESSER, "owner"), "delayed");
    strictEqual(await guard.isDelayed(GUESSER, "owner"), true);
    strictEqual(await guard.isDelayed(ELSEWHERE, "owner"), false);
    clock.nowMs += 15 * MINUTE_MS - 1;
    strictEqual(await succeed(GUESSER, "owner"), "delayed");
    clock.nowMs += 1;
    strictEqual(await succeed(GUESSER, "owner"), "succeeded");
  }));

test("an address that was refused gets one guess more within the window, and all of them after it", () =>
  withClock(async (clock) => {
    const { fail } = await openGuard();
    for (let at = 0; at < 30; at++) await fail(GUESSER, "alice");
    clock.nowMs += 15 * MINUTE_MS;
    strictEqual(await fail(GUESSER, "alice"), "failed");
    strictEqual(await fail(GUESSER, "alice"), "delayed");
    clock.nowMs += 45 * MINUTE_MS;
    for (let at = 0; at < 30; at++) strictEqual(await fail(GUESSER, "alice"), "failed");
    strictEqual(await fail(GUESSER, "alice"), "delayed");
  }));

test("failures that are spread over more than a window never refuse an address", () =>
  withClock(async (clock) => {
    const { fail } = await openGuard();
    for (let at = 0; at < 200; at++) {
      strictEqual(await fail(GUESSER, `user${at}`), "failed");
      clock.nowMs += 3 * MINUTE_MS;
    }
  }));

test("all addresses of an IPv6 network of 64 bits are one, IPv4 addresses are not", () =>
  withClock(async () => {
    const { fail } = await openGuard();
    for (let at = 0; at < 30; at++) await fail(`2001:db8:1:2::${at}`, `user${at}`);
    strictEqual(await fail("2001:db8:1:2:ffff::1", "another"), "delayed");
    strictEqual(await fail("2001:db8:1:3::1", "another"), "failed");
    for (let at = 0; at < 30; at++) await fail(`192.0.2.${at}`, `user${at}`);
    strictEqual(await fail("192.0.2.200", "another"), "failed");
  }));

test("connections whose address is not known are counted as one", () =>
  withClock(async () => {
    const { guard } = await openGuard({ maxFailuresOfAddress: 2 });
    for (let at = 0; at < 2; at++) {
      const attempt = await guard.begin(undefined, "alice");
      if (attempt.kind === "open") await attempt.failed();
    }
    strictEqual((await guard.begin(undefined, "bob")).kind, "delayed");
  }));

test("the same wrong password again counts once in a window, whatever else is tried between", () =>
  withClock(async (clock) => {
    const { fail, waits } = await openGuard();
    for (let at = 0; at < 500; at++) strictEqual(await fail(GUESSER, "alice", "old"), "failed");
    deepStrictEqual(new Set(waits), new Set([0]));
    for (let at = 0; at < 28; at++) {
      await fail(GUESSER, "alice");
      await fail(GUESSER, "alice", "old");
    }
    clock.nowMs += HOUR_MS;
    await fail(GUESSER, "alice", "old");
    for (let at = 0; at < 28; at++) await fail(GUESSER, "alice");
    strictEqual(await fail(GUESSER, "alice", "old"), "failed");
    strictEqual(await fail(GUESSER, "alice"), "failed", "the thirtieth");
    strictEqual(await fail(GUESSER, "alice"), "delayed");
  }));

test("one password for many names, and one name from many addresses, count each", () =>
  withClock(async () => {
    const { fail } = await openGuard({ maxFailuresOfAccount: 5 });
    for (let at = 0; at < 30; at++) await fail(GUESSER, `user${at}`, "123456");
    strictEqual(await fail(GUESSER, "another", "123456"), "delayed");
    for (let at = 0; at < 5; at++) await fail(`203.0.113.${at}`, "alice", "123456");
    strictEqual(await fail("203.0.113.0", "alice"), "delayed");
  }));

test("where a mechanism shows no secret each failure counts", () =>
  withClock(async () => {
    const { guard } = await openGuard({ maxFailuresOfAddress: 3 });
    for (let at = 0; at < 3; at++) {
      const attempt = await guard.begin(GUESSER, "alice");
      if (attempt.kind === "open") await attempt.failed();
    }
    strictEqual(await guard.isDelayed(GUESSER, "bob"), true);
  }));

/** A hundred addresses guess at one name, in spellings that are one. */
async function floodAccount(fail: (address: string, user: string) => Promise<unknown>) {
  for (let at = 0; at < 100; at++) await fail(`203.0.113.${at}`, at % 2 ? "Alice" : "alice");
}

test("an account with too many failures is refused to those who failed, and to nobody else", () =>
  withClock(async (clock) => {
    const { fail, succeed } = await openGuard();
    await floodAccount(fail);
    strictEqual(await fail("203.0.113.7", "ALICE"), "delayed");
    strictEqual(await succeed("203.0.113.7", "bob"), "succeeded", "another account");
    strictEqual(await succeed(ELSEWHERE, "alice"), "succeeded", "its owner, from elsewhere");
    strictEqual(await fail("198.51.100.2", "alice"), "failed", "one guess of a new address");
    strictEqual(await fail("198.51.100.2", "alice"), "delayed", "and no second one");
    clock.nowMs += 15 * MINUTE_MS;
    strictEqual(await fail("203.0.113.7", "alice"), "failed");
  }));

test("who logged in from an address lately is not refused there, though it failed too", () =>
  withClock(async (clock) => {
    const { fail, succeed } = await openGuard();
    await succeed(ELSEWHERE, "alice");
    clock.nowMs += 30 * DAY_MS - HOUR_MS;
    await fail(ELSEWHERE, "alice");
    await floodAccount(fail);
    strictEqual(await fail(ELSEWHERE, "alice"), "failed");
    strictEqual(await succeed(ELSEWHERE, "alice"), "succeeded");
  }));

test("a login of more than thirty days ago does not count any more", () =>
  withClock(async (clock) => {
    const { fail, succeed } = await openGuard();
    await succeed(ELSEWHERE, "alice");
    clock.nowMs += 30 * DAY_MS;
    await fail(ELSEWHERE, "alice");
    await floodAccount(fail);
    strictEqual(await fail(ELSEWHERE, "alice"), "delayed");
  }));

test("a login to another account does not make an address known for this one", () =>
  withClock(async () => {
    const { fail, succeed } = await openGuard();
    await succeed("203.0.113.7", "mallory");
    await floodAccount(fail);
    strictEqual(await fail("203.0.113.7", "alice"), "delayed");
  }));

test("nothing tells a name that exists from one that does not but the logins it had", () =>
  withClock(async () => {
    const { fail, waits } = await openGuard();
    const outcomes = async (user: string) => {
      const from = waits.length;
      const kinds: string[] = [];
      for (let at = 0; at < 120; at++) {
        kinds.push(await fail(`203.0.${user.length}.${at % 60}`, user));
      }
      return { kinds, waits: waits.slice(from) };
    };
    deepStrictEqual(await outcomes("alice"), await outcomes("nobody"));
  }));

test("failures without a name count for the address alone", () =>
  withClock(async () => {
    const { fail } = await openGuard({ maxFailuresOfAccount: 5 });
    for (let at = 0; at < 20; at++) await fail(`203.0.113.${at}`, "");
    strictEqual(await fail("203.0.113.0", ""), "failed");
  }));

test("a login forgives what its user mistyped, and no more than that", () =>
  withClock(async () => {
    const { fail, succeed } = await openGuard();
    for (let at = 0; at < FORGIVEN_FAILED_LOGINS; at++) await fail(GUESSER, "alice");
    await succeed(GUESSER, "alice");
    for (let at = 0; at < 30; at++) strictEqual(await fail(GUESSER, "bob"), "failed");
    strictEqual(await fail(GUESSER, "bob"), "delayed");
  }));

test("a guesser with an account of his own gains nothing by logging in between", () =>
  withClock(async () => {
    const { fail, succeed } = await openGuard();
    let guesses = 0;
    while (await fail(GUESSER, "alice") === "failed") {
      guesses++;
      ok(guesses <= 30);
      await succeed(GUESSER, "mallory");
    }
    strictEqual(guesses, 30);
  }));

test("a login forgives failures of its own account only, and no more than a few", () =>
  withClock(async () => {
    const { fail, succeed } = await openGuard();
    for (let at = 0; at < 19; at++) await fail(GUESSER, "alice");
    await fail(GUESSER, "mallory");
    await succeed(GUESSER, "mallory");
    await succeed(GUESSER, "alice");
    const left = 30 - 19 + FORGIVEN_FAILED_LOGINS;
    for (let at = 0; at < left; at++) strictEqual(await fail(GUESSER, "bob"), "failed");
    strictEqual(await fail(GUESSER, "bob"), "delayed");
  }));

test("who knows one secret of an account cannot guess its others without end", () =>
  withClock(async () => {
    const { fail, succeed } = await openGuard();
    let guesses = 0;
    while (await fail(GUESSER, "alice") === "failed") {
      guesses++;
      ok(guesses <= 30 + FORGIVEN_FAILED_LOGINS);
      await succeed(GUESSER, "alice");
    }
  }));

test("addresses that are never blocked are neither counted nor held up", () =>
  withClock(async () => {
    const { fail, waits, guard } = await openGuard({
      neverBlocked: ["192.0.2.0/24", "2001:db8::/32"],
      maxFailuresOfAccount: 10,
    });
    for (const address of ["192.0.2.1", "2001:db8::1"]) {
      for (let at = 0; at < 100; at++) strictEqual(await fail(address, "alice"), "failed");
      strictEqual(await guard.isDelayed(address, "alice"), false);
    }
    deepStrictEqual(waits, []);
    strictEqual(await fail(ELSEWHERE, "alice"), "failed");
    strictEqual(await fail(ELSEWHERE, "alice"), "failed", "the account has no failures of theirs");
  }));

test("a guess more than may fail is not looked at while the others are under way", () =>
  withClock(async () => {
    const { guard } = await openGuard({ maxFailuresOfAddress: 5 });
    let underWay = 0;
    let most = 0;
    let looked = 0;
    const kinds = await Promise.all(Array.from({ length: 100 }, async (_, at) => {
      const attempt = await guard.begin(GUESSER, `user${at % 7}`);
      if (attempt.kind !== "open") return attempt.kind;
      looked++;
      most = Math.max(most, ++underWay);
      // As a hash does, which ends in another turn of the event loop.
      await new Promise((done) => setTimeout(done, at % 3));
      underWay--;
      await attempt.failed(octets(`guess ${at}`));
      return "failed";
    }));
    strictEqual(looked, 5);
    ok(most <= 5);
    deepStrictEqual(kinds.filter((kind) => kind === "delayed").length, 95);
  }));

test("who guesses beside a right login of his address gets but a few more looked at at once", () =>
  withClock(async () => {
    const { guard, succeed } = await openGuard({ maxFailuresOfAddress: 5 });
    const guessAtOnce = async () => {
      let looked = 0;
      await Promise.all(Array.from({ length: 100 }, async (_, at) => {
        const attempt = await guard.begin(GUESSER, "alice");
        if (attempt.kind !== "open") return;
        looked++;
        await new Promise((done) => setTimeout(done, at % 3));
        await attempt.failed(octets(`guess ${at}`));
      }));
      return looked;
    };
    await succeed(GUESSER, "alice");
    strictEqual(await guessAtOnce(), 5 + KNOWN_LOGINS_AT_ONCE);
    strictEqual(await guessAtOnce(), 0);
  }));

test("logins of one user that are known and right are not held up, however many come at once", () =>
  withClock(async () => {
    const { guard, succeed } = await openGuard({ maxFailuresOfAddress: 2 });
    await succeed(GUESSER, "alice");
    for (let again = 0; again < 3; again++) {
      const kinds = await Promise.all(Array.from({ length: 50 }, async (_, at) => {
        const attempt = await guard.begin(GUESSER, "alice");
        if (attempt.kind !== "open") return attempt.kind;
        await new Promise((done) => setTimeout(done, 0));
        if (at % 2 === 0) await attempt.succeeded();
        else attempt.dropped();
        return "done";
      }));
      deepStrictEqual(new Set(kinds), new Set(["done"]));
    }
  }));

test("an office that logs in all at once is let in, though its address may fail but once more", () =>
  withClock(async () => {
    const { guard, fail } = await openGuard({ maxFailuresOfAddress: 5 });
    for (let at = 0; at < 4; at++) await fail(GUESSER, "alice");
    const kinds = await Promise.all(Array.from({ length: 200 }, async (_, at) => {
      const attempt = await guard.begin(GUESSER, `user${at}`);
      if (attempt.kind !== "open") return attempt.kind;
      await new Promise((done) => setTimeout(done, 0));
      if (at % 2 === 0) await attempt.succeeded();
      else attempt.dropped();
      return "done";
    }));
    deepStrictEqual(new Set(kinds), new Set(["done"]));
  }));

test("too many that wait are told to come back, and who is in line is not harmed", () =>
  withClock(async () => {
    const { guard } = await openGuard({ maxFailuresOfAddress: 1 });
    const first = await guard.begin(GUESSER, "alice");
    const waiting = Array.from(
      { length: LOGINS_WAITING_OF_ADDRESS },
      () => guard.begin(GUESSER, "alice"),
    );
    strictEqual((await guard.begin(GUESSER, "alice")).kind, "unavailable");
    strictEqual((await guard.begin(ELSEWHERE, "alice")).kind, "open");
    if (first.kind === "open") first.dropped();
    let open = 0;
    for (const pending of waiting) {
      const attempt = await pending;
      if (attempt.kind !== "open") continue;
      open++;
      attempt.dropped();
    }
    strictEqual(open, LOGINS_WAITING_OF_ADDRESS);
  }));

test("an attempt that is ended twice gives back one place", () =>
  withClock(async () => {
    const { guard } = await openGuard({ maxFailuresOfAddress: 2 });
    const one = await guard.begin(GUESSER, "alice");
    const two = await guard.begin(GUESSER, "alice");
    if (one.kind !== "open" || two.kind !== "open") throw new Error("They are not open.");
    one.dropped();
    one.dropped();
    strictEqual((await guard.begin(GUESSER, "alice")).kind, "open");
    let fourth = "waits";
    const pending = Promise.resolve(guard.begin(GUESSER, "alice")).then(({ kind }) =>
      fourth = kind
    );
    await new Promise((done) => setTimeout(done, 5));
    strictEqual(fourth, "waits");
    two.dropped();
    strictEqual(await pending, "open");
  }));

test("a login is in the turn of its address, known where its user logged in from there", () =>
  withClock(async () => {
    const { guard, succeed } = await openGuard();
    await succeed("2001:db8::1", "alice");
    const turnOf = async (address: string, user: string) => {
      const attempt = await guard.begin(address, user);
      if (attempt.kind !== "open") throw new Error("It is not open.");
      attempt.dropped();
      return attempt.turn;
    };
    const alice = await turnOf("2001:db8::2", "Alice");
    const bob = await turnOf("2001:db8::3", "bob");
    deepStrictEqual([alice.known, bob.known], [true, false]);
    strictEqual(alice.source, bob.source);
    ok((await turnOf(ELSEWHERE, "alice")).source !== alice.source);
  }));

test("with other limits what was counted stays", () =>
  withClock(async () => {
    const { guard, fail } = await openGuard();
    for (let at = 0; at < 10; at++) await fail(GUESSER, "alice");
    guard.reload({ ...OPTIONS, maxFailuresOfAddress: 11 });
    strictEqual(await fail(GUESSER, "alice"), "failed");
    strictEqual(await fail(GUESSER, "alice"), "delayed");
    guard.reload({ ...OPTIONS, neverBlocked: [GUESSER] });
    strictEqual(await fail(GUESSER, "alice"), "failed");
  }));

test("an address that is never blocked and is none is refused, and the limits stay", () =>
  withClock(async () => {
    const { guard, fail } = await openGuard({ neverBlocked: [GUESSER] });
    throws(
      () => guard.reload({ ...OPTIONS, neverBlocked: ["192.0.2.0/33"] }),
      /^Error: Not addresses/,
    );
    for (let at = 0; at < 40; at++) strictEqual(await fail(GUESSER, "alice"), "failed");
  }));

test("who has a whole site of IPv6 has no more guesses at a name than an address has networks", () =>
  withClock(async () => {
    const { fail } = await openGuard();
    for (let at = 0; at < 100; at++) await fail(`2001:db8:${at.toString(16)}::1`, "alice");
    strictEqual(await fail("2001:db8:ffff:1::1", "alice"), "failed");
    for (let network = 2; network < 50; network++) {
      strictEqual(await fail(`2001:db8:ffff:${network}::1`, "alice"), "delayed");
    }
    strictEqual(
      await fail("2001:db8:fffe::1", "alice"),
      "failed",
      "another site still has its own",
    );
  }));

test("a site of IPv6 that goes through names is refused as a whole", () =>
  withClock(async () => {
    const { fail } = await openGuard();
    let failed = 0;
    for (let at = 0; at < 1_000; at++) {
      const network = (at % 250).toString(16);
      if (await fail(`2001:db8:1:${network}::1`, `user${at}`) === "failed") failed++;
    }
    strictEqual(failed, 30 * SITE_ADDRESSES);
    strictEqual(await fail("2001:db8:2::1", "alice"), "failed");
  }));

test("who logged in from an address is not refused there for what its neighbours do", () =>
  withClock(async () => {
    const { fail, succeed } = await openGuard();
    strictEqual(await succeed(GUESSER, "neighbour"), "succeeded");
    for (let at = 0; at < 40; at++) await fail(GUESSER, `user${at}`);
    strictEqual(await succeed(GUESSER, "stranger"), "delayed");
    strictEqual(await succeed(GUESSER, "neighbour"), "succeeded");
    for (let at = 0; at < 30; at++) strictEqual(await fail(GUESSER, "neighbour"), "failed");
    strictEqual(await succeed(GUESSER, "neighbour"), "delayed", "its own failures count");
  }));

test("a name that many addresses try makes their failures wait, and no right password", () =>
  withClock(async () => {
    const { fail, succeed, waits } = await openGuard();
    await succeed(ELSEWHERE, "alice");
    for (let at = 0; at < 24; at++) await fail(`203.0.113.${at}`, "alice");
    deepStrictEqual(waits.slice(18), [0, 0, 1_000, 2_000, 4_000, 8_000]);
    strictEqual(await succeed("198.51.100.9", "alice"), "succeeded");
    await fail(ELSEWHERE, "alice");
    strictEqual(waits.at(-1), 0, "where she is known she may err as before");
  }));

test("who is known does not stand in line behind strangers of the same address", () =>
  withClock(async () => {
    const { guard, succeed } = await openGuard({ maxFailuresOfAddress: 2 });
    await succeed(GUESSER, "alice");
    const strangers = [];
    for (let at = 0; at < 5; at++) strangers.push(guard.begin(GUESSER, `user${at}`));
    const alice = await guard.begin(GUESSER, "alice");
    ok(alice.kind === "open");
    await alice.succeeded();
    for (const begun of strangers.slice(0, 2)) {
      const attempt = await begun;
      if (attempt.kind === "open") attempt.dropped();
    }
  }));
