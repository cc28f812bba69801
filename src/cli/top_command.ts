/**
 * The command line around the subcommands: its help, and what it says of words that it does not know.
 *
 * *Knows*: commander. *Does not know*: which subcommands there are.
 */

import { Command } from "commander";
import { exitCodeTable } from "./exit_codes.ts";
import { VERSION } from "./version.ts";

/** `popkeep` with these subcommands. */
export function topCommand(commands: readonly Command[]): Command {
  const top = new Command("popkeep")
    .description("A POP3 server that serves Maildir folders in place.")
    .version(VERSION, "--version", "print the version")
    .addHelpText(
      "after",
      `
Examples:
  popkeep init mail && popkeep serve --config mail/popkeep.toml
  popkeep user add alice@example.com --config mail/popkeep.toml

Exit codes:
${exitCodeTable("  ")}`,
    );
  for (const command of commands) top.addCommand(command);
  for (const command of allCommands(top)) configure(command);
  return top;
}

/** A command and all below it. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function configure(command: Command): void {
  command.exitOverride();
  command.helpCommand(false);
  command.configureOutput({
    outputError: (text, write) => {
      // One sentence: commander puts its "Did you mean" on a second line.
      const sentence = text.replace(/^error: /, "").trim().replaceAll("\n", " ");
      write(`popkeep: ${sentence}; see ${pathOf(command)} --help\n`);
    },
  });
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
