/** Which old messages are taken for which present ones. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import type { OldMaildrop } from "../../../src/moving/old_maildrop.ts";
import { pairedIds } from "../../../src/moving/pairing.ts";
import { PresentMessages } from "../../../src/moving/present_messages.ts";
import { NO_PROGRESS } from "../../../src/moving/progress.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

interface OldOne {
  readonly header: string | undefined;
  readonly octets: number;
}

/** Ids of old messages are a, b, c, ... in their order. */
function oldMaildrop(ones: readonly OldOne[]): OldMaildrop {
  return {
    messages: ones.map(({ octets }, index) => ({ id: "abcdef"[index]!, octets })),
    remarks: [],
    async *headers() {
      for (const { header } of ones) {
        yield await Promise.resolve(header === undefined ? undefined : Buffer.from(header));
      }
    },
  };
}

/** Old ids by unique name, and what is remarked. */
async function paired({ path }: TestMaildir, ones: readonly OldOne[]) {
  const present = await PresentMessages.of(new MailboxDisk(path));
  const { ids, order, remarks } = await pairedIds(present, oldMaildrop(ones), NO_PROGRESS);
  const found = Object.fromEntries(
    order.map((row) => [present.table.uniqueNameOf(row), ids[row]]),
  );
  return { found, remarks };
}

const HEADER = "Subject: one\r\nMessage-ID: <1@example.org>\r\n";
/** As a file has it, and as POP3 counts: three line ends. */
const MESSAGE = "Subject: one\nMessage-ID: <1@example.org>\n\ntext";
const EXACT = MESSAGE.length + 3 + 2;

maildirTest(
  "a message with that header and size is the same one, by either way to count",
  async (maildir) => {
    const name = maildir.deliver(MESSAGE);
    for (const octets of [EXACT, MESSAGE.length]) {
      const { found, remarks } = await paired(maildir, [{ header: HEADER, octets }]);
      assert.deepEqual([found, remarks], [{ [name]: "a" }, []]);
    }
  },
);

maildirTest(
  "fields that servers add, and blanks at line ends, make no difference",
  async (maildir) => {
    const name = maildir.deliver(`Return-Path: <x@y>\nDelivered-To: z\n${MESSAGE}`);
    const header = "X-UIDL: 5\r\nSubject:  one \r\nStatus: RO\r\nMessage-ID: <1@example.org>\r\n";
    assert.deepEqual((await paired(maildir, [{ header, octets: 1 }])).found, { [name]: "a" });
  },
);

maildirTest(
  "another size is none of a header without Message-ID, nor of one that is there twice",
  async (maildir) => {
    maildir.deliver("Subject: cron\n\nyesterday");
    const cron = { header: "Subject: cron\r\n", octets: 1 };
    const { found, remarks } = await paired(maildir, [cron]);
    assert.deepEqual(found, {});
    assert.deepEqual(remarks, ["1 message of the old server is not here"]);
    maildir.deliver(MESSAGE);
    maildir.deliver(`${MESSAGE} and more`);
    assert.deepEqual((await paired(maildir, [{ header: HEADER, octets: 1 }])).found, {});
  },
);

maildirTest(
  "two old messages with one header are not taken for one of another size",
  async (maildir) => {
    maildir.deliver(MESSAGE);
    const both = [{ header: HEADER, octets: 1 }, { header: HEADER, octets: 2 }];
    assert.deepEqual((await paired(maildir, both)).found, {});
  },
);

maildirTest("a message with another header is another one, whatever its size", async (maildir) => {
  maildir.deliver(MESSAGE);
  const header = HEADER.replace("one", "two");
  assert.deepEqual((await paired(maildir, [{ header, octets: EXACT }])).found, {});
});

maildirTest("copies are paired in their order, and the exact size goes first", async (maildir) => {
  const [first, second] = [maildir.deliver(MESSAGE), maildir.deliver(MESSAGE)];
  const longer = maildir.deliver(`${MESSAGE}${"x".repeat(5)}`);
  const copy = { header: HEADER, octets: EXACT };
  const other = { header: HEADER, octets: EXACT + 5 };
  const { found } = await paired(maildir, [other, copy, copy, copy]);
  assert.deepEqual(found, { [longer]: "a", [first]: "b", [second]: "c" });
});

maildirTest("what the old server does not give a header of is not paired", async (maildir) => {
  maildir.deliver(MESSAGE);
  const { found, remarks } = await paired(maildir, [{ header: undefined, octets: EXACT }]);
  assert.deepEqual([found, remarks.length], [{}, 1]);
});
