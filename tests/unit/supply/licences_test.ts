/** The licences of packages: which may be used, and that their texts go with the executable. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { licenceFault } from "../../../scripts/supply/licence_rules.ts";
import { licenceText } from "../../../scripts/supply/licence_texts.ts";
import { PROJECT, readLockFile } from "../../../scripts/supply/lock_file.ts";
import { titleOf } from "../../../scripts/supply/write_licences.ts";

const packages = readLockFile();
const file = readFileSync(`${PROJECT}THIRD_PARTY_LICENSES.txt`, "utf8");

test("every package has a licence that is known and allowed", () => {
  const faults = packages.map((found) => {
    const fault = licenceFault(found.license, found);
    return fault === undefined ? [] : [`${found.name} ${found.version}: ${fault}`];
  });
  assert.deepEqual(faults.flat(), []);
});

const LICENCES: readonly [licence: string | undefined, inside: boolean, tool: boolean][] = [
  ["MIT", true, true],
  ["(MIT OR EUPL-1.1+)", true, true],
  ["GPL-3.0-only OR ISC", true, true],
  ["MIT AND BSD-3-Clause", true, true],
  ["MIT AND GPL-2.0-only", false, false],
  ["CC0-1.0", false, true],
  ["AGPL-3.0-or-later", false, false],
  ["LGPL-2.1-only", false, false],
  ["Apache-2.0 WITH LLVM-exception", false, false],
  ["SEE LICENSE IN LICENSE.txt", false, false],
  ["UNLICENSED", false, false],
  ["Nobody-1.0", false, false],
  ["", false, false],
  [undefined, false, false],
];

for (const [licence, inside, tool] of LICENCES) {
  test(`the licence ${licence} is ${inside ? "" : "not "}allowed in the executable`, () => {
    assert.equal(licenceFault(licence, { isTool: false }) === undefined, inside);
    assert.equal(licenceFault(licence, { isTool: true }) === undefined, tool);
  });
}

/** The lines that name packages: those that follow a rule of THIRD_PARTY_LICENSES.txt, until an empty one. */
function namedPackages(): string[] {
  const sections = file.split(/^={80}\n\n/m).slice(2);
  return sections.flatMap((section) => section.slice(0, section.indexOf("\n\n")).split("\n"))
    .filter((line) => /^\S+ \d+\.\d+\.\d+\S* \(.*\)$/.test(line));
}

test("THIRD_PARTY_LICENSES.txt is of the packages in the lock file, with the text of each", () => {
  const named = namedPackages();
  assert.ok(named.length > 70, `${named.length} packages are named`);
  for (const title of named) {
    const found = packages.find((one) => !one.isTool && titleOf(one) === title);
    assert.ok(found !== undefined, `${title} is no package of the executable; "make licences"`);
    assert.ok(file.includes(`\n\n${licenceText(found)}\n`), `the text of ${title} is another one`);
  }
});

test("THIRD_PARTY_LICENSES.txt names every package that popkeep imports", () => {
  const { dependencies } = JSON.parse(readFileSync(`${PROJECT}package.json`, "utf8"));
  const names = new Set(namedPackages().map((title) => title.split(" ")[0]));
  assert.deepEqual(Object.keys(dependencies).filter((name) => !names.has(name)), []);
});

test("THIRD_PARTY_LICENSES.txt has the runtime that packages bring, and the GNU licences of its parts", () => {
  const bun = packages.find(({ name }) => name === "bun");
  assert.ok(file.includes(`\nBun ${bun?.version} (MIT)\n`));
  assert.match(file, /GNU LIBRARY GENERAL PUBLIC LICENSE\s+Version 2, June 1991/);
  assert.match(file, /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1, February 1999/);
});
