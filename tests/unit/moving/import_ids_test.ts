/** What an import does to a Maildir's list, and what clients then see. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { importIds } from "../../../src/moving/import_ids.ts";
import type { OldIds } from "../../../src/moving/old_ids.ts";
import { PresentMessages } from "../../../src/moving/present_messages.ts";
import { maildirTest, TestMaildir } from "../../support/test_maildir.ts";

/** Old ids by unique name, in the old server's order. */
type Old = readonly (readonly [name: string, id: string])[];

async function run(maildir: TestMaildir, old: Old, { replace = false, dryRun = false } = {}) {
  const present = await PresentMessages.of(new MailboxDisk(maildir.path));
  const ids: (string | undefined)[] = new Array(present.table.count).fill(undefined);
  const order = old.map(([name, id]) => {
    const row = present.table.findText(name);
    ids[row] = id;
    return row;
  });
  const oldIds: OldIds = { ids, order, remarks: [] };
  return await importIds(present, oldIds, { replace, dryRun });
}

/** `ID NAME` as clients see them; by a server that has just started, or by one that runs. */
async function shown({ path }: TestMaildir, mailbox = new Mailbox(path, { exactSizes: false })) {
  const snapshot = await mailbox.refresh();
  return Array.from({ length: snapshot.count }, (_, index) => {
    const number = index + 1 as MessageNumber;
    return `${snapshot.uniqueIdOf(number)} ${snapshot.entryOf(number).uniqueName}`;
  });
}

maildirTest(
  "old unique-ids stay, in the old order, and new mail is counted above decimal ones",
  async (maildir) => {
    const [a, b, c] = [maildir.deliver("a"), maildir.deliver("b"), maildir.deliver("c")];
    // In the year 2026 of microseconds; popkeep's own counter is lower.
    const high = String(Date.now() * 1_000 + 10 ** 12);
    const plan = await run(maildir, [[c, "4f2a.7"], [a, high]]);
    assert.equal(plan.counts.kept, 2);
    assert.equal(plan.counts.unlisted, 1);
    const listing = await shown(maildir);
    assert.deepEqual(listing.slice(0, 2), [`4f2a.7 ${c}`, `${high} ${a}`]);
    const [own, name] = listing[2]!.split(" ");
    assert.equal(name, b);
    assert.ok(BigInt(own!) > BigInt(high), `${own} is above ${high}`);
  },
);

maildirTest("an id that was replaced is not shown for another message", async (maildir) => {
  const [a, b] = [maildir.deliver("a"), maildir.deliver("b")];
  await run(maildir, [[a, "x"]]);
  const old: Old = [[a, "y"], [b, "x"]];
  const plan = await run(maildir, old, { replace: true });
  assert.equal(plan.counts.taken, 1);
  assert.equal(
    (await run(maildir, old, { replace: true })).counts.taken,
    1,
    "nor by another import",
  );
  const [first, second] = await shown(maildir);
  assert.equal(first, `y ${a}`);
  assert.match(second!, /^\d+ /);
});

maildirTest("a second import changes nothing, and says so", async (maildir) => {
  const old: Old = [[maildir.deliver("a"), "x"], [maildir.deliver("b"), "with space"]];
  const first = await run(maildir, old);
  assert.deepEqual(first.mapped.map(({ old }) => old), ["with space"]);
  const before = readFileSync(maildir.sidecar, "utf8");
  const again = await run(maildir, old);
  assert.equal(again.counts.same, 2);
  assert.equal(readFileSync(maildir.sidecar, "utf8"), before);
});

maildirTest("a dry run tells the same and makes nothing", async (maildir) => {
  const old: Old = [[maildir.deliver("a"), "x"], [maildir.deliver("b"), "x"]];
  const names = readdirSync(maildir.path);
  const dry = await run(maildir, old, { dryRun: true });
  assert.deepEqual(readdirSync(maildir.path), names);
  assert.deepEqual((await run(maildir, old)).counts, dry.counts);
  assert.ok(existsSync(maildir.sidecar));
});

maildirTest(
  "of two messages with one old unique-id the first in the old order keeps it",
  async (maildir) => {
    const [a, b] = [maildir.deliver("a"), maildir.deliver("b")];
    const plan = await run(maildir, [[b, "twin"], [a, "twin"]]);
    assert.equal(plan.counts.duplicate, 1);
    const [first, second] = await shown(maildir);
    assert.equal(first, `twin ${b}`);
    assert.match(second!, new RegExp(`^[0-9]+ ${a}$`));
  },
);

maildirTest(
  "what popkeep has given stays, and what it has not is carried over behind it",
  async (maildir) => {
    const a = maildir.deliver("a");
    const before = await shown(maildir);
    const b = maildir.deliver("b");
    const plan = await run(maildir, [[b, "old-b"], [a, "old-a"]]);
    assert.deepEqual([plan.counts.given, plan.counts.kept], [1, 1]);
    assert.deepEqual(await shown(maildir), [...before, `old-b ${b}`]);
  },
);

