import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readStateFile, StateFile } from "../../../src/auth/state_file.ts";
import { logged, withFolder } from "./guessing_setup.ts";

const readOrNothing = (path: string) => readFile(path, "utf8").catch(() => undefined);

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((done) => setTimeout(done, 5));
}

test("what changed is written after a while, once for many changes", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.json");
    let asked = 0;
    const file = new StateFile(path, { content: () => `${++asked}`, writeMs: 20 });
    for (let at = 0; at < 100; at++) file.changed();
    strictEqual(await readOrNothing(path), undefined);
    await until(async () => await readOrNothing(path) === "1");
    file.changed();
    await until(async () => await readOrNothing(path) === "2");
    await file.close();
    strictEqual(await readOrNothing(path), "2", "and nothing where nothing changed");
  }));

test("closing writes what has not been written, and nothing comes after it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "deep", "a.json");
    let text = "one";
    const file = new StateFile(path, { content: () => text, writeMs: 3_600_000 });
    file.changed();
    await file.close();
    strictEqual(await readOrNothing(path), "one");
    text = "two";
    file.changed();
    await new Promise((done) => setTimeout(done, 20));
    strictEqual(await readOrNothing(path), "one");
  }));

test("what a crash left beside it, or somebody put there, is not written into", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.json");
    const victim = join(folder, "victim");
    await writeFile(victim, "precious");
    await symlink(victim, `${path}.new`);
    const file = new StateFile(path, { content: () => "mine" });
    file.changed();
    await file.close();
    strictEqual(await readOrNothing(victim), "precious");
    strictEqual(await readOrNothing(path), "mine");
    deepStrictEqual((await readdir(folder)).sort(), ["a.json", "victim"]);
  }));

test("what could not be written is tried again by itself, and told once before and after", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.json");
    let failures = 0;
    const content = () => {
      if (++failures <= 3) throw new Error("not now");
      return "good";
    };
    const records = await logged(async () => {
      const file = new StateFile(path, { content, writeMs: 5 });
      file.changed();
      await until(async () => await readOrNothing(path) === "good");
      await file.close();
    });
    deepStrictEqual(records.map(({ rawMessage }) => rawMessage), [
      "what is remembered cannot be written",
      "what is remembered can be written again",
    ]);
  }));

test("a file that is not there is nothing, and one that is too long is refused", () =>
  withFolder(async (folder) => {
    strictEqual(await readStateFile(join(folder, "none"), 10), undefined);
    await writeFile(join(folder, "a"), "12345678901");
    await rejects(readStateFile(join(folder, "a"), 10), /no more than 10/);
    strictEqual(await readStateFile(join(folder, "a"), 11), "12345678901");
  }));
