/**
 * Bars as SVG, written by hand: no script, no font, no dependency, and a dark dress for dark readers.
 *
 * A plot is panels one below the other; a panel is a bar for each server, on a scale of its own. The bar is
 * the median, the thin line over it reaches from the least to the most of the rounds.
 */

import { readable } from "./numbers.ts";

export interface Bar {
  readonly title: string;
  readonly kind: "popkeep" | "peer" | "limit";
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LEFT = 170;
const RIGHT = 110;
const BAR = 18;
const STEP = 25;
const HEADING = 40;
const MARGIN = 18;

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2933; }
    .heading { font-weight: 600; }
    .unit, .name { fill: #52606d; }
    .ground { fill: #f8f9fb; }
    .peer { fill: #a3b1c2; }
    .popkeep { fill: #12876f; }
    .limit { fill: #dde3ea; stroke: #a3b1c2; stroke-dasharray: 3 2; }
    .range { stroke: #1f2933; stroke-width: 1.5; opacity: .65; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e4e9ee; }
      .unit, .name { fill: #a9b6c3; }
      .ground { fill: #17212b; }
      .peer { fill: #5b6d80; }
      .popkeep { fill: #35b898; }
      .limit { fill: #223140; stroke: #5b6d80; }
      .range { stroke: #e4e9ee; }
    }
  `;

/** The plot, or nothing where no panel has a bar. */
export function plot(title: string, panels: readonly Panel[]): string | undefined {
  const drawn = panels.filter(({ bars }) => bars.length > 0);
  if (drawn.length === 0) return undefined;
  let y = MARGIN;
  const parts = drawn.map((panel) => {
    const part = panelAt(panel, y);
    y += HEADING + panel.bars.length * STEP;
    return part;
  });
  const height = y + MARGIN - 6;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
  <title id="title">${escaped(title)}</title>
  <style>${STYLE}</style>
  <rect class="ground" width="${WIDTH}" height="${height}" rx="9"/>
${parts.join("\n")}
</svg>
`;
}

function panelAt({ title, unit, better, bars }: Panel, top: number): string {
  const most = Math.max(...bars.map((bar) => bar.most));
  const scale = most > 0 ? (WIDTH - LEFT - RIGHT) / most : 0;
  const heading = `  <text class="heading" x="${MARGIN}" y="${top + 14}">${escaped(title)}` +
    `<tspan class="unit" dx="8" font-weight="400">${
      escaped(unit)
    }, ${better} is better</tspan></text>`;
  const lines = bars.map((bar, at) => barAt(bar, top + HEADING - 14 + at * STEP, scale));
  return [heading, ...lines].join("\n");
}

function barAt(bar: Bar, y: number, scale: number): string {
  const x = (value: number) => (LEFT + value * scale).toFixed(1);
  const middle = y + BAR / 2;
  const width = Math.max(1, bar.median * scale).toFixed(1);
  const range = bar.most > bar.least
    ? `\n  <path class="range" d="M${x(bar.least)} ${middle}H${x(bar.most)}"/>`
    : "";
  return `  <text class="name" x="${LEFT - 8}" y="${middle + 4.5}" text-anchor="end">${
    escaped(bar.title)
  }</text>
  <rect class="${bar.kind}" x="${LEFT}" y="${y}" width="${width}" height="${BAR}" rx="2"/>${range}
  <text x="${(LEFT + Math.max(bar.median, bar.most) * scale + 7).toFixed(1)}" y="${middle + 4.5}">${
    readable(bar.median)
  }</text>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(
    /"/g,
    "&quot;",
  );
}
