/** Options that contradict each other: `--ntlm` and `--no-ntlm`. */

import type { Command } from "commander";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

/** Refuses an option together with its opposite: commander would take the later without a word. */
export function refuseBoth(command: Command, option: string): void {
  const given = new Set<string>();
  for (const one of [option, `no-${option}`]) {
    command.on(`option:${one}`, () => {
      given.add(one);
      if (given.size < 2) return;
      throw new Failure(ExitCode.usage, `--${option} and --no-${option} contradict each other`);
    });
  }
}
