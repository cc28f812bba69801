/**
 * Writes THIRD_PARTY_LICENSES.txt from a build's list of inputs: `bun write_licences.ts METAFILE OUTPUT`
 *
 * The file goes into the executable, which prints it: `popkeep version --licenses`.
 * *Knows* how the file is laid out. *Does not know* where the texts come from.
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { bundledPackages } from "./bundled_packages.ts";
import { licenceText } from "./licence_texts.ts";
import { type LockedPackage, PROJECT } from "./lock_file.ts";
import { runtimeParts } from "./runtime_parts.ts";

const RULE = "=".repeat(80);

/** The whole file. */
export function licencesFile(packages: readonly LockedPackage[]): string {
  const sections = [heading(), runtimeSection(), ...packageSections(packages), ...lgplSections()];
  return sections.join(`\n${RULE}\n`);
}

function heading(): string {
  return `What is in popkeep's executable beside popkeep itself, and its licences.
popkeep's own licence is the MIT licence, in LICENSE. "make licences" writes this file.
`;
}

function runtimeSection(): string {
  const bun = process.versions["bun"]!;
  const parts = runtimeParts().map(({ name, version, licence, repository }) =>
    `  ${name}${version === undefined ? "" : ` ${version}`}\n` +
    `      ${licence}; https://github.com/${repository}\n`
  );
  return `
Bun ${bun} (MIT)
https://github.com/oven-sh/bun/blob/bun-v${bun}/LICENSE.md

The runtime. These libraries are linked into it; their licences' texts are at the addresses, at the version
or commit that stands behind the name, and LICENSE.md above says more:

${parts.join("")}
JavaScriptCore (WebKit) and TinyCC are under the GNU Library General Public License, version 2, and the GNU
Lesser General Public License, version 2.1, which are at the end of this file. You may change these
libraries and link popkeep with them anew: LICENSE.md above says how Bun is built with a changed WebKit, and
popkeep's source is free; "make binary BUN=path/to/your/bun" makes the executable with your Bun.
`;
}

/** A section for each text, with all packages that have exactly this one. */
function packageSections(packages: readonly LockedPackage[]): string[] {
  const byText = new Map<string, Set<string>>();
  for (const found of packages) {
    const text = licenceText(found);
    const titles = byText.get(text) ?? new Set();
    byText.set(text, titles.add(titleOf(found)));
  }
  return [...byText].map(([text, titles]) => `\n${[...titles].join("\n")}\n\n${text}\n`);
}

/** The line that names a package, such as "pg 8.23.1 (MIT)". */
export function titleOf({ name, version, license }: LockedPackage): string {
  return `${name} ${version} (${license?.replace(/^\((.*)\)$/, "$1")})`;
}

function lgplSections(): string[] {
  return ["LGPL-2.0.txt", "LGPL-2.1.txt"].map((name) =>
    `\n${readFileSync(`${PROJECT}scripts/supply/texts/${name}`, "utf8")}`
  );
}

if (import.meta.main) {
  const [metafile, output] = process.argv.slice(2);
  if (output === undefined) throw new Error("write_licences.ts needs METAFILE OUTPUT");
  writeFileSync(output, licencesFile(bundledPackages(metafile!)));
}
