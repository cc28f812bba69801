/**
 * Queries of the settings: what is a query has as many parameters as variables, and the text around them is
 * as it was written.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isQueryFault, parseQuery } from "../../../src/auth/sql/query_template.ts";
import type { FuzzTarget } from "../target.ts";

export const sqlQuery: FuzzTarget = {
  name: "sql_query",
  executions: 20_000,
  maxOctets: 512,
  attempt(input) {
    const text = Buffer.from(input).toString("utf8");
    for (const dialect of ["postgresql", "mysql", "sqlite"] as const) {
      const read = parseQuery(text, dialect);
      if (isQueryFault(read)) {
        assert.match(read.fault, /^query .*\.$/s);
        continue;
      }
      const { sql, variables } = read;
      assert.ok(variables.some((variable) => variable !== "domain"));
      let at = 0;
      const put = text.replace(/\{(user|local|domain)\}/g, (_, variable) => {
        assert.equal(variable, variables[at++]);
        return dialect === "postgresql" ? `$${at}` : "?";
      });
      assert.equal(at, variables.length);
      assert.equal(sql, put.replace(/;\s*$/, ""));
    }
  },
};
