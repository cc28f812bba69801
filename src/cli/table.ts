/**
 * Lays rows out: aligned columns for people at a terminal, tab-separated lines for programs.
 *
 * *Knows*: widths. *Does not know*: what the rows mean. Cells must be printable.
 */

import { displayWidth, fit } from "./display_width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** The fewest columns that it may be cut to when the terminal is narrow; uncut unless given. */
  readonly shrinksTo?: number;
  /** Whether the column is left out where all would not fit, even shrunk. */
  readonly mayGo?: boolean;
  /** Whether its cells are never cut: the line then goes beyond the terminal, which breaks it. */
  readonly whole?: boolean;
}

export interface TableLayout {
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether the titles may be bold. */
  readonly colour: boolean;
}

const GAP = "  ";

/** The rows under their titles, each line at most as wide as the terminal unless a cell stays whole. */
export function alignedTable(
  allColumns: readonly Column[],
  allRows: readonly (readonly string[])[],
  { width, colour }: TableLayout,
): string {
  const { columns, rows } = withoutWhatMayGo(allColumns, allRows, width);
  const widths = columnWidths(columns, rows, width);
  const whole = columns.some((column) => column.whole);
  const line = (cells: readonly string[]) => {
    const text = columns.map(({ align }, index) =>
      fit(cells[index] ?? "", widths[index] ?? 0, align)
    ).join(GAP);
    return (whole ? text : fit(text, width)).trimEnd();
  };
  const titles = line(columns.map(({ title }) => title));
  return [colour ? `\x1b[1m${titles}\x1b[0m` : titles, ...rows.map(line)].join("\n") + "\n";
}

/** Leaves columns out, the first of those that may go first, until the others fit when shrunk. */
function withoutWhatMayGo(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): { columns: readonly Column[]; rows: readonly (readonly string[])[] } {
  const least = columnWidths(columns, rows, 0).reduce(
    (sum, column) => sum + column,
    GAP.length * (columns.length - 1),
  );
  const gone = columns.findIndex(({ mayGo }) => mayGo);
  if (least <= width || gone < 0) return { columns, rows };
  const without = <Item>(items: readonly Item[]) => items.filter((_, index) => index !== gone);
  return withoutWhatMayGo(without(columns), rows.map(without), width);
}

/** The rows with a tab between cells, without titles: easy on cut, awk and while read. */
export function tabSeparated(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `${cells.join("\t")}\n`).join("");
}

/** As wide as the widest cell; then what may shrink does, the widest first, until all fit. */
function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(row[index] ?? "")), title.length)
  );
  const gaps = GAP.length * (columns.length - 1);
  for (;;) {
    const excess = widths.reduce((sum, column) => sum + column, gaps) - width;
    const widest = widestShrinkable(columns, widths);
    if (excess <= 0 || widest === undefined) return widths;
    widths[widest]!--;
  }
}

function widestShrinkable(columns: readonly Column[], widths: readonly number[]) {
  let widest: number | undefined;
  for (const [index, { shrinksTo = Infinity }] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (width > shrinksTo && width > (widest === undefined ? 0 : widths[widest] ?? 0)) {
      widest = index;
    }
  }
  return widest;
}
