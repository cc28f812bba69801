/** Whether a goal is met is computed, so the computing is tested: at the limit, beyond it, and on failure. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Goal, GOALS, judge } from "../../../bench/page/goals.ts";
import { measured, resultsOf } from "./results_of.ts";

function goal(title: string): Goal {
  const found = GOALS.find((goal) => goal.title === title);
  assert.ok(found, title);
  return found;
}

const login = goal("Login, STAT, QUIT");
const cold = goal("100,000 messages, cold");
const start = goal("Start until the port answers");

test("a speed is held against the best peer's", () => {
  const peers = [
    measured("courier", "login", { sess_s: 400 }),
    measured("dovecot-fast", "login", { sess_s: 1000 }),
  ];
  const judged = judge(login, resultsOf(...peers, measured("popkeep", "login", { sess_s: 5000 })));
  assert.equal(judged.verdict, "met");
  assert.equal(judged.ratio, 5);
  assert.equal(judged.against, "dovecot-fast");
  const less = judge(login, resultsOf(...peers, measured("popkeep", "login", { sess_s: 4999 })));
  assert.equal(less.verdict, "not met");
});

test("of a time, less is more", () => {
  const judged = judge(
    cold,
    resultsOf(
      measured("dovecot-fast", "large-cold", { sess_p50: 3000 }),
      measured("courier", "large-cold", { sess_p50: 3700 }),
      measured("popkeep", "large-cold", { sess_p50: 1500 }),
    ),
  );
  assert.equal(judged.verdict, "not met");
  assert.equal(judged.ratio, 2);
});

test("what has to stay under a limit may not reach it", () => {
  const at = (ms: number) => judge(start, resultsOf(measured("popkeep", "start", { ms }))).verdict;
  assert.equal(at(149.9), "met");
  assert.equal(at(150), "not met");
});

test("an error fails the goal, however good the figure", () => {
  const judged = judge(
    start,
    resultsOf(
      measured("popkeep", "start", { ms: 10 }),
      measured("popkeep", "start", { ms: 10, errors: 1, first_error: "no greeting" }),
    ),
  );
  assert.equal(judged.verdict, "failed");
  assert.equal(judged.reason, "no greeting");
});

test("without a figure, or without one to hold it against, nothing is claimed", () => {
  const alone = resultsOf(measured("popkeep", "login", { sess_s: 5000 }));
  assert.equal(judge(login, alone).verdict, "not measured");
  assert.equal(judge(start, alone).verdict, "not measured");
});

test("a program that is no server, and another work of popkeep's, can be the measure", () => {
  const results = resultsOf(
    measured("popkeep", "fetch-pipelined", { mib_s: 600 }),
    measured("raw-convert", "raw", { mib_s: 1200 }),
    measured("popkeep", "exact-large-again", { sess_p50: 90 }),
    measured("popkeep", "large-unchanged", { sess_p50: 40 }),
  );
  assert.equal(judge(goal("Fetch everything, pipelined"), results).ratio, 0.5);
  const again = judge(goal("Exact sizes again, beside sizes that are not exact"), results);
  assert.equal(again.verdict, "not met");
});
