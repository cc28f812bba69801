/** Old mail goes only while the mailbox is lent. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Loan, tidyMailbox } from "../../../src/delivery/tidy_mailbox.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

const DAY_MS = 86_400_000;

function pass({ path }: TestMaildir, borrow: () => Promise<Loan | undefined>, leavesOld = false) {
  return tidyMailbox(
    { user: "alice", extra: {} },
    { inbox: path, folders: path, layout: "maildir++", utf8Names: false, root: "/" },
    {
      policy: {
        retentionReadMs: DAY_MS,
        retentionUnreadMs: DAY_MS,
        retentions: [],
        deletedItemRetentionMs: 0,
      },
      uncountedFolders: [],
      borrow,
      leavesOld,
      timeoutMs: 30_000,
      nowMs: Date.now() + 3 * DAY_MS,
    },
  );
}

/** Loans that each end after so many messages, the last one at once for ever. */
function loansOf(counts: readonly number[]) {
  const given: string[] = [];
  let next = 0;
  const borrow = () => {
    let left = counts[next++] ?? 0;
    return Promise.resolve({
      stepMs: 1_000,
      isHeld: () => left-- > 0,
      giveBack: () => Promise.resolve(void given.push("back")),
    });
  };
  return { borrow, given };
}

maildirTest(
  "a loan that ends in the middle, as where the process was stopped, removes nothing more",
  async (maildir) => {
    for (let n = 0; n < 10; n++) maildir.deliver(`${n}\n`);
    const { borrow, given } = loansOf([3, 2]);
    const [inbox] = await pass(maildir, borrow);
    deepStrictEqual([inbox?.removed.messages, inbox?.inUse, inbox?.failed], [5, 5, 0]);
    strictEqual(maildir.files().length, 5);
    strictEqual(given.length, 3, "all are given back");
  },
);

maildirTest("where nobody can ask which mailboxes are open, old mail stays", async (maildir) => {
  maildir.deliver("old\n");
  const [inbox] = await pass(maildir, loansOf([64]).borrow, true);
  deepStrictEqual([inbox?.messages, inbox?.removed.messages], [0, 0]);
  strictEqual(maildir.files().length, 1);
});