maildirTest(
  "with replace, old unique-ids and their order go before what popkeep has given",
  async (maildir) => {
    const [a, b, c, d] = [1, 2, 3, 4].map((n) => maildir.deliver(`${n}`));
    const running = new Mailbox(maildir.path, { exactSizes: false });
    const before = await shown(maildir, running);
    const plan = await run(maildir, [[c!, "old-c"], [a!, "old-a"]], { replace: true });
    assert.equal(plan.counts.replaced, 2);
    const wanted = [`old-c ${c}`, `old-a ${a}`, before[1]!, before[3]!];
    assert.deepEqual(await shown(maildir), wanted);
    assert.deepEqual(await shown(maildir, running), wanted, "a server that runs sees the same");
    const e = maildir.deliver("e");
    const newest = (await shown(maildir)).at(-1)!;
    assert.ok(newest.endsWith(e));
    assert.ok(BigInt(newest.split(" ")[0]!) > BigInt(before[3]!.split(" ")[0]!));
    assert.equal(before[1], `${before[1]!.split(" ")[0]} ${b}`);
    assert.equal(before[3], `${before[3]!.split(" ")[0]} ${d}`);
    const again = await run(maildir, [[c!, "old-c"], [a!, "old-a"]], { replace: true });
    assert.deepEqual([again.counts.same, again.lines.length], [2, 0]);
  },
);

maildirTest(
  "an unique-id that popkeep has shown for another message is not given again",
  async (maildir) => {
    const a = maildir.deliver("a");
    await run(maildir, [[a, "x"]]);
    const store = new MaildirStore({
      maildir: maildir.path,
      exactSizes: false,
      sortOrder: "ascending",
      markRetrievedAsSeen: false,
    });
    const drop = await store.open({ user: "alice", extra: {} });
    await drop.update([1 as MessageNumber], []);
    drop.close();
    const b = maildir.deliver("b");
    const plan = await run(maildir, [[b, "x"]]);
    assert.equal(plan.counts.taken, 1);
    assert.match((await shown(maildir))[0]!, /^[0-9]+ /);
  },
);

maildirTest(
  "an unique-id of popkeep's that the list has forgotten is given to no other message",
  async (maildir) => {
    for (let n = 0; n < 80; n++) maildir.deliver(`${n}`);
    const store = new MaildirStore({
      maildir: maildir.path,
      exactSizes: false,
      sortOrder: "ascending",
      markRetrievedAsSeen: false,
    });
    const drop = await store.open({ user: "alice", extra: {} });
    const id = drop.snapshot.uniqueIdOf(1 as MessageNumber);
    await drop.update(Array.from({ length: 80 }, (_, index) => index + 1 as MessageNumber), []);
    drop.close();
    maildir.deliver("has the list written anew");
    (await store.open({ user: "alice", extra: {} })).close();
    assert.ok(!readFileSync(maildir.sidecar, "utf8").includes(id), "the list has forgotten it");
    const b = maildir.deliver("b");
    const old: Old = [[b, id]];
    assert.equal((await run(maildir, old)).counts.taken, 1);
    assert.equal((await run(maildir, old, { replace: true })).counts.taken, 1);
    // Where popkeep has given none, it is another server's.
    const elsewhere = new TestMaildir();
    try {
      elsewhere.deliver("b", b);
      assert.equal((await run(elsewhere, old)).counts.kept, 1);
    } finally {
      elsewhere.delete();
    }
  },
);

maildirTest(
  "a session that is open while ids are replaced removes nothing that it marked, and says so",
  async (maildir) => {
    const a = maildir.deliver("a");
    const store = new MaildirStore({
      maildir: maildir.path,
      exactSizes: false,
      sortOrder: "ascending",
      markRetrievedAsSeen: false,
    });
    const drop = await store.open({ user: "alice", extra: {} });
    await run(maildir, [[a, "x"]], { replace: true });
    const later = await store.open({ user: "alice", extra: {} });
    assert.equal(later.snapshot.uniqueIdOf(1 as MessageNumber), "x");
    assert.deepEqual(await drop.update([1 as MessageNumber], []), { removed: 0, left: 1 });
    assert.deepEqual(await shown(maildir), [`x ${a}`]);
  },
);

maildirTest(
  "a list that was damaged is kept beside the one that is imported into",
  async (maildir) => {
    const a = maildir.deliver("a");
    writeFileSync(maildir.sidecar, "popkeep-uidlist 1\nnext 5\nnonsense\n");
    await run(maildir, [[a, "x"]]);
    assert.deepEqual(await shown(maildir), [`x ${a}`]);
    assert.match(readFileSync(`${maildir.sidecar}.damaged`, "utf8"), /nonsense/);
  },
);

test("a folder that is no Maildir is refused", async () => {
  await assert.rejects(PresentMessages.of(new MailboxDisk("/nowhere/at/all")), /no Maildir/);
});
