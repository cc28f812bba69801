/** The plots of the page: which figures stand in which, for which servers. */

import { SERVERS } from "../servers.ts";
import { type Bar, type Panel, plot } from "./plot.ts";
import type { Results } from "./results.ts";

interface PanelOf {
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly work: string;
  readonly figure: string;
  readonly tls?: boolean;
  /** What the limits did, where they are to be seen beside it. */
  readonly limits?: boolean;
}

interface PlotOf {
  /** Of the file, docs/performance/NAME.svg. */
  readonly name: string;
  readonly title: string;
  readonly panels: readonly PanelOf[];
}

const PER_SECOND = { unit: "sessions a second", better: "more", figure: "sess_s" } as const;
const MIB = { unit: "MiB/s", better: "more", figure: "mib_s" } as const;
const MS = { unit: "ms", better: "less", figure: "sess_p50" } as const;

export const PLOTS: readonly PlotOf[] = [
  {
    name: "sessions",
    title: "Short sessions: login, poll, first poll",
    panels: [
      { title: "Login, STAT, QUIT", work: "login", ...PER_SECOND },
      { title: "The same over TLS", work: "login", tls: true, ...PER_SECOND },
      { title: "Poll: STAT, UIDL, LIST", work: "poll", ...PER_SECOND },
      { title: "First poll of a mailbox", work: "poll-first", ...PER_SECOND },
    ],
  },
  {
    name: "fetch",
    title: "Fetching and removing all messages",
    panels: [
      { title: "Fetch everything", work: "fetch", ...MIB },
      { title: "Fetch everything, pipelined", work: "fetch-pipelined", limits: true, ...MIB },
      { title: "Fetch everything over TLS", work: "fetch", tls: true, ...MIB },
      { title: "RETR and DELE of everything", work: "delete", ...MIB },
    ],
  },
  {
    name: "large",
    title: "A mailbox of 100,000 messages",
    panels: [
      { title: "100,000 messages, cold", work: "large-cold", ...MS },
      { title: "Cold, sizes in the names", work: "hinted-cold", ...MS },
      { title: "Unchanged: STAT, UIDL, LIST", work: "large-unchanged", ...MS },
      { title: "After a delivery", work: "large-delivered", ...MS },
    ],
  },
  {
    name: "memory",
    title: "Memory of an idle logged-in session",
    panels: [
      { title: "Idle session", unit: "KiB", better: "less", work: "idle", figure: "session_kib" },
      {
        title: "Idle session over TLS",
        unit: "KiB",
        better: "less",
        work: "idle",
        figure: "session_kib",
        tls: true,
      },
    ],
  },
];

/** The SVG of each plot that has anything to show, by its name. */
export function plots(results: Results): ReadonlyMap<string, string> {
  const drawn = new Map<string, string>();
  for (const { name, title, panels } of PLOTS) {
    const svg = plot(title, panels.map((panel) => panelOf(results, panel)));
    if (svg !== undefined) drawn.set(name, svg);
  }
  return drawn;
}

function panelOf(results: Results, { work, figure, tls = false, limits, ...rest }: PanelOf): Panel {
  const bars = SERVERS.flatMap(({ name, title, kind, ...server }): Bar[] => {
    if (kind === "limit" ? !limits : server.tls !== tls) return [];
    const measured = kind === "limit" ? "raw" : work;
    if (results.failure(name, measured) !== undefined) return [];
    const spread = results.spread(name, measured, figure);
    return spread === undefined ? [] : [{ title, kind, ...spread }];
  });
  return { ...rest, bars };
}
