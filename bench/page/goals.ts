/**
 * What was set out to be reached, and whether it is: by computation, from the results.
 *
 * A ratio is always so taken that more is better: twice as fast is 2, whether speed or time was measured.
 * It is the median of the rounds' ratios, which need not be the ratio of the medians.
 * An error in a measurement of popkeep's fails the goal, whatever the figure.
 */

import type { Results, Spread } from "./results.ts";

interface Measured {
  readonly title: string;
  readonly server: string;
  readonly work: string;
  readonly figure: string;
  readonly unit: string;
}

interface RatioGoal extends Measured {
  readonly kind: "ratio";
  readonly better: "more" | "less";
  readonly factor: number;
  /** "best peer", "best TLS peer", or a server, and of that another work where it is not the same. */
  readonly against: string;
  readonly againstWork?: string;
}

interface BoundGoal extends Measured {
  readonly kind: "bound";
  readonly under: number;
}

export type Goal = RatioGoal | BoundGoal;

function ratio(
  title: string,
  [server, work, figure, unit]: readonly [string, string, string, string],
  [factor, against, againstWork]: readonly [number, string, string?],
): RatioGoal {
  const better = figure === "sess_p50" || figure === "seconds" ? "less" : "more";
  const other = againstWork === undefined ? {} : { againstWork };
  return { kind: "ratio", title, server, work, figure, unit, better, factor, against, ...other };
}

function bound(
  title: string,
  [server, work, figure, unit]: readonly [string, string, string, string],
  under: number,
): BoundGoal {
  return { kind: "bound", title, server, work, figure, unit, under };
}

const PEER = "best peer";
const TLS_PEER = "best TLS peer";

export const GOALS: readonly Goal[] = [
  ratio("Login, STAT, QUIT", ["popkeep", "login", "sess_s", "/s"], [5, PEER]),
  ratio("Login, STAT, QUIT", ["popkeep", "login", "sess_s", "/s"], [50, "dovecot-default"]),
  ratio("Poll: STAT, UIDL, LIST", ["popkeep", "poll", "sess_s", "/s"], [5, PEER]),
  ratio("First poll of a mailbox", ["popkeep", "poll-first", "sess_s", "/s"], [3, PEER]),
  ratio("Fetch everything", ["popkeep", "fetch", "mib_s", "MiB/s"], [1.5, PEER]),
  ratio("Fetch everything, two workers", ["popkeep-2", "fetch", "mib_s", "MiB/s"], [2, PEER]),
  ratio("Fetch everything, pipelined", ["popkeep", "fetch-pipelined", "mib_s", "MiB/s"], [
    0.5,
    "raw-convert",
    "raw",
  ]),
  ratio("Fetch everything over TLS", ["popkeep-tls", "fetch", "mib_s", "MiB/s"], [2, TLS_PEER]),
  ratio("RETR and DELE of everything", ["popkeep", "delete", "mib_s", "MiB/s"], [2, PEER]),
  ratio("100,000 messages, cold", ["popkeep", "large-cold", "sess_p50", "ms"], [3, PEER]),
  ratio("100,000 messages, cold, sizes in the names", [
    "popkeep",
    "hinted-cold",
    "sess_p50",
    "ms",
  ], [3, PEER]),
  ratio("100,000 messages, unchanged", ["popkeep", "large-unchanged", "sess_p50", "ms"], [
    10,
    PEER,
  ]),
  bound("100,000 messages, unchanged, STAT alone", ["popkeep", "large-stat", "sess_p50", "ms"], 5),
  ratio("100,000 messages, after a delivery", ["popkeep", "large-delivered", "sess_p50", "ms"], [
    5,
    PEER,
  ]),
  bound("1,000,000 messages, cold", ["popkeep", "million-cold", "sess_p50", "ms"], 30_000),
  bound("1,000,000 messages, memory while open", [
    "popkeep",
    "million-memory",
    "octets_a_message",
    "octets a message",
  ], 100),
  bound("1,000,000 messages, memory for a second session", [
    "popkeep",
    "million-memory",
    "second_octets_a_message",
    "octets a message",
  ], 10),
  bound("Memory of an idle session", ["popkeep", "idle", "session_kib", "KiB"], 10),
  bound("Memory of an idle session over TLS", ["popkeep-tls", "idle", "session_kib", "KiB"], 40),
  bound("Memory at rest", ["popkeep", "memory", "rest_mib", "MiB"], 60),
  bound("Memory above rest after load and abuse", [
    "popkeep",
    "memory",
    "above_rest_mib",
    "MiB",
  ], 30),
  ratio("Exact sizes of 10,000 messages of 31 kB, first time", [
    "popkeep",
    "exact-ordinary",
    "seconds",
    "s",
  ], [0.5, "cat"]),
  ratio("Exact sizes of 100,000 messages of 2 KiB, first time", [
    "popkeep",
    "exact-large",
    "seconds",
    "s",
  ], [0.5, "cat"]),
  ratio("Exact sizes again, beside sizes that are not exact", [
    "popkeep",
    "exact-large-again",
    "sess_p50",
    "ms",
  ], [0.5, "popkeep", "large-unchanged"]),
  bound("NOOP while 50 fetch, p99", ["popkeep", "noop-fetch", "p99", "ms"], 20),
  bound("NOOP while 20 logins a second are hashed by argon2id, p99", [
    "popkeep",
    "noop-argon2id",
    "p99",
    "ms",
  ], 20),
  bound(
    "NOOP while 100,000 messages are read cold, p99",
    ["popkeep", "noop-cold", "p99", "ms"],
    20,
  ),
  ratio("Two workers: login", ["popkeep-2", "login", "sess_s", "/s"], [1.6, "popkeep"]),
  ratio("Two workers: fetch", ["popkeep-2", "fetch", "mib_s", "MiB/s"], [1.6, "popkeep"]),
  bound("Start until the port answers", ["popkeep", "start", "ms", "ms"], 150),
];

