/**
 * Which tests cite which statements, read from the tests' names and the dialogues' headers.
 *
 * A test cites by the beginning of its name, `C0007, RFC1939-7-UIDL-1: unique-ids are decimal`; a
 * dialogue by its header `cites:`.
 */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseDialogues } from "../transcripts/dialogue.ts";

export interface Citation {
  readonly id: string;
  /** Relative to tests/. */
  readonly file: string;
  /** The test's name without the ids. */
  readonly name: string;
}

const tests = fileURLToPath(new URL("../", import.meta.url));

const ID = String.raw`(?:[CVE]\d{4}(?:-[A-Z]+)?|2\.1\.\d|RFC\d+-[\w.-]+|TENSION-[A-Z-]+)`;
const CITING = new RegExp(`^(${ID}(?:, ${ID})*): ([^]*)$`);

/** All citations in tests/, in order of files. */
export function readCitations(): Citation[] {
  return readdirSync(tests, { recursive: true, encoding: "utf8" }).sort().flatMap((file) => {
    if (file.endsWith("_test.ts")) return citationsOfTests(file, namesOfTests(file));
    if (/^transcripts\/dialogues\/.*\.txt$/.test(file)) return citationsOfDialogues(file);
    return [];
  });
}

export function citationsOfTests(file: string, names: readonly string[]): Citation[] {
  return names.flatMap((whole) => {
    const [, ids, name] = CITING.exec(whole) ?? [];
    return ids === undefined ? [] : ids.split(", ").map((id) => ({ id, file, name: name! }));
  });
}

/** The names of a file's tests as the source has them. */
export function namesOfTests(file: string): string[] {
  const source = readFileSync(`${tests}${file}`, "utf8");
  return [...source.matchAll(/\btest\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g)]
    .map(([, , name]) => name!.replace(/\\(.)/g, "$1"));
}

function citationsOfDialogues(file: string): Citation[] {
  return parseDialogues(file, readFileSync(`${tests}${file}`, "utf8"))
    .flatMap(({ cites, name }) => cites.map((id) => ({ id, file, name })));
}
