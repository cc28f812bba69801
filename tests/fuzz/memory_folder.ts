/** A folder for what a target writes: in memory where the system has such a place, as no disk is tried here. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

const IN_MEMORY = "/dev/shm";

/** A new one, which is to be forgotten at the end. */
export function memoryFolder(): string {
  return mkdtempSync(`${existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir()}/popkeep-fuzz-`);
}

/** Undefined was never made. */
export function forget(folder: string | undefined): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
