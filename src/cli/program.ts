/**
 * The command line as a whole: which subcommands there are, and what becomes of their failures.
 *
 * *Knows*: commander, the subcommands. *Does not know*: what they do.
 */

import process from "node:process";
import { Command, CommanderError } from "commander";
import { configCommand } from "./config.ts";
import { ExitCode, exitCodeTable } from "./exit_codes.ts";
import { failureFrom } from "./failure.ts";
import { helpCommand } from "./help.ts";
import { initCommand } from "./init.ts";
import { mailboxCommand } from "./mailbox.ts";
import { listenForWriteErrors, printErrors } from "./output.ts";
import { serveCommand } from "./serve.ts";
import { userCommand } from "./user.ts";
import { VERSION, versionCommand } from "./version.ts";
import { runWorker } from "./workers/worker.ts";
import { WORKER } from "./workers/worker_argument.ts";

/** All commands; making them does nothing yet. */
export function program(): Command {
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
  for (const make of [serveCommand, initCommand, userCommand, mailboxCommand]) {
    top.addCommand(make());
  }
  top.addCommand(configCommand()).addCommand(versionCommand()).addCommand(helpCommand());
  for (const command of allCommands(top)) configure(command);
  return top;
}

/**
 * Runs a command line and sets the exit code. A command is over when its promise settles; the process
 * then ends by itself, so that what was printed gets out.
 */
export async function run(args: readonly string[]): Promise<void> {
  listenForWriteErrors();
  try {
    if (args[0] === WORKER) return await runWorker(args.slice(1));
    await program().parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
      return;
    }
    const failure = failureFrom(error);
    process.exitCode = failure.exitCode;
    // With standard error gone as well, the exit code is all that can be said.
    await printErrors(failure.messages).catch(() => {});
  }
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
