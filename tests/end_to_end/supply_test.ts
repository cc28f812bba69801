/** What is said to be in the executable is what is in it; nothing is registered when sources are tested. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { bundledPackages } from "../../scripts/supply/bundled_packages.ts";
import { readLockFile } from "../../scripts/supply/lock_file.ts";
import { runtimeParts } from "../../scripts/supply/runtime_parts.ts";
import { licencesFile } from "../../scripts/supply/write_licences.ts";

const executable = process.env["POPKEEP_EXECUTABLE"] ?? "";
/** What `make binary` writes beside it. */
const [inputs, bill] = [`${executable}.inputs.json`, `${executable}.cdx.json`];
const skip = existsSync(inputs) && existsSync(bill)
  ? false
  : "only make binary writes what this compares";

interface Component {
  readonly type: string;
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly hashes?: readonly { readonly content: string }[];
  readonly components?: readonly Component[];
}

function readBill(): { metadata: { component: Component }; components: Component[] } {
  return JSON.parse(readFileSync(bill, "utf8"));
}

function nameAndVersion({ group, name, version }: Component): string {
  return `${group === undefined ? "" : `${group}/`}${name} ${version}`;
}

if (executable !== "") {
  test("the executable prints the licence of everything that went into it", { skip }, () => {
    const { status, stdout } = spawnSync(executable, ["version", "--licenses"], {
      encoding: "utf8",
      maxBuffer: 2 ** 24,
      timeout: 60_000,
    });
    assert.equal(status, 0);
    // Where this fails packages have changed: "make licences" writes the file anew.
    assert.equal(stdout, licencesFile(bundledPackages(inputs)));
  });

  test("the bill of materials names every package that went into the executable, and no other", {
    skip,
  }, () => {
    const named = readBill().components.filter(({ type }) => type === "library");
    const bundled = bundledPackages(inputs).map(({ name, version }) => `${name} ${version}`);
    assert.ok(bundled.length > 70, `${bundled.length} packages`);
    assert.deepEqual(new Set(named.map(nameAndVersion)), new Set(bundled));
  });

  test("the bill of materials names the runtime and what is in that", { skip }, () => {
    const [runtime, ...others] = readBill().components.filter(({ type }) => type === "platform");
    assert.deepEqual(others, []);
    const locked = readLockFile().find(({ name }) => name === "bun");
    assert.equal(nameAndVersion(runtime!), `bun ${locked?.version}`);
    assert.deepEqual(
      runtime?.components?.map(({ name }) => name),
      runtimeParts().map(({ name }) => name),
    );
  });

  test(
    "the bill of materials is of this executable, and tells nothing of the machine",
    { skip },
    () => {
      const { hashes } = readBill().metadata.component;
      const digest = createHash("sha256").update(readFileSync(executable)).digest("hex");
      assert.deepEqual(hashes?.map(({ content }) => content), [digest]);
      const text = readFileSync(bill, "utf8");
      assert.doesNotMatch(text, /file:\/\/|"timestamp"|"serialNumber"|"\/(?:home|root|tmp|usr)\//);
      assert.ok(!text.includes(process.cwd()));
    },
  );
}
