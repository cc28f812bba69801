/**
 * The command line by which a process like this one is started: the executable itself, or a runtime with
 * the program's sources.
 *
 * Deno hands no permissions down: what it starts gets all of them, as a program that Deno may start has
 * them anyway.
 *
 * *Knows*: which runtime this is. *Does not know*: what the program takes as arguments.
 */

import process from "node:process";
import { fileURLToPath } from "node:url";

/** Where Bun's executables have their modules; see worker_location.ts. */
const BUN_DISKS = ["/$bunfs/", "/~BUN/"];

export function ownCommand(): readonly [command: string, ...first: string[]] {
  const command = process.execPath;
  if (isOwnExecutable()) return [command];
  if ("Deno" in globalThis) {
    return [command, "run", "-A", "--no-check", fileURLToPath(Deno.mainModule)];
  }
  return [command, process.argv[1] ?? ""];
}

/** Whether this process is the executable, and not a runtime with the program's sources. */
export function isOwnExecutable(): boolean {
  if ("Deno" in globalThis) return Deno.build.standalone;
  const main = process.argv[1] ?? "";
  return BUN_DISKS.some((disk) => main.includes(disk));
}
