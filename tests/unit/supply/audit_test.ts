/** What `make audit` makes of the registry's answers, which a stand-in for npm gives here. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { test } from "node:test";
import { PROJECT } from "../../../scripts/supply/lock_file.ts";

const CLEAN = `echo '{ "auditReportVersion": 2, "vulnerabilities": {} }'; exit 0`;
const FAULTY =
  `echo '{ "auditReportVersion": 2, "vulnerabilities": { "pg": { "severity": "low" } } }'; exit 1`;
const REFUSED =
  `echo 'npm warn audit 405 Method Not Allowed' >&2; echo '{ "statusCode": 405 }'; exit 1`;

/** Runs the audit with an npm that answers `npm audit` and `npm audit signatures` so. */
function audit(
  answers: { readonly faults: string; readonly signatures: string },
  environment: Readonly<Record<string, string>> = {},
) {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-audit-`);
  try {
    const cases = `case "$2" in signatures) ${answers.signatures} ;; *) ${answers.faults} ;; esac`;
    writeFileSync(`${folder}/npm`, `#!/bin/sh\n${cases}\n`);
    chmodSync(`${folder}/npm`, 0o755);
    const { status, stdout, stderr } = spawnSync("sh", ["scripts/supply/audit.sh"], {
      cwd: PROJECT,
      env: {
        ...process.env,
        STRICT: "0",
        ...environment,
        PATH: `${folder}:${process.env["PATH"]}`,
      },
      encoding: "utf8",
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("packages without known faults and with good signatures pass", () => {
  const { status, stdout } = audit({ faults: CLEAN, signatures: "echo verified; exit 0" });
  assert.equal(status, 0);
  assert.match(stdout, /--omit=dev [^\n]*: no known faults\n.*no known faults\nverified\n$/s);
});

test("a known fault fails", () => {
  assert.equal(audit({ faults: FAULTY, signatures: "exit 0" }).status, 1);
});

test("a wrong signature fails", () => {
  const signatures = `echo '1 package has an invalid registry signature' >&2; exit 1`;
  const { status, stderr } = audit({ faults: CLEAN, signatures });
  assert.equal(status, 1);
  assert.match(stderr, /invalid registry signature/);
});

test("a registry that does not answer is named aloud, and fails only where that is asked for", () => {
  const answers = { faults: REFUSED, signatures: "exit 0" };
  const { status, stdout, stderr } = audit(answers);
  assert.equal(status, 0);
  assert.equal(stdout, "");
  assert.match(stderr, /^NOT CHECKED: known faults of packages.*405 Method Not Allowed/s);
  assert.equal(audit(answers, { STRICT: "1" }).status, 1);
});

test("signatures that cannot be asked for are named aloud", () => {
  const answers = { faults: CLEAN, signatures: "echo 'npm error ENOTFOUND' >&2; exit 1" };
  const { status, stderr } = audit(answers);
  assert.equal(status, 0);
  assert.match(stderr, /^NOT CHECKED: signatures of packages/);
});