export interface Judgement {
  readonly goal: Goal;
  readonly verdict: "met" | "not met" | "failed" | "not measured";
  readonly value?: number;
  /** Against whom, by name, and their figure. */
  readonly against?: string;
  readonly againstValue?: number;
  readonly ratio?: number;
  /** What went wrong, where it failed. */
  readonly reason?: string;
}

export function judge(goal: Goal, results: Results): Judgement {
  const reason = results.failure(goal.server, goal.work);
  if (reason !== undefined) return { goal, verdict: "failed", reason };
  const value = results.spread(goal.server, goal.work, goal.figure)?.median;
  if (value === undefined) return { goal, verdict: "not measured" };
  if (goal.kind === "bound") {
    return { goal, verdict: value < goal.under ? "met" : "not met", value };
  }
  const other = otherOf(goal, results);
  if (other === undefined) return { goal, verdict: "not measured", value };
  const againstValue = other.spread.median;
  const ours = { server: goal.server, work: goal.work, figure: goal.figure };
  const theirs = { ...ours, server: other.server, work: goal.againstWork ?? goal.work };
  const ratio = goal.better === "more" ? results.ratio(ours, theirs) : results.ratio(theirs, ours);
  if (ratio === undefined) return { goal, verdict: "not measured", value };
  const verdict = ratio >= goal.factor ? "met" : "not met";
  return { goal, verdict, value, against: other.server, againstValue, ratio };
}

function otherOf(
  { against, againstWork, work, figure, better }: RatioGoal,
  results: Results,
): { readonly server: string; readonly spread: Spread } | undefined {
  if (against === PEER || against === TLS_PEER) {
    return results.bestPeer(work, figure, { better, tls: against === TLS_PEER });
  }
  const spread = results.spread(against, againstWork ?? work, figure);
  return spread && { server: against, spread };
}
