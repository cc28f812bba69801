/** What the documents link to is there: files, and headings in them. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../../", import.meta.url));

/** Every page for people: those beside README.md, and all below docs/. */
function pages(): string[] {
  const isPage = (name: string) => name.endsWith(".md");
  const below = readdirSync(`${project}docs`, { recursive: true, encoding: "utf8" });
  return [
    ...readdirSync(project).filter(isPage),
    ...below.filter(isPage).map((name) => `docs/${name}`),
  ].sort();
}

/** As sites that show Markdown make it: lower case, blanks to dashes, other signs away. */
function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

function anchorsIn(path: string): Set<string> {
  const text = readFileSync(path, "utf8").replace(/^```[^]*?^```/gm, "");
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!)));
}

/** Links of a page that lead nowhere, as they stand there. */
function deadLinks(page: string): string[] {
  const text = readFileSync(project + page, "utf8").replace(/^```[^]*?^```/gm, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => !/^[a-z]+:/.test(link)).filter((link) => {
    const [file = "", anchor] = link.split("#");
    const path = file === "" ? project + page : join(project, dirname(page), file);
    if (!existsSync(path)) return true;
    return anchor !== undefined && (statSync(path).isDirectory() || !anchorsIn(path).has(anchor));
  });
}

test("every file and heading that a document links to is there", () => {
  assert.ok(pages().includes("docs/security.md"));
  assert.deepEqual(
    pages().flatMap((page) => deadLinks(page).map((link) => `${page}: ${link}`)),
    [],
  );
});

test("docs/security.md says of each attacker which test stops him, and what is not stopped", () => {
  const text = readFileSync(`${project}docs/security.md`, "utf8");
  const [, , ...attackers] = text.split(/^## /m);
  assert.ok(attackers.length >= 9, `${attackers.length} attackers`);
  for (const attacker of attackers) {
    const [name = ""] = attacker.split("\n");
    const [stopped = "", left = ""] = attacker.split("**Not stopped.**");
    assert.match(stopped, /\]\(\.\.\/tests\/\S+_test\.ts\)/, name);
    assert.ok(left.trim() !== "", `${name}: nothing is said not to be stopped`);
  }
});
