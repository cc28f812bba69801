/** The page of the comparison: computed parts are put in, what people wrote stays. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readable } from "../../../bench/page/numbers.ts";
import { plot } from "../../../bench/page/plot.ts";
import { failuresList, figuresTable, goalsTable } from "../../../bench/page/tables.ts";
import { computedParts, withComputed } from "../../../bench/page/write_page.ts";
import { measured, resultsOf } from "./results_of.ts";

const PAGE = "# Title\n\n<!-- computed: goals -->\nold\n<!-- end -->\n\n## Tried\n\nby hand\n";

test("a computed part is replaced, and what is written by hand stays", () => {
  const written = withComputed(PAGE, { goals: "| $& | $1 |" });
  assert.equal(
    written,
    "# Title\n\n<!-- computed: goals -->\n\n| $& | $1 |\n\n<!-- end -->\n\n## Tried\n\nby hand\n",
  );
  assert.equal(withComputed(written, { goals: "| $& | $1 |" }), written, "again changes nothing");
});

test("a mark that nothing belongs to, that is missing or that has no end is a fault", () => {
  assert.throws(() => withComputed(PAGE, {}), /Nothing called "goals"/);
  assert.throws(() => withComputed(PAGE, { goals: "", run: "" }), /no mark for "run"/);
  const open = "<!-- computed: goals -->\n<!-- computed: run -->\n<!-- end -->\n";
  assert.throws(() => withComputed(open, { goals: "", run: "" }), /"goals" has no end/);
});

test("docs/performance.md has a mark for everything that is computed", () => {
  const page = fileURLToPath(new URL("../../../docs/performance.md", import.meta.url));
  const { computed } = computedParts(resultsOf(), "performance");
  withComputed(readFileSync(page, "utf8"), computed);
});

test("a table shows what failed as failed, and leaves out who did not take part", () => {
  const results = resultsOf(
    measured("courier", "login", { errors: 1, first_error: "a | <b>" }),
    measured("popkeep", "login", { sess_s: 3210.4 }),
  );
  const rows = [{ title: "login", work: "login", figure: "sess_s" }];
  assert.equal(
    figuresTable(results, rows, false),
    "|  | Courier | popkeep |\n| --- | ---: | ---: |\n| login | failed | 3,210 |",
  );
  assert.equal(failuresList(results), "- Courier, login, once: a \\| \\<b\\>");
});

test("a goal's row says the figures, the ratio and the verdict", () => {
  const results = resultsOf(
    measured("dovecot-fast", "login", { sess_s: 1000 }),
    measured("popkeep", "login", { sess_s: 3000 }),
  );
  assert.match(
    goalsTable(results),
    /\| Login, STAT, QUIT \| 3,000\/s \| Dovecot, tuned: 1,000\/s \| 3 times \| 5 times \| \*\*not met\*\* \|/,
  );
});

test("numbers have three digits that count", () => {
  assert.deepEqual(
    [0, 0.957, 9.994, 9.996, 18.74, 99.96, 1320.4].map(readable),
    ["0", "0.96", "9.99", "10", "18.7", "100", "1,320"],
  );
});

test("bars are as long as their figures, and a title cannot end the drawing", () => {
  const bar = (title: string, median: number) =>
    ({ title, kind: "peer", median, least: median, most: median }) as const;
  const svg = plot("</svg>", [
    { title: "t", unit: "ms", better: "less", bars: [bar("a", 100), bar("b", 25)] },
    { title: "without bars", unit: "ms", better: "less", bars: [] },
  ]);
  assert.ok(svg);
  const widths = [...svg.matchAll(/class="peer" .* width="([0-9.]+)"/g)].map(([, width]) =>
    Number(width)
  );
  assert.equal(widths.length, 2);
  assert.equal(widths[0]! / widths[1]!, 4);
  assert.equal(svg.match(/<\/svg>/g)?.length, 1);
  assert.ok(!svg.includes("without bars"));
  assert.equal(plot("nothing", []), undefined);
});
