import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import {
  type AppPasswordUsesOptions,
  openAppPasswordUses,
  readAppPasswordUses,
} from "../../../src/auth/app_password_uses.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-uses-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

function setUp(content?: string) {
  const folder = `${root}/${made++}`;
  const file = `${folder}/app_passwords_used.json`;
  if (content !== undefined) {
    mkdirSync(folder);
    writeFileSync(file, content);
  }
  const open = (options?: AppPasswordUsesOptions) =>
    openAppPasswordUses(folder, { writeMs: 3_600_000, ...options });
  return { folder, file, open };
}

/** Runs `work` and returns what it logged. */
async function logOf(work: () => Promise<void>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { kept: (record) => records.push(record) },
    loggers: [
      { category: ["popkeep"], lowestLevel: "debug", sinks: ["kept"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    await work();
  } finally {
    await reset();
  }
  return records;
}

test("the last use of each app password survives a restart", async () => {
  const { open, folder } = setUp();
  const uses = await open();
  uses.note("alice", "phone", "192.0.2.7", 1_000);
  uses.note("bob", "phone", undefined, 2_000);
  uses.note("alice", "phone", "2001:db8::1", 3_000);
  await uses.flush();
  const kept = [
    { user: "bob", name: "phone", address: "", usedMs: 2_000 },
    { user: "alice", name: "phone", address: "2001:db8::1", usedMs: 3_000 },
  ];
  deepStrictEqual(await readAppPasswordUses(folder), kept);
  deepStrictEqual((await open()).read(), kept);
});

test("the file is its owner's alone, made with its folder, and nothing is left beside it", async () => {
  const { open, folder, file } = setUp();
  const uses = await open();
  uses.note("alice", "phone", "192.0.2.7", 1_000);
  await uses.flush();
  strictEqual(statSync(file).mode & 0o777, 0o600);
  strictEqual(statSync(folder).mode & 0o777, 0o700);
  deepStrictEqual(readdirSync(folder), ["app_passwords_used.json"]);
});

test("many uses are one writing, some time after the first of them", async () => {
  const { open, folder } = setUp("");
  rmSync(folder, { recursive: true });
  const uses = await open({ writeMs: 20 });
  for (let at = 0; at < 100; at++) uses.note("alice", `a${at}`, "192.0.2.7", at);
  deepStrictEqual(await readAppPasswordUses(folder), [], "nothing is written at once");
  while ((await readAppPasswordUses(folder)).length === 0) {
    await new Promise((done) => setTimeout(done, 5));
  }
  strictEqual((await readAppPasswordUses(folder)).length, 100);
});

test("a flush without a use since writes nothing", async () => {
  const { open, folder } = setUp();
  await (await open()).flush();
  ok(!readdirSync(root).includes(folder.slice(root.length + 1)));
});

test("of too many, those that were used longest ago are forgotten", async () => {
  const { open } = setUp();
  const uses = await open({ maxUses: 2 });
  uses.note("a", "x", "", 1);
  uses.note("b", "x", "", 2);
  uses.note("a", "x", "", 3);
  uses.note("c", "x", "", 4);
  deepStrictEqual(uses.read().map(({ user }) => user), ["a", "c"]);
});

test("a user's and a name's letters never run together", async () => {
  const uses = await setUp().open();
  uses.note('a"', "b", "", 1);
  uses.note("a", '"b', "", 2);
  strictEqual(uses.read().length, 2);
});

test("a damaged file is told, and the server goes on and writes a new one", async () => {
  for (
    const content of [
      "",
      "{",
      "null",
      "[]",
      '{"version": 2, "uses": []}',
      '{"version": 1, "uses": [["a", "b", "c"]]}',
      '{"version": 1, "uses": [["a", "b", 3, 4]]}',
      '{"version": 1, "uses": [["a", "b", "c", -1]]}',
    ]
  ) {
    const { open, folder, file } = setUp(content);
    await rejects(readAppPasswordUses(folder), /damaged/, content);
    const records = await logOf(async () => {
      const uses = await open();
      deepStrictEqual(uses.read(), []);
      uses.note("alice", "phone", "192.0.2.7", 1);
      await uses.flush();
    });
    deepStrictEqual(records.map(({ level }) => level), ["warning"]);
    ok(readFileSync(file, "utf8").includes("alice"));
  }
});

test("a folder that cannot be written is told once, and what was used is written when it can be", async () => {
  const { open, folder } = setUp();
  const uses = await open();
  writeFileSync(folder, "in the way");
  const records = await logOf(async () => {
    for (let at = 0; at < 3; at++) {
      uses.note("alice", "phone", "192.0.2.7", at);
      await uses.flush();
    }
  });
  deepStrictEqual(records.map(({ level }) => level), ["warning"]);
  rmSync(folder);
  uses.note("bob", "phone", "192.0.2.7", 9);
  await uses.flush();
  strictEqual((await readAppPasswordUses(folder)).length, 2);
});

test("uses that come while the file is written are in the next", async () => {
  const { open, folder } = setUp();
  const uses = await open();
  uses.note("alice", "phone", "", 1);
  const first = uses.flush();
  uses.note("bob", "phone", "", 2);
  await Promise.all([first, uses.flush()]);
  strictEqual((await readAppPasswordUses(folder)).length, 2);
});
