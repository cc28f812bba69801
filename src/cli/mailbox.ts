/** `popkeep mailbox`: the group of commands that look at mail. None of them changes anything. */

import { Command } from "commander";
import { withExample } from "./example.ts";
import { mailboxListCommand } from "./mailbox_list.ts";
import { mailboxShowCommand } from "./mailbox_show.ts";

export function mailboxCommand(): Command {
  const command = new Command("mailbox")
    .description("look at mailboxes, without changing them")
    .addCommand(mailboxListCommand())
    .addCommand(mailboxShowCommand());
  return withExample(command, "popkeep mailbox show alice@example.com");
}
