/** Writes a settings file that explains itself: each key with its documentation, most commented out. */

import { directoryTables } from "./directory_tables.ts";
import { settingDocs } from "./kinds.ts";
import { type DocumentedKey, documentedKeys } from "./reference.ts";
import { policyTables, policyTexts } from "./policy_tables.ts";
import { sections, settingsFile } from "./schema.ts";
import { tomlLine } from "./effective_toml.ts";

/** Longest comment line, characters. */
const COMMENT_WIDTH = 100;

export interface CommentedFileOptions {
  /** Keys to set, by name; the others stand commented out with their default. */
  readonly values: Readonly<Record<string, string>>;
  readonly certificate: { readonly certificate_file: string; readonly key_file: string };
}

/** The text of a settings file with every key. */
export function commentedSettings({ values, certificate }: CommentedFileOptions): string {
  const parts = [
    comment(
      "The settings of popkeep. Keys that begin with # have their default. " +
        "`popkeep config check` tests this file, `popkeep config reference` says more.",
    ),
  ];
  for (const [title, shape] of Object.entries(sections)) {
    parts.push(`\n# --- ${title} ---`);
    for (const documented of documentedKeys(shape)) {
      parts.push("", keyText(documented, values[documented.key]));
    }
  }
  for (const [name, { title, example }] of Object.entries(policyTexts)) {
    const about = settingDocs.get(policyTables[name as keyof typeof policyTables])?.about ?? "";
    parts.push(`\n# --- ${title} ---`, "", comment(about), ...commentedOut(example));
  }
  parts.push("\n# --- Directories ---", "", ...directories());
  parts.push("\n# --- Certificates ---", "");
  parts.push(comment("Tables come last: what stands below [[certificates]] belongs to it."));
  parts.push("[[certificates]]");
  for (const [key, value] of Object.entries(certificate)) parts.push(tomlLine(key, value));
  return parts.join("\n") + "\n";
}

/** The TOML of an example in Markdown, each line a comment. */
function commentedOut(example: string): string[] {
  return example.split("\n").filter((line) => line !== "" && !line.startsWith("```"))
    .map((line) => `# ${line}`);
}

/** Directories in comments, a line for each kind; their keys would be a file of their own. */
function directories(): string[] {
  const kinds = Object.entries(directoryTables).map(([kind, { shape }]) =>
    `# kind = ${`"${kind}"`.padEnd(16)} # ${settingDocs.get(shape.kind)?.about}`
  );
  return [
    comment(
      `${settingDocs.get(settingsFile.shape.directories)?.about} Without any, they come from ` +
        "user_file. Each is a table with one of these kinds and the keys of that kind, which " +
        "`popkeep config reference` explains.",
    ),
    "# [[directories]]",
    ...kinds,
  ];
}

function keyText({ key, doc }: DocumentedKey, value: string | undefined): string {
  const lines = [comment(doc.about), comment(`Allowed: ${doc.allowed}.`)];
  if (value !== undefined) lines.push(tomlLine(key, value));
  else if (doc.default?.startsWith("(")) lines.push(`#${key} = "..."  ${doc.default}`);
  else lines.push(`#${key} = ${doc.default}`);
  return lines.join("\n");
}

function comment(text: string): string {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > COMMENT_WIDTH) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}
