/** Waits for files that do not answer, and looks at one that does; for disk_threads_test.ts. */

import { open, stat } from "node:fs/promises";
import process from "node:process";
import { allowDiskThreads } from "../../../src/platform/disk_threads.ts";

const [threads, ...silent] = process.argv.slice(2);
allowDiskThreads(Number(threads));
// A FIFO that nobody writes to.
for (const file of silent) void open(file, "r").catch(() => {});
const found = await stat(".");
console.log(found.isDirectory() ? "answered" : "odd");
process.exit(0);
