/** What package-lock.json promises about everything that popkeep is made of and made with. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { PROJECT, readLockFile } from "../../../scripts/supply/lock_file.ts";

const packages = readLockFile();

function projectText(path: string): string {
  return readFileSync(`${PROJECT}${path}`, "utf8");
}

function manifest(): Record<string, unknown> {
  return JSON.parse(projectText("package.json"));
}

/** Deno for other machines: the registry that the lock file was made from did not have it. */
const WITHOUT_DIGEST = [
  "@deno/darwin-arm64",
  "@deno/darwin-x64",
  "@deno/linux-arm64-glibc",
  "@deno/win32-arm64",
  "@deno/win32-x64",
];

test("every package is compared with its digest, but for the tool Deno on other machines", () => {
  assert.ok(packages.length > 100, "the packages are found");
  const without = packages.filter(({ integrity }) =>
    !/^sha512-[\w+/]{86}==$/.test(integrity ?? "")
  );
  assert.deepEqual(without.map(({ name }) => name).sort(), WITHOUT_DIGEST);
  assert.ok(without.every(({ isTool }) => isTool), "none of them is in the executable");
});

test("no package is taken from anywhere but the registry that npm is set to", () => {
  assert.deepEqual(packages.filter(({ resolved }) => resolved !== undefined), []);
});

test("no package has code to be run when it is installed but those that bring the runtimes", () => {
  const names = packages.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name);
  assert.deepEqual(names.sort(), ["bun", "deno"]);
  assert.deepEqual(manifest()["allowScripts"], { bun: true, deno: true });
});

test("package.json asks for exact versions, and the lock file is of this package.json", () => {
  const locked = JSON.parse(projectText("package-lock.json")).packages[""];
  for (const kind of ["dependencies", "devDependencies"]) {
    const wanted = manifest()[kind] as Record<string, string>;
    assert.deepEqual(wanted, locked[kind]);
    for (const [name, version] of Object.entries(wanted)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      const found = packages.find(({ folder }) => folder === `node_modules/${name}`);
      assert.equal(found?.version, version, name);
    }
  }
});

test("packages are installed by the lock file alone and without running their code, and no second list of versions is there", () => {
  const commands = [projectText("Makefile"), projectText(".ci/run")].join("\n");
  assert.match(commands, /^\tnpm ci --ignore-scripts /m);
  assert.doesNotMatch(commands, /(?<![-\w])(?:npm|bun|deno) (?:i|install|update|add)\b/);
  // Deno takes what npm has put into node_modules, and therefore needs no list of its own.
  assert.equal(JSON.parse(projectText("deno.json")).nodeModulesDir, "manual");
});
