/** The list of statements, the tests that cite them, and docs/conformance.md hold together. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { citationsOfTests, namesOfTests, readCitations } from "./citations.ts";
import { DOCUMENTS, STATEMENTS } from "./statements.ts";
import { conformancePage, standingOf } from "./table.ts";

const citations = readCitations();
const cited = new Set(citations.map(({ id }) => id));

test("every statement of [MS-STANXPOP3] is in the list", () => {
  const numbered = (letter: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${letter}${String(i + 1).padStart(4, "0")}`);
  const ids = [
    ...["2.1.1", "2.1.2", "2.1.3", "2.1.4", "2.1.5"],
    ...numbered("C", 11),
    ...numbered("V", 12),
    ...numbered("E", 7),
  ];
  const listed = new Set(STATEMENTS.map(({ id }) => id));
  assert.deepEqual(ids.filter((id) => !listed.has(id)), []);
});

test("no statement is in the list twice", () => {
  const ids = STATEMENTS.map(({ id }) => id);
  assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
});

test("every statement has a test, unless nothing of it is there yet", () => {
  const without = STATEMENTS.filter((statement) =>
    standingOf(statement) !== "not yet" && !cited.has(statement.id) &&
    (statement.also ?? []).length === 0
  );
  assert.deepEqual(without.map(({ id }) => id), []);
});

test("no test cites a statement of which nothing is there yet", () => {
  const claimed = STATEMENTS.filter((statement) =>
    standingOf(statement) === "not yet" && (cited.has(statement.id) || statement.also !== undefined)
  );
  assert.deepEqual(claimed.map(({ id }) => id), []);
});

test("no test cites a statement that is not in the list", () => {
  const known = new Set(STATEMENTS.map(({ id }) => id));
  const unknown = citations.filter(({ id }) => !known.has(id));
  assert.deepEqual(unknown.map(({ id, file }) => `${id} in ${file}`), []);
});

test("tests that a statement names beside those that cite it exist", () => {
  const missing = STATEMENTS.flatMap(({ id, also }) =>
    (also ?? []).filter((text) => {
      const [file, name] = text.split(/: ([^]*)/) as [string, string];
      return !namesOfTests(file).includes(name);
    }).map((text) => `${id}: ${text}`)
  );
  assert.deepEqual(missing, []);
});

test("citations are read from the beginning of a test's name only", () => {
  const names = [
    "C0007, RFC1939-7-UIDL-1: ids rise",
    "STAT: V0004",
    "2.1.1: blanks",
    "E0002-NTLM: x",
  ];
  assert.deepEqual(citationsOfTests("a_test.ts", names), [
    { id: "C0007", file: "a_test.ts", name: "ids rise" },
    { id: "RFC1939-7-UIDL-1", file: "a_test.ts", name: "ids rise" },
    { id: "2.1.1", file: "a_test.ts", name: "blanks" },
    { id: "E0002-NTLM", file: "a_test.ts", name: "x" },
  ]);
});

test("docs/conformance.md is what `make docs` writes", () => {
  const page = readFileSync(new URL("../../docs/conformance.md", import.meta.url), "utf8");
  assert.ok(
    page === conformancePage(DOCUMENTS, citations),
    "docs/conformance.md is out of date: run `make docs`",
  );
});
