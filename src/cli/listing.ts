/**
 * Prints a list the way its reader wants it: a table at a terminal, tab-separated lines in a pipe, JSON
 * when asked.
 */

import { mayColour, terminalColumns } from "./output.ts";
import { printableJson } from "./printable.ts";
import { alignedTable, type Column, tabSeparated } from "./table.ts";

/** What commander hands over for commands with `--json`. */
export interface ListOptions {
  readonly json?: boolean;
}

export interface List {
  readonly columns: readonly Column[];
  /** Printable cells. */
  readonly rows: readonly (readonly string[])[];
  /** The same for JSON. */
  readonly values: unknown;
}

/** The list as text for standard output. */
export function listing({ json }: ListOptions, { columns, rows, values }: List): string {
  if (json) return printableJson(values);
  const width = terminalColumns();
  return width === undefined
    ? tabSeparated(rows)
    : alignedTable(columns, rows, { width, colour: mayColour() });
}
