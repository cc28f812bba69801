/**
 * Runs a command line, and says what becomes of its failures.
 *
 * Only what the command needs is loaded: a server that runs for months is no place for the code of all
 * other commands, and starts in two thirds of the time without it.
 *
 * *Knows*: exit codes, where commands are. *Does not know*: what they do.
 */

import process from "node:process";
import { type Command, CommanderError } from "commander";
import { commandLineExit } from "./command_line_exit.ts";
import { DAILY_PASS } from "./daily/daily_argument.ts";
import { failureFrom } from "./failure.ts";
import { listenForWriteErrors, printErrors } from "./output.ts";
import { topCommand } from "./top_command.ts";
import { WORKER } from "./workers/worker_argument.ts";

/**
 * Runs a command line and sets the exit code. A command is over when its promise settles; the process
 * then ends by itself, so that what was printed gets out.
 */
export async function run(args: readonly string[]): Promise<void> {
  listenForWriteErrors();
  let commands: Command | undefined;
  try {
    if (args[0] === WORKER) {
      const { runWorker } = await import("./workers/worker.ts");
      return await runWorker(args.slice(1));
    }
    if (args[0] === DAILY_PASS) {
      const { runDailyPass } = await import("./daily/daily_work.ts");
      return await runDailyPass();
    }
    commands = await commandsFor(args[0]);
    await commands.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      const names = commands?.commands.map((command) => command.name()) ?? [];
      process.exitCode = commandLineExit(error, args, names);
      return;
    }
    const failure = failureFrom(error);
    process.exitCode = failure.exitCode;
    // With standard error gone as well, the exit code is all that can be said.
    await printErrors(failure.messages).catch(() => {});
  }
}

/** The commands, of which all but the one that is named may be missing. */
async function commandsFor(name: string | undefined): Promise<Command> {
  if (name === "serve") return topCommand([(await import("./serve.ts")).serveCommand()]);
  return (await import("./program.ts")).program();
}
