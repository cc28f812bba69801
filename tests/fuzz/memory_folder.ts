/** A folder for what a target writes: in memory where the system has such a place, as no disk is tried here. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

const IN_MEMORY = "/dev/shm";

/** A new one, which is to be forgotten at the end. */
export function memoryFolder(): string {
  return mkdtempSync(`${existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir()}/popkeep-fuzz-`);
}

export function forget(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
