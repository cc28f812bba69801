import { deepStrictEqual, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const root = fileURLToPath(new URL("../../../", import.meta.url));

const threads = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .filter((file) => /\bparentPort\b/.test(readFileSync(`${root}src/${file}`, "utf8")))
  .map((file) => `src/${file}`)
  .sort();

for (const made of ["Makefile", "scripts/compile_with_deno.sh"]) {
  test(`every thread's file is in the executable that ${made} makes`, () => {
    ok(threads.includes("src/maildir/listing_worker.ts"), threads.join());
    const named = readFileSync(`${root}${made}`, "utf8").match(/\bsrc\/[\w/]+_worker\.ts\b/g) ?? [];
    deepStrictEqual(named.sort(), threads);
  });
}
