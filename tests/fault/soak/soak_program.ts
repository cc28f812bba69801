/**
 * `make soak`: MINUTES (10), SEED, WORKERS (2), CLIENTS (12), MAILBOXES (5) in the environment.
 *
 * Exits 1 if anything was lost, with the seed and the history of the mailbox concerned.
 */

import process from "node:process";
import { LOSSES } from "./ledger.ts";
import { soak } from "./soak.ts";

const numberOf = (name: string, otherwise: number) => Number(process.env[name] || otherwise);

const minutes = numberOf("MINUTES", 10);
const seed = numberOf("SEED", Math.floor(Math.random() * 2 ** 31));
const workers = numberOf("WORKERS", 2);
const startedMs = performance.now();
/** Findings that were printed when they came up. */
let told = 0;

console.log(`Soaking for ${minutes} minutes with ${workers} workers, SEED=${seed}`);
const { figures, findings, history } = await soak({
  seconds: minutes * 60,
  seed,
  workers,
  clients: numberOf("CLIENTS", 12),
  mailboxes: numberOf("MAILBOXES", 5),
  compareEveryS: 20,
  killEveryS: 10,
  onProgress(figures, findings) {
    const minute = ((performance.now() - startedMs) / 60_000).toFixed(1);
    const compared = figures.of("messages retrieved and compared");
    console.log(`${minute} min: ${compared} messages compared, ${findings.length} findings`);
    for (const { loss, what } of findings.slice(told)) console.log(`${loss}: ${what}`);
    told = findings.length;
  },
});
for (const line of figures.lines) console.log(line);
console.log("what must be zero:");
for (const loss of LOSSES) {
  const count = findings.filter((finding) => finding.loss === loss).length;
  console.log(`${String(count).padStart(9)}  ${loss}`);
}
if (findings.length > 0) {
  for (const { loss, what } of findings.slice(told)) console.log(`${loss}: ${what}`);
  for (const line of history) console.log(line);
  console.log(`Something was lost: SEED=${seed} WORKERS=${workers}`);
  process.exitCode = 1;
}
