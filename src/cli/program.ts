/**
 * The command line as a whole: which subcommands there are.
 *
 * *Knows*: the subcommands. *Does not know*: what they do.
 */

import type { Command } from "commander";
import { configCommand } from "./config.ts";
import { deliverCommand } from "./deliver.ts";
import { expireCommand } from "./expire.ts";
import { helpCommand } from "./help.ts";
import { importUidsCommand } from "./import_uids.ts";
import { initCommand } from "./init.ts";
import { mailboxCommand } from "./mailbox.ts";
import { quotaCommand } from "./quota.ts";
import { serveCommand } from "./serve.ts";
import { topCommand } from "./top_command.ts";
import { userCommand } from "./user.ts";
import { versionCommand } from "./version.ts";

/** All commands; making them does nothing yet. */
export function program(): Command {
  return topCommand([
    serveCommand(),
    initCommand(),
    userCommand(),
    mailboxCommand(),
    quotaCommand(),
    deliverCommand(),
    expireCommand(),
    importUidsCommand(),
    configCommand(),
    versionCommand(),
    helpCommand(),
  ]);
}
