import assert from "node:assert/strict";
import { test } from "node:test";
import { openFilesLimit } from "../../../src/platform/open_files.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
`;

test("the limit that holds is the soft one", () => {
  assert.equal(openFilesLimit(() => LIMITS), 1_024);
});

test("unlimited is more than any number", () => {
  assert.equal(openFilesLimit(() => LIMITS.replace("1024", "unlimited")), Infinity);
});

test("where nothing is told nothing is known", () => {
  assert.equal(openFilesLimit(() => "something else"), undefined);
  assert.equal(
    openFilesLimit(() => {
      throw new Error("no such file");
    }),
    undefined,
  );
});

test("the system's own limit is a number above what a process has open at its start", () => {
  const limit = openFilesLimit();
  assert.ok(limit === undefined || limit > 10);
});
