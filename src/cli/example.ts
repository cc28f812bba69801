/** The example that every command's help ends with. */

import type { Command } from "commander";

/** Adds examples to a command's help; each is a command line. */
export function withExample(command: Command, ...lines: readonly string[]): Command {
  const title = lines.length === 1 ? "Example" : "Examples";
  const examples = lines.map((line) => `  ${line}`).join("\n");
  return command.addHelpText("after", `\n${title}:\n${examples}`);
}
