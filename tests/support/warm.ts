/** Asking about files that the system has at hand, in tests. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { foreignMemory } from "../../src/platform/foreign_functions.ts";
import { openWarm } from "../../src/platform/warm_files.ts";

/** Asks until the filesystem is known for local: the first question about one is answered later. */
export async function known<T>(ask: () => T | undefined, tries = 1_000): Promise<T> {
  for (let asked = 0; asked < tries; asked++) {
    const answer = ask();
    if (answer !== undefined) return answer;
    await sleep(10);
  }
  throw new Error("The temporary folder is on no filesystem that answers at once");
}

/** Why files cannot be looked at at once here, where tests make theirs; false where they can. */
export const noWarmFiles: string | false = await warmFilesMissing();

async function warmFilesMissing(): Promise<string | false> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-warm-`);
  try {
    writeFileSync(`${folder}/file`, "x");
    const file = await known(() => openWarm(`${folder}/file`), 50);
    const octets = file.read(foreignMemory(1), 0);
    file.close();
    return octets === 1 ? false : `reading without a wait is not possible in ${tmpdir()}`;
  } catch {
    return `${tmpdir()} is on a filesystem, or a system, that does not answer at once`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
