import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { test } from "node:test";
import { type Period, RollingFile } from "../../../src/admin/rolling_file.ts";

interface Tried {
  readonly folder: string;
  readonly file: RollingFile;
}

async function withFile(
  options: { period?: Period; quotaOctets?: number },
  run: (tried: Tried) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(`${os.tmpdir()}/popkeep-rolling-`);
  const folder = `${home}/made/when/needed`;
  const file = new RollingFile({
    folder,
    period: options.period ?? "daily",
    quotaOctets: options.quotaOctets ?? 0,
    header: () => "#\n",
  });
  try {
    await run({ folder, file });
  } finally {
    await file.close();
    rmSync(home, { recursive: true });
  }
}

const PERIODS: readonly [Period, string, string, readonly string[]][] = [
  ["hourly", "2026-07-01T12:59:59Z", "2026-07-01T13:00:00Z", [
    "pop3-2026-07-01T12.log",
    "pop3-2026-07-01T13.log",
  ]],
  ["daily", "2026-07-01T23:59:59Z", "2026-07-02T00:00:00Z", [
    "pop3-2026-07-01.log",
    "pop3-2026-07-02.log",
  ]],
  // 2026-07-05 is a Sunday.
  ["weekly", "2026-07-05T23:59:59Z", "2026-07-06T00:00:00Z", [
    "pop3-2026-06-29-week.log",
    "pop3-2026-07-06-week.log",
  ]],
  ["monthly", "2026-07-31T23:59:59Z", "2026-08-01T00:00:00Z", [
    "pop3-2026-07.log",
    "pop3-2026-08.log",
  ]],
];

for (const [period, before, after, files] of PERIODS) {
  test(`a ${period} file is followed by the next in time, each with its header`, () =>
    withFile({ period }, async ({ folder, file }) => {
      file.append("a\n", new Date(before));
      file.append("b\n", new Date(before));
      file.append("c\n", new Date(after));
      await file.close();
      assert.deepEqual(readdirSync(folder).sort(), files);
      assert.deepEqual(files.map((name) => readFileSync(`${folder}/${name}`, "utf8")), [
        "#\na\nb\n",
        "#\nc\n",
      ]);
    }));
}

const NOON = new Date("2026-07-01T12:00:00Z");

test("a file that is full is followed by one with a number", () =>
  withFile({ quotaOctets: 8 }, async ({ folder, file }) => {
    for (const line of ["aaa\n", "bbb\n", "ccc\n"]) file.append(line, NOON);
    await file.close();
    assert.deepEqual(
      readdirSync(folder).sort().map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]),
      [
        ["pop3-2026-07-01-2.log", "#\nbbb\n"],
        ["pop3-2026-07-01-3.log", "#\nccc\n"],
        ["pop3-2026-07-01.log", "#\naaa\n"],
      ],
    );
  }));

test("files that are there are appended to, full ones are passed by, none gets a second header", () =>
  withFile({ quotaOctets: 12 }, async ({ folder, file }) => {
    file.append("old\n", NOON);
    await file.close();
    writeFileSync(`${folder}/pop3-2026-07-01.log`, "#\nfull file\n");
    writeFileSync(`${folder}/pop3-2026-07-01-2.log`, "#\nhalf\n");
    file.append("new\n", NOON);
    await file.close();
    assert.equal(readFileSync(`${folder}/pop3-2026-07-01.log`, "utf8"), "#\nfull file\n");
    assert.equal(readFileSync(`${folder}/pop3-2026-07-01-2.log`, "utf8"), "#\nhalf\nnew\n");
  }));

test("a file that was moved away is found again under its name after it was closed", () =>
  withFile({}, async ({ folder, file }) => {
    file.append("one\n", NOON);
    await file.close();
    renameSync(`${folder}/pop3-2026-07-01.log`, `${folder}/moved`);
    file.append("two\n", NOON);
    await file.close();
    assert.equal(readFileSync(`${folder}/moved`, "utf8"), "#\none\n");
    assert.equal(readFileSync(`${folder}/pop3-2026-07-01.log`, "utf8"), "#\ntwo\n");
  }));

test("a folder that cannot be made loses lines and throws nothing", async () => {
  const file = new RollingFile({
    folder: "/dev/null/log",
    period: "daily",
    quotaOctets: 0,
    header: () => "#\n",
  });
  file.append("lost\n", NOON);
  file.append("lost\n", NOON);
  await file.close();
});
