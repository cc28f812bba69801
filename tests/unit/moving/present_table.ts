/** Tables of messages in cur/, as a look into a Maildir makes them; a row a name, in their order. */

import { MessageTable } from "../../../src/maildir/message_table.ts";
import { staged } from "../../../src/maildir/name_blocks.ts";

export function presentTable(names: readonly string[]): MessageTable {
  const table = new MessageTable();
  for (const name of names) {
    staged.putText(name);
    table.find();
    const row = table.add();
    table.setStored(row, 10);
    table.setPlace(row, "cur", ":2,S");
  }
  return table;
}
