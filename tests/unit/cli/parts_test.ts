/** The parts of a running server: what a reload keeps, makes anew, and closes. */

import { deepStrictEqual, notStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { Parts } from "../../../src/cli/parts.ts";

/** Makes parts that tell when they are closed. */
function maker(closed: string[]) {
  return (parts: Parts, name: string, options: unknown) =>
    parts.take(name, options, () => ({ name, options }), ({ name, options }) => {
      closed.push(`${name} ${JSON.stringify(options)}`);
    });
}

test("a part is kept while its options are the same, and else made anew", async () => {
  const closed: string[] = [];
  const take = maker(closed);
  const before = new Parts();
  const [pool, file] = [await take(before, "pool", [1, { a: 2 }]), await take(before, "file", "x")];
  const after = new Parts(before);
  strictEqual(await take(after, "pool", [1, { a: 2 }]), pool);
  notStrictEqual(await take(after, "file", "y"), file);
  deepStrictEqual(closed, [], "nothing is closed before the change is done");
  await after.closeBefore();
  deepStrictEqual(closed, ['file "x"']);
  await after.closeAllBut();
  deepStrictEqual(closed, ['file "x"', 'file "y"', 'pool [1,{"a":2}]']);
});

test("a part that is no longer wanted is closed", async () => {
  const closed: string[] = [];
  const before = new Parts();
  await maker(closed)(before, "tickets", 1);
  await new Parts(before).closeBefore();
  deepStrictEqual(closed, ["tickets 1"]);
});

test("a change that fails closes what it made, and nothing that was there", async () => {
  const closed: string[] = [];
  const take = maker(closed);
  const before = new Parts();
  await take(before, "pool", 1);
  await take(before, "file", "x");
  const after = new Parts(before);
  await take(after, "pool", 1);
  await take(after, "file", "y");
  await rejects(after.take("directory", 0, () => Promise.reject(new Error("no disk"))), /no disk/);
  await after.undo();
  deepStrictEqual(closed, ['file "y"']);
});

test("a part that is made of another is made anew with it", async () => {
  const take = maker([]);
  const before = new Parts();
  await take(before, "pool", 1);
  const whole = await take(before, "whole", [before.identity("pool")]);
  const same = new Parts(before);
  await take(same, "pool", 1);
  strictEqual(await take(same, "whole", [same.identity("pool")]), whole);
  const other = new Parts(before);
  await take(other, "pool", 2);
  notStrictEqual(await take(other, "whole", [other.identity("pool")]), whole);
});
