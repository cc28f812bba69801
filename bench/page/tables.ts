/** The tables of the page, as Markdown. What is not measured is an empty cell, what failed says so. */

import { BROKE_OFF } from "../runner/recorder.ts";
import { JUST_STARTED } from "../runner/work.ts";
import { SERVERS, titleOf } from "../servers.ts";
import { GOALS, judge, type Judgement } from "./goals.ts";
import { readable } from "./numbers.ts";
import type { Results } from "./results.ts";

interface Row {
  readonly title: string;
  readonly work: string;
  readonly figure: string;
}

export const FIGURES: readonly Row[] = [
  { title: "login, sessions/s", work: "login", figure: "sess_s" },
  { title: "login, 95th percentile, ms", work: "login", figure: "sess_p95" },
  { title: "login, one client alone, ms", work: "login-alone", figure: "sess_p50" },
  { title: "poll, sessions/s", work: "poll", figure: "sess_s" },
  { title: "first poll, sessions/s", work: "poll-first", figure: "sess_s" },
  { title: "fetch, MiB/s", work: "fetch", figure: "mib_s" },
  { title: "fetch, messages/s", work: "fetch", figure: "msg_s" },
  { title: "fetch pipelined, MiB/s", work: "fetch-pipelined", figure: "mib_s" },
  { title: "RETR and DELE, messages/s", work: "delete", figure: "msg_s" },
  { title: "RETR and DELE pipelined, messages/s", work: "delete-pipelined", figure: "msg_s" },
  { title: "100,000 messages: cold, ms", work: "large-cold", figure: "sess_p50" },
  { title: "100,000: second poll, ms", work: "large-second", figure: "sess_p50" },
  { title: "100,000: unchanged, ms", work: "large-unchanged", figure: "sess_p50" },
  { title: "100,000: unchanged, STAT alone, ms", work: "large-stat", figure: "sess_p50" },
  { title: "100,000: after a delivery, ms", work: "large-delivered", figure: "sess_p50" },
  { title: "100,000: memory while open, KiB", work: "large-memory", figure: "session_kib" },
  { title: "100,000, sizes in the names: cold, ms", work: "hinted-cold", figure: "sess_p50" },
  {
    title: "100,000, sizes in the names: unchanged, ms",
    work: "hinted-unchanged",
    figure: "sess_p50",
  },
  { title: "idle session, KiB", work: "idle", figure: "session_kib" },
  {
    title: "idle session, with pages of executables, KiB",
    work: "idle",
    figure: "session_pss_kib",
  },
  {
    title: "idle session, with the kernel's share, KiB",
    work: "idle",
    figure: "machine_session_kib",
  },
  { title: "server with 1,000 idle sessions, MiB", work: "idle", figure: "held_mib" },
  { title: "processes with 1,000 idle sessions", work: "idle", figure: "processes" },
];

/** The first pass of each server over its works: what its first seconds are like. */
export const JUST_STARTED_FIGURES: readonly Row[] = [
  { title: "first poll, sessions/s", work: "poll-first", figure: "sess_s" },
  { title: "login, one client alone, ms", work: "login-alone", figure: "sess_p50" },
  { title: "login, sessions/s", work: "login", figure: "sess_s" },
  { title: "poll, sessions/s", work: "poll", figure: "sess_s" },
  { title: "fetch, MiB/s", work: "fetch", figure: "mib_s" },
  { title: "fetch pipelined, MiB/s", work: "fetch-pipelined", figure: "mib_s" },
  { title: "RETR and DELE, messages/s", work: "delete", figure: "msg_s" },
  { title: "100,000 messages: cold, ms", work: "large-cold", figure: "sess_p50" },
  { title: "100,000, sizes in the names: cold, ms", work: "hinted-cold", figure: "sess_p50" },
].map((row) => ({ ...row, work: `${row.work}${JUST_STARTED}` }));

export const COSTS: readonly Row[] = [
  { title: "login, µs a session", work: "login", figure: "server_us_session" },
  { title: "poll, µs a session", work: "poll", figure: "server_us_session" },
  { title: "fetch, µs a message", work: "fetch", figure: "server_us_message" },
  { title: "fetch pipelined, µs a message", work: "fetch-pipelined", figure: "server_us_message" },
  { title: "RETR and DELE, µs a message", work: "delete", figure: "server_us_message" },
];

/** The last two: what the others got done meanwhile, so that it is seen whether they kept it busy. */
const WAITS: readonly (readonly [title: string, work: string, figure: string, unit: string])[] = [
  ["nothing else to do", "noop-idle", "", ""],
  ["50 clients fetch", "noop-fetch", "mib_s", "MiB/s"],
  ["20 logins a second, argon2id", "noop-argon2id", "sess_s", "logins/s"],
  ["100,000 messages read cold", "noop-cold", "sess_p50", "ms in all"],
];

