/** `popkeep help`: the help of a command, or of all of popkeep. */

import { Command } from "commander";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printable } from "./printable.ts";

/** Commander has one of its own, which goes one level deep and takes any word. */
export function helpCommand(): Command {
  const command = new Command("help")
    .description("print the help of a command")
    .argument("[command...]", "its words, such as: mailbox show");
  command.action((words: readonly string[]) => {
    const top = command.parent ?? command;
    let found = top;
    for (const word of words) {
      const next = found.commands.find((one) => one.name() === word);
      if (next === undefined) {
        const name = printable(words.join(" "));
        throw new Failure(ExitCode.usage, `there is no command ${name}; see ${top.name()} --help`);
      }
      found = next;
    }
    found.outputHelp();
  });
  return withExample(command, "popkeep help mailbox show");
}
