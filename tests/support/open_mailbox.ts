/** Opens the Maildir that its argument names, as a server that has just started, and prints the unique-ids. */

import process from "node:process";
import { Mailbox } from "../../src/maildir/mailbox.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";

const snapshot = await new Mailbox(process.argv[2] ?? "", { exactSizes: false }).refresh();
for (let n = 1; n <= snapshot.count; n++) console.log(snapshot.uniqueIdOf(n as MessageNumber));
