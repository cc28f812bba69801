/** What the page of the comparison computes from the results of a run: medians, peers, failures. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResults } from "../../../bench/page/results.ts";
import { measured, resultsOf } from "./results_of.ts";

test("a figure is the median of the rounds, and its range goes from the least to the most", () => {
  const results = resultsOf(
    measured("popkeep", "login", { sess_s: 30 }),
    measured("popkeep", "login", { sess_s: 10 }),
    measured("popkeep", "login", { sess_s: 11 }),
  );
  assert.deepEqual(results.spread("popkeep", "login", "sess_s"), {
    median: 11,
    least: 10,
    most: 30,
  });
});

test("the median of an even number is between the two in the middle", () => {
  const rounds = [1, 2, 4, 100].map((ms) => measured("popkeep", "start", { ms }));
  assert.equal(resultsOf(...rounds).spread("popkeep", "start", "ms")?.median, 3);
});

test("a round with an error gives no figure and is a failure", () => {
  const results = resultsOf(
    measured("courier", "poll", { sess_s: 900, errors: 1, first_error: "stalled" }),
    measured("courier", "poll", { sess_s: 100 }),
  );
  assert.equal(results.spread("courier", "poll", "sess_s")?.median, 100);
  assert.equal(results.failure("courier", "poll"), "stalled");
  assert.equal(results.failure("courier", "login"), undefined);
});

test("a disturbed round counts only where there is no other", () => {
  const disturbed = measured("popkeep", "login", { sess_s: 10, other_cpu: 0.3 });
  const calm = measured("popkeep", "login", { sess_s: 20, other_cpu: 0.29 });
  assert.equal(resultsOf(disturbed, calm).spread("popkeep", "login", "sess_s")?.median, 20);
  assert.equal(resultsOf(disturbed).spread("popkeep", "login", "sess_s")?.median, 10);
  assert.equal(resultsOf(disturbed, calm).disturbed, 1);
  const stolen = measured("popkeep", "login", { sess_s: 10, other_cpu: -0.2, stolen_cpu: 0.3 });
  assert.equal(resultsOf(stolen, calm).disturbed, 1);
  assert.equal(resultsOf(stolen, calm).spread("popkeep", "login", "sess_s")?.median, 20);
});

test("a ratio is the median of those within the rounds, whatever the machine did between them", () => {
  const fast = { server: "popkeep", work: "login", figure: "sess_s" };
  const slow = { ...fast, server: "courier" };
  const rounds = [[30, 10], [60, 10], [8, 2], [100, undefined]] as const;
  const results = resultsOf(...rounds.flatMap(([ours, theirs], at) => [
    { ...measured("popkeep", "login", { sess_s: ours }), round: at + 1 },
    ...theirs === undefined
      ? []
      : [{ ...measured("courier", "login", { sess_s: theirs }), round: at + 1 }],
  ]));
  assert.equal(results.ratio(fast, slow), 4);
  assert.equal(results.ratio(fast, { ...slow, server: "solid-pop3d" }), undefined);
});

test("a disturbed round is in no ratio where there are others", () => {
  const ours = (round: number, sess_s: number, other_cpu: number) => ({
    ...measured("popkeep", "login", { sess_s, other_cpu }),
    round,
  });
  const theirs = (round: number) => ({ ...measured("courier", "login", { sess_s: 10 }), round });
  const results = resultsOf(ours(1, 50, 0), theirs(1), ours(2, 10, 1), theirs(2));
  const figure = { work: "login", figure: "sess_s" };
  assert.equal(
    results.ratio({ ...figure, server: "popkeep" }, { ...figure, server: "courier" }),
    5,
  );
});

test("the best peer is the fastest, or the one that takes the least, and never popkeep or over TLS", () => {
  const results = resultsOf(
    measured("courier", "fetch", { mib_s: 160, sess_p50: 3 }),
    measured("dovecot-fast", "fetch", { mib_s: 300, sess_p50: 5 }),
    measured("dovecot-fast-tls", "fetch", { mib_s: 900, sess_p50: 1 }),
    measured("popkeep", "fetch", { mib_s: 999, sess_p50: 1 }),
    measured("raw-convert", "fetch", { mib_s: 1300, sess_p50: 1 }),
  );
  const best = (figure: string, better: "more" | "less", tls = false) =>
    results.bestPeer("fetch", figure, { better, tls })?.server;
  assert.equal(best("mib_s", "more"), "dovecot-fast");
  assert.equal(best("sess_p50", "less"), "courier");
  assert.equal(best("mib_s", "more", true), "dovecot-fast-tls");
  assert.equal(results.bestPeer("login", "sess_s", { better: "more", tls: false }), undefined);
});

test("what a server did not come to because a test broke off has failed, other tests have not", () => {
  const results = resultsOf(
    { ...measured("popkeep", "login", { sess_s: 1 }), test: "everyday" },
    {
      ...measured("popkeep-2", "broke off", { errors: 1, first_error: "no start" }),
      test: "everyday",
    },
    { ...measured("popkeep", "idle", { session_kib: 1 }), test: "idle" },
  );
  assert.equal(results.failure("popkeep-2", "login"), "no start");
  assert.equal(results.failure("popkeep-2", "idle"), undefined);
  assert.equal(results.failure("popkeep", "login"), undefined);
});

test("processor time is told for each session and each message", () => {
  const results = resultsOf(
    measured("popkeep", "fetch", { server_s: 2, sessions: 100, messages: 20_000 }),
    measured("courier", "fetch", { server_s: 2, sessions: 0, messages: 0 }),
  );
  assert.equal(results.spread("popkeep", "fetch", "server_us_session")?.median, 20_000);
  assert.equal(results.spread("popkeep", "fetch", "server_us_message")?.median, 100);
  assert.equal(results.spread("courier", "fetch", "server_us_session"), undefined);
});

test("results that are cut off in a line, or do not say what they ran on, are refused", () => {
  assert.throws(
    () => parseResults('{"at":"now","machine":{}}\n{"server":'),
    /Line 2 of the results/,
  );
  assert.throws(() => parseResults('{"server":"popkeep"}\n'), /do not begin with/);
  assert.throws(() => parseResults(""), /do not begin with/);
});
