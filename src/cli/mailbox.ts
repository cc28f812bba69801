/** `popkeep mailbox`: the group of commands that look at mailboxes, and put them in order. */

import { Command } from "commander";
import { withExample } from "./example.ts";
import { mailboxCheckCommand } from "./mailbox_check.ts";
import { mailboxCreateCommand } from "./mailbox_create.ts";
import { mailboxDeletedCommand } from "./mailbox_deleted.ts";
import { mailboxExportCommand } from "./mailbox_export.ts";
import { mailboxListCommand } from "./mailbox_list.ts";
import { mailboxRepairCommand } from "./mailbox_repair.ts";
import { mailboxShowCommand } from "./mailbox_show.ts";
import { mailboxStatsCommand } from "./mailbox_stats.ts";
import { mailboxUndeleteCommand } from "./mailbox_undelete.ts";

export function mailboxCommand(): Command {
  const command = new Command("mailbox")
    .description("look at mailboxes, check and repair them, put deleted messages back")
    .addCommand(mailboxListCommand())
    .addCommand(mailboxShowCommand())
    .addCommand(mailboxStatsCommand())
    .addCommand(mailboxCreateCommand())
    .addCommand(mailboxCheckCommand())
    .addCommand(mailboxRepairCommand())
    .addCommand(mailboxExportCommand())
    .addCommand(mailboxDeletedCommand())
    .addCommand(mailboxUndeleteCommand());
  return withExample(command, "popkeep mailbox show alice@example.com");
}
