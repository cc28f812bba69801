/**
 * The documentation of every key as Markdown: what `popkeep config reference` prints and
 * docs/settings.md holds. All of it comes from the schema.
 */

import type { z } from "zod";
import { type SettingDoc, settingDocs } from "./kinds.ts";
import { directoryTables } from "./directory_tables.ts";
import { policyKeys, policyTables, policyTexts } from "./policy_tables.ts";
import { certificateKeys, sections, settingsFile } from "./schema.ts";

/** A key and its documentation. */
export interface DocumentedKey {
  readonly key: string;
  readonly doc: SettingDoc;
}

/** The keys of a part of the schema, in its order. */
export function documentedKeys(shape: Readonly<Record<string, z.ZodType>>): DocumentedKey[] {
  return Object.entries(shape).flatMap(([key, schema]) => {
    const doc = settingDocs.get(schema);
    return doc === undefined ? [] : [{ key, doc }];
  });
}

const INTRODUCTION = `\
# Settings

popkeep reads one settings file in TOML. \`popkeep serve --config FILE\` names it; without \`--config\`
it is \`popkeep.toml\` in the current folder, or else \`/etc/popkeep/popkeep.toml\`. Every key may be left
out. Relative paths count from the folder of the settings file. \`popkeep init\` writes a settings file,
\`popkeep config check\` tests one, \`popkeep config show\` prints what is in force. A file with a fault
is refused, with the line of every fault.

Names are those of Exchange's \`Set-PopSettings\` in snake_case where it has the setting.

This page is made by \`popkeep config reference\`.
`;

const CERTIFICATES = `\
Each certificate is a table of its own, at the end of the file:

\`\`\`toml
[[certificates]]
certificate_file = "certificate.pem"
key_file = "key.pem"
\`\`\`
`;

const DIRECTORIES = `\
Each directory is a table of its own, below all other keys. Without any, users come from \`user_file\`.

\`\`\`toml
[[directories]]
kind = "user_file"

[[directories]]
kind = "pam"
service = "popkeep"
\`\`\`

Put those first that answer from this machine: one that cannot be reached ends the login of whom the
ones before it do not know with \`-ERR [SYS/TEMP]\`, and the ones behind it are not asked, since a user
whom it keeps out must not get in by the next.
`;

/** The whole page. */
export function settingsReference(): string {
  const parts = [INTRODUCTION];
  for (const [title, shape] of Object.entries(sections)) {
    parts.push(`## ${title}\n`, ...documentedKeys(shape).map(keyText));
  }
  for (const [name, { title, example }] of Object.entries(policyTexts)) {
    const key = name as keyof typeof policyTables;
    parts.push(`## ${title}\n`);
    parts.push(...documentedKeys({ [key]: policyTables[key] }).map(keyText), example);
    const keys = documentedKeys(policyKeys[key] as Readonly<Record<string, z.ZodType>>);
    // Their names stand above already, for all users, and a heading can be linked to but once.
    parts.push(
      ...keys.map(({ key, doc }) => keyText({ key: `${key} (${title.toLowerCase()})`, doc })),
    );
  }
  parts.push("## Certificates\n");
  parts.push(...documentedKeys({ certificates: settingsFile.shape.certificates }).map(keyText));
  parts.push(CERTIFICATES, ...documentedKeys(certificateKeys).map(keyText));
  parts.push("## Directories\n");
  parts.push(...documentedKeys({ directories: settingsFile.shape.directories }).map(keyText));
  parts.push(DIRECTORIES);
  for (const [kind, { shape }] of Object.entries(directoryTables)) {
    parts.push(`## Directories of kind "${kind}"\n`, ...documentedKeys(shape).map(keyText));
  }
  return parts.join("\n");
}

function keyText({ key, doc }: DocumentedKey): string {
  const fallback = doc.default === undefined
    ? "none, it must be given"
    : doc.default.startsWith("(")
    ? doc.default.slice(1, -1)
    : `\`${doc.default}\``;
  const lines = [
    `### ${key}`,
    "",
    doc.about,
    "",
    `- Value: ${doc.kind}`,
    `- Default: ${fallback}`,
    `- Allowed: ${doc.allowed}`,
  ];
  if (doc.exchange !== undefined) lines.push(`- In Exchange: \`${doc.exchange}\``);
  return lines.join("\n") + "\n";
}
