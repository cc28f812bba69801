/** Puts all deleted messages of the Maildir that its argument names back, as `popkeep mailbox undelete` does. */

import process from "node:process";
import { listDeleted } from "../../src/maildir/deleted_messages.ts";
import { MailboxDisk } from "../../src/maildir/mailbox_disk.ts";
import { restoreDeleted } from "../../src/maildir/restore_deleted.ts";

const disk = new MailboxDisk(process.argv[2] ?? "");
await restoreDeleted(disk, await listDeleted(disk));
process.stdout.write("done\n");