export function goalsTable(results: Results): string {
  const rows = GOALS.map((goal) => judge(goal, results)).map((judged) => [
    judged.goal.title,
    withUnit(judged.value, judged.goal.unit),
    judged.against === undefined
      ? ""
      : `${titleOf(judged.against)}: ${withUnit(judged.againstValue, judged.goal.unit)}`,
    judged.ratio === undefined ? "" : `${readable(judged.ratio)} times`,
    goalText(judged),
    verdictText(judged),
  ]);
  return table(["work", "popkeep", "beside", "ratio", "goal", ""], rows);
}

/** How many goals are met, in a sentence. */
export function goalsSummary(results: Results): string {
  const judged = GOALS.map((goal) => judge(goal, results));
  const met = judged.filter(({ verdict }) => verdict === "met").length;
  return `${met} of ${judged.length} goals are met.`;
}

/** Rows by servers; servers without any figure have no column. */
export function figuresTable(results: Results, rows: readonly Row[], tls: boolean): string {
  const servers = SERVERS.filter((server) =>
    server.kind !== "limit" && server.tls === tls &&
    rows.some(({ work }) => results.of(server.name, work).length > 0)
  );
  const cells = rows.map(({ title, work, figure }) => [
    title,
    ...servers.map(({ name }) => cell(results, name, work, figure)),
  ]).filter(([, ...figures]) => figures.some((text) => text !== ""));
  return table(["", ...servers.map(({ title }) => title)], cells);
}

export function waitsTable(results: Results): string {
  const servers = SERVERS.filter(({ name }) =>
    WAITS.some(([, work]) => results.of(name, work).length > 0)
  );
  const rows = WAITS.flatMap(([title, work, figure, unit]) =>
    servers.map((server) => [
      title,
      server.title,
      withUnit(results.spread(server.name, `${work}-load`, figure)?.median, unit),
      ...["samples", "p50", "p95", "p99", "max"].map((figure) =>
        cell(results, server.name, work, figure)
      ),
    ])
  );
  return table([
    "while",
    "server",
    "meanwhile",
    "NOOPs",
    "median ms",
    "p95 ms",
    "p99 ms",
    "longest ms",
  ], rows);
}

export function memoryTable(results: Results): string {
  const columns = [
    ["at rest", "rest_mib"],
    ["of it no file's pages", "rest_own_mib"],
    ["right after the load", "loaded_mib"],
    ["2 s after the abuse", "after_2s_mib"],
    ["10 s", "after_10s_mib"],
    ["30 s", "after_30s_mib"],
    ["of it no file's pages", "after_30s_own_mib"],
  ] as const;
  const servers = SERVERS.filter(({ name }) => results.of(name, "memory").length > 0);
  const rows = servers.map(({ name, title }) => [
    title,
    ...columns.map(([, figure]) => cell(results, name, "memory", figure)),
  ]);
  return table(["MiB", ...columns.map(([title]) => title)], rows);
}

export function factsTable(facts: Readonly<Record<string, string>>): string {
  return table(["", ""], Object.entries(facts).map(([title, value]) => [title, value]));
}

/** What went wrong, one line each; empty when nothing did. */
export function failuresList(results: Results): string {
  const seen = new Map<string, string[]>();
  for (const { server, test, work, errors, first_error: reason } of results.measurements) {
    if (errors === 0) continue;
    const what = `${titleOf(server)}, ${work === BROKE_OFF ? test : work}`;
    seen.set(what, [...seen.get(what) ?? [], reason || `${errors} errors`]);
  }
  return [...seen].map(([what, reasons]) => {
    const times = reasons.length === 1 ? "once" : `${reasons.length} times`;
    return `- ${what}, ${times}: ${escaped(reasons[0]!)}`;
  }).join("\n");
}

function cell(results: Results, server: string, work: string, figure: string): string {
  if (results.failure(server, work) !== undefined) return "failed";
  const spread = results.spread(server, work, figure);
  return spread === undefined ? "" : readable(spread.median);
}

function withUnit(value: number | undefined, unit: string): string {
  return value === undefined ? "" : `${readable(value)} ${unit}`.replace(" /s", "/s");
}

function goalText({ goal }: Judgement): string {
  return goal.kind === "bound"
    ? `under ${withUnit(goal.under, goal.unit)}`
    : `${readable(goal.factor)} times`;
}

function verdictText({ verdict, reason }: Judgement): string {
  if (verdict === "not met") return "**not met**";
  return reason === undefined ? verdict : `**failed**: ${escaped(reason)}`;
}

/** Text from a server may hold anything. */
function escaped(text: string): string {
  return text.replace(/[|<>&\\`*_[\]]/g, "\\$&").replace(/[\r\n]+/g, " ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const isNumber = (text: string) => /^[0-9.,-]+$/.test(text) || text === "" || text === "failed";
  const numeric = head.map((_, at) =>
    at > 0 && rows.every((row) => isNumber(row[at]!)) && rows.some((row) => row[at] !== "")
  );
  const rule = numeric.map((right) => right ? "---:" : "---");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
