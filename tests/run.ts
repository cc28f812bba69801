/**
 * Runs every suite, under Bun, under Deno and against the executable, and closes with one line of counts.
 *
 *   bun tests/run.ts            all suites
 *   bun tests/run.ts unit fault those whose name begins so
 *
 * BUN and DENO in the environment name the runtimes, POPKEEP_EXECUTABLE the executable; what is not
 * named there is looked for where `make` puts it. Exits 1 if anything failed.
 */

import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runSuite, type Suite, type SuiteResult } from "./support/suite.ts";

const project = fileURLToPath(new URL("../", import.meta.url));
const bun = process.env["BUN"] ?? `${project}node_modules/.runtimes/bun`;
const deno = process.env["DENO"] ?? `${project}node_modules/.runtimes/deno`;
const executable = process.env["POPKEEP_EXECUTABLE"] ?? `${project}dist/popkeep`;

/** Suites at a time: the tests wait more than they compute, and none of them depends on speed. */
const LANES = 3;

/**
 * Each test room, and how long one run of it may take, seconds: several times what it takes alone, so that only what
 * hangs is ended.
 */
const ROOMS: Readonly<Record<string, number>> = {
  unit: 900,
  property: 400,
  conformance: 400,
  transcripts: 400,
  fault: 900,
  fuzz: 400,
  end_to_end: 1_000,
  clients: 1_000,
};

/** The rooms that take minutes. They are begun first, so that no lane runs one while the others have nothing left. */
const LONG_ROOMS = ["end_to_end", "clients", "fault", "unit"];

/** Rooms whose tests start popkeep on hosts of their own: only what is shipped is run there. */
const EXECUTABLE_ONLY: Readonly<Record<string, number>> = { shared: 300 };

/** What starts popkeep as a process of its own, and therefore runs against the executable too. */
const AGAINST_EXECUTABLE: readonly (readonly [name: string, folder: string])[] = [
  ["conformance", "conformance"],
  ["transcripts", "transcripts"],
  ["end_to_end", "end_to_end"],
  ["fault", "fault"],
  ["fuzz", "fuzz"],
  ["shared", "shared"],
  // Not named after its room: "unit" is asked for where no executable has been made.
  ["command line", "unit/cli"],
];

/**
 * Bun's own limit of 5 s a test would make tests depend on the speed of the machine. A test of many
 * kills takes minutes; what hangs is ended by its suite's limit.
 */
const BUN_TEST_MS = 600_000;

function bunSuite(folder: string, limitSeconds: number, within = [`./tests/${folder}/`]): Suite {
  return {
    name: `${folder} under Bun`,
    command: [bun, "test", `--timeout=${BUN_TEST_MS}`, "--reporter=junit", ...within],
    reportOption: "--reporter-outfile",
    environment: { POPKEEP_EXECUTABLE: "" },
    limitSeconds,
  };
}

/**
 * Rooms whose tests all start popkeep as a process: what Bun makes of the sources is run there as the executable,
 * which is what people have.
 */
const UNDER_BUN_AS_EXECUTABLE = new Set(["end_to_end", "fault"]);

/** The room without the command line, which the executable runs by the same Bun, and the sources by Deno. */
function unitPathsUnderBun(): string[] {
  const names = readdirSync(`${project}tests/unit`).filter((name) => name !== "cli");
  return names.map((name) => `./tests/unit/${name}`);
}

function denoSuite(room: string, limitSeconds: number): Suite {
  return {
    name: `${room} under Deno`,
    command: [deno, "test", "-A", "--no-check", `tests/${room}/`],
    reportOption: "--junit-path",
    environment: { POPKEEP_EXECUTABLE: "" },
    limitSeconds,
  };
}

function executableSuite([name, folder]: readonly [name: string, folder: string]): Suite {
  return {
    ...bunSuite(folder, { ...ROOMS, ...EXECUTABLE_ONLY }[folder.split("/")[0]!]!),
    name: `${name} against the executable`,
    environment: { POPKEEP_EXECUTABLE: executable },
  };
}

