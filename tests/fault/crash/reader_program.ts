/** Opens mailboxes one by one, as a server that has just been started, and says which ids it shows. */

import { writeSync } from "node:fs";
import process from "node:process";
import { CrashMailbox } from "./crash_mailbox.ts";

const [exactSizes, ...folders] = process.argv.slice(2);
for (const folder of folders) {
  const listing = await new CrashMailbox(folder).list({ exactSizes: exactSizes === "true" });
  writeSync(1, `${folder} ${listing.map(([id]) => id).join(" ")}\n`);
}
