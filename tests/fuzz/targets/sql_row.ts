/**
 * Rows as databases' clients make them: an entry of an account directory, or the word that the row says not
 * whose it is. The input is JSON; `{"octets": "..."}` is a binary value, `{"number": "..."}` a bigint.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readRow, type Row, secretKindsOf } from "../../../src/auth/sql/row.ts";
import { checkEntry, parseJson } from "../entries.ts";
import type { FuzzTarget } from "../target.ts";

export const sqlRow: FuzzTarget = {
  name: "sql_row",
  executions: 30_000,
  maxOctets: 1_024,
  attempt(input) {
    const row = rowOf(parseJson(input));
    if (row === undefined) return;
    for (const kind of secretKindsOf(Object.keys(row))) {
      assert.ok(kind === "ntHash" || kind === "scramSha256", "a kind of secret that there is not");
    }
    try {
      checkEntry(readRow(row, "PLAIN"));
    } catch (error) {
      if (!/^The query gives no "user"/.test(String((error as Error).message))) throw error;
    }
  },
};

function rowOf(value: unknown): Row | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, cell]) => [name, cellOf(cell)]));
}

function cellOf(cell: unknown): unknown {
  const { octets, number } = (cell ?? {}) as { octets?: unknown; number?: unknown };
  if (typeof octets === "string") return Buffer.from(octets, "latin1");
  return typeof number === "string" && /^-?[0-9]+$/.test(number) ? BigInt(number) : cell;
}
