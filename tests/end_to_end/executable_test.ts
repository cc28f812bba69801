/** What is particular to the executable; nothing is registered when the sources are tested. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { test } from "node:test";

const executable = process.env["POPKEEP_EXECUTABLE"] ?? "";

/** Runs the executable in a folder with these files. */
function runIn(files: Readonly<Record<string, string>>, ...args: string[]): string {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-`);
  try {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(`${folder}/${name}`, content);
    }
    const { stdout, stderr, status } = spawnSync(executable, args, {
      cwd: folder,
      timeout: 60_000,
    });
    assert.equal(status, 0, String(stderr));
    return String(stdout) + String(stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (executable !== "") {
  test("the executable runs no code that lies in the folder it is started in", () => {
    const said = runIn({
      "bunfig.toml": 'preload = ["./intruder.ts"]\n',
      "intruder.ts": 'console.log("intruder");\n',
      "package.json": '{ "name": "intruder", "type": "module" }\n',
      "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./intruder.ts"] } } }\n',
    }, "version");
    assert.match(said, /^popkeep /);
    assert.doesNotMatch(said, /intruder/);
  });

  test("the executable needs nothing but itself: no sources, no node_modules, an empty folder", () => {
    assert.match(runIn({}, "--help"), /Usage: popkeep/);
  });
}
