/** `popkeep quota`: the group of commands about how much mail users have and may have. */

import { Command } from "commander";
import { withExample } from "./example.ts";
import { quotaRecalculateCommand } from "./quota_recalculate.ts";
import { quotaShowCommand } from "./quota_show.ts";

export function quotaCommand(): Command {
  const command = new Command("quota")
    .description("tell how full mailboxes are, and count the mail in them anew")
    .addCommand(quotaShowCommand())
    .addCommand(quotaRecalculateCommand());
  return withExample(command, "popkeep quota show");
}
