/**
 * What tables that say something else for some users have in common (`[[quotas]]`): whom they are about, and keys
 * that hold as they stand outside unless the table has them.
 */

import { z } from "zod";
import type { ItemKind } from "./list_kinds.ts";
import type { Kind } from "./kinds.ts";

export const USERS: ItemKind = {
  kind: "list of user names",
  holds: /^[^\s:/]{1,320}$/,
  items: "user names",
  example: '"alice@example.com"',
};

export const DOMAINS: ItemKind = {
  kind: "list of domains",
  holds: /^[^\s:/@]{1,253}$/,
  items: "domains",
  example: '"example.com"',
};

/** A key of such a table: without it, what stands outside of the table holds. */
export function inherited<Inner extends z.ZodType>(
  { schema, doc }: Kind<z.ZodPrefault<Inner>>,
): Kind<z.ZodOptional<Inner>> {
  return {
    schema: schema.unwrap().optional(),
    doc: { ...doc, default: "(what stands outside of the table)" },
  };
}

/** Whom a table is about. */
export interface PolicyTable {
  readonly users: readonly string[];
  readonly domains: readonly string[];
}

/** Whether nobody can be meant. */
export function isAboutNobody({ users, domains }: PolicyTable): boolean {
  return users.length === 0 && domains.length === 0;
}
