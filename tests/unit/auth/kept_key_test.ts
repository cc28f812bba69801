/** The key that what is made up for unknown users hangs on. */

import { deepStrictEqual, notDeepStrictEqual, strictEqual } from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { keptKey } from "../../../src/auth/kept_key.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-key-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;
const folder = () => `${root}/${made++}`;

test("the key stays the same, in a file for the server's user alone", async () => {
  const place = `${folder()}/deep`;
  const key = await keptKey(place);
  strictEqual(key.length, 32);
  deepStrictEqual(Uint8Array.from(await keptKey(place)), Uint8Array.from(key));
  deepStrictEqual(readdirSync(place), ["made_up.key"], "no draft is left");
  strictEqual(statSync(`${place}/made_up.key`).mode & 0o777, 0o600);
  notDeepStrictEqual(Uint8Array.from(await keptKey(folder())), Uint8Array.from(key));
});

test("servers that begin at the same time have one key", async () => {
  const place = folder();
  const keys = await Promise.all(Array.from({ length: 8 }, () => keptKey(place)));
  strictEqual(new Set(keys.map((key) => key.toString())).size, 1);
});

test("a file that holds no key is replaced, and a folder that cannot be had is no failure", async () => {
  const place = folder();
  await keptKey(place);
  writeFileSync(`${place}/made_up.key`, "short");
  const key = await keptKey(place);
  deepStrictEqual(Uint8Array.from(await keptKey(place)), Uint8Array.from(key));
  writeFileSync(`${root}/file`, "");
  strictEqual((await keptKey(`${root}/file/below`)).length, 32);
});
