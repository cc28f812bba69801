/**
 * `make hostile`: all attacks, against one worker and against several, with bystanders; prints the table of
 * docs/reliability.md. In the environment: WORKERS (1,2), SECONDS (10) an attack, ATTACKS, a part of a name.
 *
 * Exits 1 if a client got what none may, a bystander was refused or cut off, a limit did not hold, or the
 * server, one of its workers or a connection did not end as it should.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { greets } from "../runner/greeting.ts";
import { AttackedServer } from "./attacked_server.ts";
import { type Attack, ATTACKS, type Figures, FIRST_USER } from "./attacks.ts";
import { Bystanders, Program, type Wait, type Waits } from "./bystanders.ts";

const seconds = Number(process.env["SECONDS"] || 10);
const workerCounts = (process.env["WORKERS"] || "1,2").split(",").map(Number);
const chosen = ATTACKS.filter(({ name }) => name.includes(process.env["ATTACKS"] ?? ""));

/** Until memory is looked at: at rest, and when all is over. */
const REST_S = 5;
const SETTLED_S = [2, 10, 30] as const;

/** How long connections may take to be gone after an attack, s: some are still at their last words. */
const GONE_S = 30;

const LOOK_AT_MEMORY_MS = 500;

const faults: string[] = [];

/** What is to be ended and removed, also when this is told to stop. */
let running: AttackedServer | undefined;
let programs = "";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void cleanUp().then(() => process.exit(1)));
}
await main();

async function main(): Promise<void> {
  programs = mkdtempSync(`${os.tmpdir()}/popkeep-hostile-programs-`);
  try {
    compile();
    for (const workers of workerCounts) await attackAll(workers);
  } finally {
    await cleanUp();
  }
  console.log(faults.length === 0 ? "\nNothing that must not be." : `\n${faults.join("\n")}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

async function cleanUp(): Promise<void> {
  await running?.stop();
  rmSync(programs, { recursive: true, force: true });
}

function compile(): void {
  const bench = fileURLToPath(new URL("..", import.meta.url));
  for (const source of ["hostile/hostile_clients", "pop3bench", "noop_probe"]) {
    const program = `${programs}/${source.split("/").at(-1)}`;
    const libraries = ["-lssl", "-lcrypto"];
    execFileSync("gcc", ["-O2", "-Wall", "-o", program, `${bench}${source}.c`, ...libraries]);
  }
}

async function attackAll(workers: number): Promise<void> {
  const server = running = await AttackedServer.start(workers);
  try {
    const name = workers === 1 ? "one process" : `${workers} workers`;
    await quiet(server); // what is made once is no part of what is compared
    await sleep(REST_S * 1000);
    const restMib = server.ownMib;
    console.log(`\n### ${name}, at rest ${restMib.toFixed(1)} MiB\n`);
    console.log(
      "| clients | came of it | NOOP median, p99, ms | session median, p99, ms | most MiB |",
    );
    console.log("| --- | --- | ---: | ---: | ---: |");
    const waits = await quiet(server);
    printRow("nobody else", "", waits, server.ownMib);
    for (const attack of chosen) await attackOnce(server, attack, name);
    printRow("nobody else, afterwards", "", await quiet(server), server.ownMib);
    await tellWhatIsLeft(server, restMib, name);
  } finally {
    await server.stop();
    running = undefined;
  }
}

/** Bystanders alone. */
async function quiet(server: AttackedServer): Promise<Waits> {
  const bystanders = await Bystanders.begin(programs, server.plainPort, seconds);
  return await bystanders.end();
}

async function attackOnce(
  server: AttackedServer,
  attack: Attack,
  name: string,
): Promise<void> {
  const filesBefore = server.openFiles;
  const lasts = attack.seconds ?? seconds;
  const room = attack.leavesRoom ?? true;
  const bystanders = await Bystanders.begin(
    programs,
    server.plainPort,
    room ? lasts : undefined,
  );
  let mostMib = 0;
  const watch = setInterval(() => mostMib = Math.max(mostMib, server.ownMib), LOOK_AT_MEMORY_MS);
  const port = isUnderTls(attack) ? server.tlsPort : server.plainPort;
  const hostile = new Program([
    `${programs}/hostile_clients`,
    ...attack.words.split(" "),
    ...["-p", String(port), "-t", String(lasts)],
    ...["-S", String(attack.network), "-f", String(attack.firstUser ?? FIRST_USER), "-u", "100"],
  ]);
  const figures = await hostile.result() as unknown as Figures;
  const waits = await bystanders.end();
  clearInterval(watch);
  printRow(attack.name, attack.outcome(figures), waits, mostMib);
  const found = [
    ...(figures.must_not > 0 ? [`${figures.must_not} times: ${figures.said}`] : []),
    attack.fault?.(figures),
    errorsOf("NOOP", waits.noop),
    errorsOf("session", waits.session),
    await leftOver(server, filesBefore),
  ];
  for (const fault of found) {
    if (fault !== undefined) faults.push(`${name}: ${attack.name}: ${fault}`);
  }
}

function isUnderTls({ words }: Attack): boolean {
  return /-T|-k (half|hello|handshake|renegotiate|keyupdate)/.test(words);
}

function errorsOf(what: string, wait: Wait | undefined): string | undefined {
  if (wait === undefined || wait.errors === 0) return undefined;
  return `${wait.errors} errors of a bystander's ${what}: ${wait.firstError}`;
}

/** What is wrong once those who attacked have gone. */
async function leftOver(
  server: AttackedServer,
  filesBefore: number,
): Promise<string | undefined> {
  if (!server.isRunning) return "the server has ended";
  const giveUpAtMs = performance.now() + GONE_S * 1000;
  // Files that were read, and threads for them, come and go.
  while (server.openFiles > filesBefore + 20) {
    if (performance.now() > giveUpAtMs) {
      return `${server.openFiles} files are open, ${filesBefore} were before`;
    }
    await sleep(200);
  }
  return undefined;
}

async function tellWhatIsLeft(
  server: AttackedServer,
  restMib: number,
  name: string,
): Promise<void> {
  const after: string[] = [];
  let slept = 0;
  for (const second of SETTLED_S) {
    await sleep((second - slept) * 1000);
    slept = second;
    after.push(`${server.ownMib.toFixed(1)} MiB after ${second} s`);
  }
  const above = (server.ownMib - restMib).toFixed(1);
  console.log(`\n${name}: ${after.join(", ")}; ${above} MiB more than at rest before.`);
  if (!await greets(server.plainPort, performance.now() + 5_000)) {
    faults.push(`${name}: nobody is greeted at the end`);
  }
  faults.push(...server.faults.slice(0, 10).map((line) => `${name}: ${line}`));
}

function printRow(what: string, outcome: string, { noop, session }: Waits, mib: number): void {
  const wait = (one: Wait | undefined) =>
    one === undefined ? "" : `${one.median.toFixed(1)}, ${one.p99.toFixed(0)}`;
  console.log(
    `| ${what} | ${outcome} | ${wait(noop)} | ${wait(session)} | ${mib.toFixed(0)} |`,
  );
}
