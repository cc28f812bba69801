/**
 * Writes docs/performance.md from the results of a run; `make bench-page` does it without one.
 *
 *   bun bench/page/write_page.ts RESULTS PAGE
 *
 * What is computed stands between `<!-- computed: NAME -->` and `<!-- end -->`; everything else on the page
 * is written by hand and stays as it is. The plots go into a folder named like the page.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import process from "node:process";
import { PLOTS, plots } from "./plots.ts";
import { parseResults, type Results } from "./results.ts";
import {
  COSTS,
  factsTable,
  failuresList,
  FIGURES,
  figuresTable,
  goalsSummary,
  goalsTable,
  JUST_STARTED_FIGURES,
  memoryTable,
  waitsTable,
} from "./tables.ts";

export interface Paths {
  readonly results: string;
  readonly page: string;
  /** The page whose hand-written text is taken; usually the page itself. */
  readonly template: string;
}

export function writePage({ results: path, page, template }: Paths): void {
  const results = parseResults(readFileSync(path, "utf8"));
  const folder = basename(page, ".md");
  mkdirSync(`${dirname(page)}/${folder}`, { recursive: true });
  const { drawn, computed } = computedParts(results, folder);
  for (const [name, svg] of drawn) writeFileSync(`${dirname(page)}/${folder}/${name}.svg`, svg);
  writeFileSync(page, withComputed(readFileSync(template, "utf8"), computed));
}

/**
 * The page with the computed parts put in.
 *
 * @throws {Error} If the page has a mark for something that is not computed, or lacks one, or one has no end.
 */
export function withComputed(page: string, computed: Readonly<Record<string, string>>): string {
  const missing = new Set(Object.keys(computed));
  const written = page.replace(
    /(<!-- computed: ([a-z ]+) -->\n)(.*?)(?=<!-- (end|computed: [a-z ]+) -->)/gs,
    (_, mark: string, name: string, _old: string, next: string) => {
      const text = computed[name];
      if (text === undefined) throw new Error(`Nothing called "${name}" is computed`);
      if (next !== "end") throw new Error(`The mark of "${name}" has no end`);
      missing.delete(name);
      return `${mark}\n${text}${text === "" ? "" : "\n\n"}`;
    },
  );
  if (missing.size > 0) throw new Error(`The page has no mark for "${[...missing].join('", "')}"`);
  return written;
}

export interface ComputedParts {
  /** SVG by the name of the plot. */
  readonly drawn: ReadonlyMap<string, string>;
  /** Markdown by the name in the mark. */
  readonly computed: Readonly<Record<string, string>>;
}

/** All that is computed; `folder` is that of the plots, seen from the page. */
export function computedParts(results: Results, folder: string): ComputedParts {
  const { head } = results;
  const drawn = plots(results);
  const images = Object.fromEntries(PLOTS.map(({ name, title }) => [
    `plot of ${name}`,
    drawn.has(name) ? `<img src="${folder}/${name}.svg" width="760" alt="${title}">` : "",
  ]));
  const failures = failuresList(results);
  const computed = {
    ...images,
    "goals": `${goalsSummary(results)}\n\n${goalsTable(results)}`,
    "figures": figuresTable(results, FIGURES, false),
    "figures over tls": figuresTable(results, FIGURES, true),
    "just started": figuresTable(results, JUST_STARTED_FIGURES, false),
    "costs": figuresTable(results, COSTS, false),
    "waits": waitsTable(results),
    "memory": memoryTable(results),
    "machine": factsTable(head.machine),
    "versions": factsTable(head.versions),
    "run":
      `${
        head.at.slice(0, 10)
      }, ${head.rounds} rounds, ${head.seconds} s for each load that could ` +
      `run for ever. Other programs, or other machines of the ` +
      `same host, disturbed ${results.disturbed} of ${results.watched} measurements (0.3 cores or more); those count only where a work has no other.`,
    "failures": failures === "" ? "Nothing failed." : `These failed:\n\n${failures}`,
  };
  return { drawn, computed };
}

if (import.meta.main) {
  const [results, page] = process.argv.slice(2);
  if (results === undefined || page === undefined) {
    console.error("usage: write_page.ts RESULTS PAGE");
    process.exitCode = 64;
  } else if (!existsSync(results)) {
    console.error(`There are no results at ${results}; "make bench" makes them.`);
    process.exitCode = 66;
  } else {
    writePage({ results, page, template: page });
  }
}
