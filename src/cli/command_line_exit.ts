/**
 * With which code a command line ends that no command was run for: commander found it wrong, or printed help.
 *
 * With `deliver` in it, a mail system may have a message on standard input: one that it would give back to the
 * sender for a command line that is wrong, and take for delivered where help was printed.
 *
 * *Knows*: exit codes. *Does not know*: which options there are.
 */

import { fstatSync } from "node:fs";
import type { CommanderError } from "commander";
import { ExitCode } from "./exit_codes.ts";

/** @param commandNames Names of all commands; the first that stands in the line is meant. */
export function commandLineExit(
  { exitCode }: CommanderError,
  args: readonly string[],
  commandNames: readonly string[],
): ExitCode {
  const isDelivery = args.find((word) => commandNames.includes(word)) === "deliver";
  if (exitCode !== 0) return isDelivery ? ExitCode.temporary : ExitCode.usage;
  return isDelivery && mayBringMessage() ? ExitCode.temporary : ExitCode.ok;
}

/** Whether standard input is anything but a terminal or /dev/null: mail comes by pipes, sockets and files. */
function mayBringMessage(): boolean {
  try {
    return !fstatSync(0).isCharacterDevice();
  } catch {
    return true;
  }
}
