/**
 * The tables of the settings file that say something else for some users or domains: their keys, their
 * documentation, their place in the file. All of them are read, documented and written alike.
 */

import { z } from "zod";
import { setting } from "./kinds.ts";
import { quotaKeys } from "./quota_section.ts";
import { retentionKeys } from "./retention_section.ts";

const quotas = setting(
  {
    schema: z.array(z.strictObject(quotaKeys)).default([]),
    doc: {
      kind: "tables",
      default: "(none)",
      allowed:
        "tables with users or domains and the keys that differ for them, each under a line " +
        "[[quotas]], below all other keys",
    },
  },
  "Quotas for some users or domains. The first table that names a user decides, else the first that names " +
    "the user's domain; the user's own entry goes before both.",
);

const retentions = setting(
  {
    schema: z.array(z.strictObject(retentionKeys)).default([]),
    doc: {
      kind: "tables",
      default: "(none)",
      allowed:
        "tables with retention_read, retention_unread or both, and users, domains or folders, " +
        "each under a line [[retentions]], below all other keys",
    },
  },
  "Other ages for some users, domains or folders. Of the tables about a folder, the first that names the " +
    "user decides, else the first that names the user's domain, else the first that names neither; for the " +
    "INBOX the user's own entry (retention_read, retention_unread) goes before them.",
);

/** The keys of the file, and of one table of each. */
export const policyTables = { quotas, retentions } as const;

export const policyKeys: Readonly<Record<keyof typeof policyTables, z.ZodRawShape>> = {
  quotas: quotaKeys,
  retentions: retentionKeys,
};

export interface PolicyText {
  /** The heading of the documentation. */
  readonly title: string;
  /** What a fault calls a table. */
  readonly noun: string;
  /** What stands behind the description, as Markdown. */
  readonly example: string;
}

export const policyTexts: Readonly<Record<keyof typeof policyTables, PolicyText>> = {
  quotas: {
    title: "Quotas",
    noun: "quota",
    example: `\
\`\`\`toml
[[quotas]]
domains = ["example.com"]
quota_storage_size = "5GiB"

[[quotas]]
users = ["archive@example.com"]
quota_storage_size = 0
\`\`\`
`,
  },
  retentions: {
    title: "Retentions",
    noun: "retention",
    example: `\
\`\`\`toml
[[retentions]]
folders = ["Trash", "Junk"]
retention_read = "30d"
retention_unread = "30d"

[[retentions]]
domains = ["archive.example.com"]
retention_read = "0"
retention_unread = "0"
\`\`\`
`,
  },
};
