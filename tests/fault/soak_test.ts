/**
 * A short soak (`make soak` is the long one): workers are killed, the server is killed and reloaded, clients of
 * all sorts and others are at the same mail, and nothing is lost.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { LOSSES } from "./soak/ledger.ts";
import { soak } from "./soak/soak.ts";

const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const SECONDS = 12;

test(`a soak of ${SECONDS} s loses nothing (POPKEEP_SEED=${SEED})`, async () => {
  const { figures, findings, history } = await soak({
    seconds: SECONDS,
    seed: SEED,
    workers: 2,
    clients: 6,
    mailboxes: 3,
    compareEveryS: 4,
    killEveryS: 2.5,
  });
  const losses = LOSSES.map((loss) => findings.filter((finding) => finding.loss === loss).length);
  assert.deepEqual(
    losses,
    LOSSES.map(() => 0),
    [...findings.map(({ loss, what }) => `${loss}: ${what}`), ...history].join("\n"),
  );
  assert.ok(figures.of("messages retrieved and compared") > 20, figures.lines.join("\n"));
  assert.ok(figures.of("kills of a worker") > 0, figures.lines.join("\n"));
});
