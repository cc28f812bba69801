/**
 * Everything at once on two hosts, with kills, power cuts and filesystems that hang: no message is lost and no
 * unique-id is another's. Only for `make shared`, since it takes MINUTES.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { noSharedFilesystem } from "../support/shared_filesystem.ts";
import { hostSoak } from "./host_soak.ts";

const ALL = process.env["POPKEEP_SHARED"] === "all";
const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = Number(process.env["MINUTES"] ?? 10) * 60;

/** Nothing at all unless it is asked for: a test that is always left out is none. */
const soakTest = ALL ? test : () => {};

soakTest(`a soak of two hosts finds nothing (POPKEEP_SEED=${SEED})`, {
  skip: noSharedFilesystem,
}, async () => {
  const { figures, findings, history } = await hostSoak({
    seconds: SECONDS,
    seed: SEED,
    clients: 8,
    mailboxes: 6,
    compareEveryS: 60,
    faultEveryS: 10,
    onProgress: (figures, findings) => {
      const found = findings.map(({ loss, what }) => `FOUND ${loss}: ${what}`);
      console.log([...figures.lines, ...found, `${findings.length} findings`, ""].join("\n"));
    },
  });
  console.log(figures.lines.join("\n"));
  assert.deepEqual(findings, [], history.join("\n"));
  assert.ok(figures.of("messages retrieved and compared") > 0);
});
