/**
 * Imports of any old ids into any mailbox, again and again, with logins and deliveries between: no id is shown for
 * two messages or changes untold, and old ids come in the old order.
 */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { Mailbox } from "../../src/maildir/mailbox.ts";
import { MailboxDisk } from "../../src/maildir/mailbox_disk.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { importIds } from "../../src/moving/import_ids.ts";
import type { OldIds } from "../../src/moving/old_ids.ts";
import { PresentMessages } from "../../src/moving/present_messages.ts";
import { countedValue, shownId } from "../../src/moving/shown_ids.ts";
import { testProperty } from "../support/property.ts";
import { TestMaildir } from "../support/test_maildir.ts";

/** Ids that meet each other, popkeep's counter, and the limits of what can be shown. */
const oldId = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "UID1-2",
    "UID2-2",
    "7",
    "007",
    "",
    "with space",
    "\xe9",
    "x".repeat(71),
  ),
  fc.constantFrom("9007199254740991", "7881299347898367", "7881299347898368", "9".repeat(20)),
  // About what the counter gives now.
  fc.nat({ max: 1_000_000 }).map((more) => String(Date.now() * 1_000 + more * 1_000)),
);

/** Ids by message, in the order of the pairs. */
const oldIds = fc.uniqueArray(fc.tuple(fc.nat({ max: 9 }), oldId), {
  selector: ([message]) => message,
});

const step = fc.oneof(
  fc.record({ what: fc.constant("import" as const), ids: oldIds, replace: fc.boolean() }),
  fc.record({ what: fc.constant("login" as const) }),
  fc.record({ what: fc.constant("deliver" as const) }),
  fc.record({ what: fc.constant("remove" as const), which: fc.nat() }),
);

testProperty(
  "old unique-ids that are imported stay, in their order, and none is shown for two messages",
  fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
    const maildir = new TestMaildir();
    try {
      const world = new World(maildir);
      for (let messages = 0; messages < 3; messages++) world.deliver();
      for (const step of steps) {
        if (step.what === "import") await world.import(step.ids, step.replace);
        else if (step.what === "login") await world.login();
        else if (step.what === "deliver") world.deliver();
        else world.remove(step.which);
      }
      await world.login();
    } finally {
      rmSync(maildir.path.replace(/\/Maildir$/, ""), { recursive: true, force: true });
    }
  }),
  60,
);

class World {
  readonly #maildir: TestMaildir;
  /** Of those that are there, by the number in the order of their delivery. */
  readonly #names = new Map<number, string>();
  #delivered = 0;
  /** What is known to be shown for a message, by name. */
  readonly #shown = new Map<string, string>();
  /** All that ever was, with the message's name. */
  readonly #owners = new Map<string, string>();
  /** As high as decimal ids that were imported go. */
  #highest = 0;

  constructor(maildir: TestMaildir) {
    this.#maildir = maildir;
  }

  deliver(): void {
    this.#names.set(this.#delivered++, this.#maildir.deliver(`${this.#delivered}`));
  }

  remove(which: number): void {
    const [number, name] = [...this.#names][which % Math.max(1, this.#names.size)] ?? [];
    if (number === undefined || name === undefined) return;
    this.#names.delete(number);
    this.#shown.delete(name);
    this.#maildir.remove(`new/${name}`);
  }

  async import(pairs: readonly (readonly [number, string])[], replace: boolean): Promise<void> {
    const present = await PresentMessages.of(new MailboxDisk(this.#maildir.path));
    const ids: (string | undefined)[] = new Array(present.table.count).fill(undefined);
    const order: number[] = [];
    for (const [number, id] of pairs) {
      const name = this.#names.get(number);
      if (name === undefined) continue;
      const row = present.table.findText(name);
      ids[row] = id;
      order.push(row);
    }
    const old: OldIds = { ids, order, remarks: [] };
    const dry = await importIds(present, old, { replace, dryRun: true });
    const done = await importIds(present, old, { replace, dryRun: false });
    assert.deepEqual(done.counts, dry.counts, "a dry run tells what is done");
    const total = Object.values(done.counts).reduce((sum, count) => sum + count, 0);
    assert.equal(total, present.rows.length, "each message is counted once");
    for (const { row, shown } of done.lines) {
      const name = present.table.uniqueNameOf(row);
      // Only an import that replaces may change what was shown.
      if (this.#shown.get(name) !== shown) assert.ok(replace || !this.#shown.has(name));
      this.#shown.set(name, shown);
      if (ids[row] !== undefined && shownId(ids[row]).shown === shown) {
        this.#highest = Math.max(this.#highest, countedValue(shown) ?? 0);
      }
    }
    const again = await importIds(present, old, { replace, dryRun: false });
    assert.equal(again.lines.length, 0, "a second import has nothing to do");
    const listing = await this.login();
    const imported = done.lines.map(({ shown }) => String(shown));
    const inOrder = listing.filter((id) => imported.includes(id));
    assert.deepEqual(inOrder, imported, "in the old order");
  }

  /** A server that has just started; what it shows. */
  async login(): Promise<string[]> {
    const snapshot = await new Mailbox(this.#maildir.path, { exactSizes: false }).refresh();
    assert.equal(snapshot.count, this.#names.size);
    const ids: string[] = [];
    for (let number = 1; number <= snapshot.count; number++) {
      const id: string = snapshot.uniqueIdOf(number as MessageNumber);
      const name = snapshot.entryOf(number as MessageNumber).uniqueName;
      ids.push(id);
      const known = this.#shown.get(name);
      if (known !== undefined) assert.equal(id, known, `what is shown for ${name}`);
      else assert.ok(Number(id) > this.#highest, `${id} is counted above ${this.#highest}`);
      assert.equal(this.#owners.get(id) ?? name, name, `${id} was shown for another message`);
      this.#owners.set(id, name);
      this.#shown.set(name, id);
    }
    assert.equal(new Set(ids).size, ids.length, "no id is shown twice");
    return ids;
  }
}
