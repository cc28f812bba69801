/** Makes docs/conformance.md of the statements and of the tests that cite them. */

import type { Citation } from "./citations.ts";
import type { Document, Standing, Statement } from "./statement.ts";

const SHOWN: Readonly<Record<Standing, string>> = {
  does: "yes",
  deviates: "**deviates**",
  "in part": "**in part**",
  "not yet": "**not yet**",
  "does not apply": "does not apply",
};

/** The whole page. */
export function conformancePage(
  documents: readonly Document[],
  citations: readonly Citation[],
): string {
  return [
    "# Conformance",
    "",
    "Every statement that popkeep is built to: what it asks for, in our words, how popkeep stands to it,",
    "and the tests that prove it. Tests are named by their file in `tests/`; a file of",
    "`transcripts/dialogues/` is a page of dialogue, each of which runs in memory, over TCP, under TLS and",
    "after STLS, sent line by line, at once and octet by octet. This page is made by `make docs` from",
    "`tests/conformance/`; a test fails when a statement has no test, and when this page is out of date.",
    "",
    summary(documents),
    ...documents.flatMap((document) => ["", ...section(document, citations)]),
    "",
  ].join("\n");
}

function summary(documents: readonly Document[]): string {
  const statements = documents.flatMap(({ statements }) => statements);
  const counts = (Object.keys(SHOWN) as Standing[]).map((standing) => {
    const count = statements.filter((statement) => standingOf(statement) === standing).length;
    return `${SHOWN[standing]}: ${count}`;
  });
  return `${statements.length} statements. ${counts.join(" · ")}`;
}

function section(document: Document, citations: readonly Citation[]): string[] {
  return [
    `## ${document.title}`,
    "",
    document.note,
    "",
    "| id | asks | | popkeep | tests |",
    "| --- | --- | --- | --- | --- |",
    ...document.statements.map((statement) => row(statement, citations)),
  ];
}

function row(statement: Statement, citations: readonly Citation[]): string {
  const tests = [
    ...citations.filter(({ id }) => id === statement.id).map(({ file, name }) => [file, name]),
    ...(statement.also ?? []).map((text) => text.split(/: ([^]*)/)),
  ].map(([file, name]) => `\`${file}\`: ${name!.replace(/\$\{[^}]*\}/g, "…")}`);
  const cells = [
    statement.id,
    statement.asks,
    SHOWN[standingOf(statement)],
    statement.does,
    tests.join("<br>"),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

export function standingOf(statement: Statement): Standing {
  return statement.standing ?? "does";
}
