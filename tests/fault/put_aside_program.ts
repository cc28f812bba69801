/** Deletes all messages of the Maildir that its argument names, as a session's QUIT does where they are kept. */

import process from "node:process";
import { MaildirStore } from "../../src/maildir/maildir_store.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";

const store = new MaildirStore({
  maildir: process.argv[2] ?? "",
  exactSizes: false,
  sortOrder: "ascending",
  markRetrievedAsSeen: true,
  keepsDeleted: true,
});
const drop = await store.open({ user: "alice", extra: {} });
const all = Array.from({ length: drop.snapshot.count }, (_, at) => at + 1 as MessageNumber);
const { left } = await drop.update(all, []);
drop.close();
process.stdout.write(left === 0 ? "done\n" : "some are left\n");