function suites(): Suite[] {
  const rooms = Object.entries(ROOMS);
  const all = [
    { name: "format", command: [deno, "fmt", "--check", "--quiet"], limitSeconds: 60 },
    { name: "lint", command: [deno, "lint", "--quiet"], limitSeconds: 60 },
    {
      name: "types",
      command: [deno, "check", "--quiet", "main.ts", "tests/", "scripts/", "bench/"],
      limitSeconds: 180,
    },
    {
      name: "reproducible build",
      command: ["make", "--no-print-directory", "reproduce"],
      limitSeconds: 180,
    },
    ...rooms.filter(([room]) => !UNDER_BUN_AS_EXECUTABLE.has(room)).map(([room, limit]) =>
      room === "unit" ? bunSuite(room, limit, unitPathsUnderBun()) : bunSuite(room, limit)
    ),
    ...rooms.map(([room, limit]) => denoSuite(room, limit)),
    ...AGAINST_EXECUTABLE.map(executableSuite),
  ];
  const rank = ({ name }: Suite) => {
    const place = LONG_ROOMS.findIndex((room) => name.startsWith(`${room} `));
    return place === -1 ? LONG_ROOMS.length : place;
  };
  return all.sort((a, b) => rank(a) - rank(b));
}

/** Folders that hold tests and are no room of the table above: nothing would run them. */
function forgottenRooms(): string[] {
  const files = readdirSync(`${project}tests`, { recursive: true, encoding: "utf8" });
  const rooms = files.filter((file) => file.endsWith("_test.ts")).map((file) =>
    file.split("/")[0]!
  );
  return [...new Set(rooms)].filter((room) => !(room in ROOMS || room in EXECUTABLE_ONLY));
}

function printResult(suite: Suite, { results, seconds }: SuiteResult): void {
  const failed = results.filter(hasFailed);
  const counts = `${count(results, "passed")} passed, ${failed.length} failed` +
    (count(results, "skipped") > 0 ? `, ${count(results, "skipped")} skipped` : "");
  console.log(`${suite.name}: ${counts} in ${seconds.toFixed(1)} s`);
  for (const { name, file, message } of failed) {
    console.log(`\n  FAILED (${suite.name}): ${name}${file === "" ? "" : `\n  in ${file}`}`);
    for (const line of message.split("\n").slice(0, 60)) console.log(`    ${line}`);
    console.log("");
  }
}

function hasFailed({ outcome }: SuiteResult["results"][number]): boolean {
  return outcome === "failed";
}

function count(results: SuiteResult["results"], outcome: string): number {
  return results.filter((result) => result.outcome === outcome).length;
}

async function main(): Promise<void> {
  process.chdir(project);
  const forgotten = forgottenRooms();
  if (forgotten.length > 0) throw new Error(`No suite runs the tests in ${forgotten.join(", ")}`);
  const wanted = process.argv.slice(2);
  const chosen = suites().filter(({ name }) =>
    wanted.length === 0 || wanted.some((word) => name.startsWith(word))
  );
  if (chosen.some(({ name }) => name.endsWith("the executable")) && !existsSync(executable)) {
    console.log(`There is no executable at ${executable}; "make binary" makes it.`);
  }
  const results: SuiteResult["results"][number][] = [];
  const failures: string[] = [];
  const queue = [...chosen];
  const lane = async () => {
    for (let suite; (suite = queue.shift()) !== undefined;) {
      const result = await runSuite(suite);
      printResult(suite, result);
      results.push(...result.results);
      failures.push(
        ...result.results.filter(hasFailed).map(({ name }) => `${suite.name}: ${name}`),
      );
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  // The reports above may be long, so what failed is named once more where it will be read.
  for (const failure of failures) console.log(`FAILED ${failure}`);
  const skipped = count(results, "skipped");
  const failed = count(results, "failed");
  console.log(
    `${count(results, "passed")} passed, ${failed} failed` +
      (skipped > 0 ? `, ${skipped} skipped` : ""),
  );
  process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
}

await main();
