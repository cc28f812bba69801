/**
 * A Maildir with files of any names: each message is listed once, with the octets of its file, and login
 * renames none.
 */

import assert from "node:assert/strict";
import { Buffer, isUtf8 } from "node:buffer";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import { uniqueNameOf } from "../../../src/maildir/file_name.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { fileNamesAreExact } from "../../../src/platform/file_names.ts";
import { TestMaildir } from "../../support/test_maildir.ts";
import { forget, memoryFolder } from "../memory_folder.ts";
import type { FuzzTarget } from "../target.ts";

let root: string | undefined;
let made = 0;

export const fileListing: FuzzTarget = {
  name: "file_listing",
  executions: 500,
  maxOctets: 1_024,
  async attempt(input) {
    const maildir = new TestMaildir(`${root ??= memoryFolder()}/${made++}`);
    try {
      await check(maildir, namesIn(input));
    } finally {
      maildir.delete();
    }
  },
  end: () => forget(root),
};

/** Names that a file system takes, a character an octet; those that this runtime can open. */
function namesIn(input: Uint8Array): string[] {
  return Buffer.from(input).toString("latin1").split("\n").filter((name) =>
    name !== "" && name !== "." && name !== ".." && name.length <= 255 && !/[\0/]/.test(name) &&
    (fileNamesAreExact ||
      isUtf8(Buffer.from(name, "latin1")) && !name.includes("\u00ef\u00bf\u00bd"))
  );
}

async function check(maildir: TestMaildir, names: readonly string[]): Promise<void> {
  for (const [index, name] of names.entries()) {
    maildir.place(name, `Subject: ${index}\n\n${uniqueNameOf(name)}\n`, index % 2 ? "cur" : "new");
  }
  const before = [...maildir.names("new"), ...maildir.names("cur")];
  const wanted = new Set(
    names.filter((name) => !/^[.:]/.test(name)).map(uniqueNameOf),
  );
  const store = new MaildirStore({
    maildir: maildir.path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
  });
  const drop = await store.open({ user: "alice", extra: {} });
  const found: string[] = [];
  for (let number = 1; number <= drop.snapshot.count; number++) {
    const message = await drop.open(number as MessageNumber);
    const chunk = await message.read(new Uint8Array(65_536)) ?? new Uint8Array();
    found.push(Buffer.from(chunk).toString("latin1").split("\n")[2] ?? "");
    await message.close();
  }
  assert.deepEqual([...maildir.names("new"), ...maildir.names("cur")], before);
  // A name may be too long to get a flag.
  await drop.update([], found.map((_, index) => index + 1 as MessageNumber));
  drop.close();
  // The content is UTF-8 of the name's octets.
  const asWritten = [...wanted].map((name) => Buffer.from(name, "utf8").toString("latin1"));
  assert.deepEqual(found.sort(), asWritten.sort());
  const after = [...maildir.names("new"), ...maildir.names("cur")].map(uniqueNameOf);
  assert.deepEqual(new Set(after), new Set(before.map(uniqueNameOf)), "a message is lost");
}
