/**
 * Whatever is done to a mailbox, by two servers at once and by others behind their back: an id is only
 * ever one message's, ids rise in the order of the listing, sizes add up, and each snapshot stays as it is.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { copyFileSync, existsSync, renameSync, rmSync, truncateSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { MaildirStore } from "../../src/maildir/maildir_store.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { type Maildrop, MessageGone } from "../../src/maildrop/store.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

type Step =
  | { do: "deliver" | "flag" | "remove" | "hide" | "unhide"; which: number }
  | { do: "login" | "restart" | "delete-through"; server: 0 | 1; which: number }
  | { do: "lose" | "backup" | "restore" | "tear"; which: number };

const which = fc.nat({ max: 30 });
const server = fc.constantFrom<0 | 1>(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("deliver" as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("login" as const, "restart" as const),
      server,
      which,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("delete-through" as const), server, which }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("flag" as const, "remove" as const, "hide" as const, "unhide" as const),
      which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("lose" as const, "backup" as const, "restore" as const, "tear" as const),
      which,
    }),
  },
);

class World {
  readonly maildir = new TestMaildir();
  readonly #stores = [this.#store(), this.#store()];
  readonly #hidden: string[] = [];
  /** Which message an id was ever shown for. */
  readonly #tokenOfId = new Map<string, string>();
  #delivered = 0;

  #store(): MaildirStore {
    return new MaildirStore({
      maildir: this.maildir.path,
      exactSizes: true,
      sortOrder: "ascending",
      markRetrievedAsSeen: true,
    });
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "deliver":
        this.maildir.deliver(`token ${this.#delivered++}\n`);
        return;
      case "login":
        return await this.#look(step.server);
      case "restart":
        this.#stores[step.server] = this.#store();
        return await this.#look(step.server);
      case "delete-through":
        return await this.#deleteThrough(step.server, step.which);
      case "flag":
        return this.#move(step.which, (name) => `cur/${name}:2,${"FRS".slice(step.which % 3)}`);
      case "remove":
        return this.#move(step.which, undefined);
      case "hide":
        return this.#move(step.which, (name) => {
          this.#hidden.push(name);
          return `tmp/${name}`;
        });
      case "unhide": {
        const name = this.#hidden.pop();
        if (name !== undefined) this.maildir.rename(`tmp/${name}`, `cur/${name}`);
        return;
      }
      case "lose":
        rmSync(this.maildir.sidecar, { force: true });
        // A list that is made from nothing counts from the clock, and in the same millisecond from the same number.
        return void await sleep(2);
      case "backup":
        if (existsSync(this.maildir.sidecar)) copyFileSync(this.maildir.sidecar, this.#backup);
        return;
      case "restore":
        if (existsSync(this.#backup)) copyFileSync(this.#backup, this.maildir.sidecar);
        return;
      case "tear":
        if (existsSync(this.maildir.sidecar)) truncateSync(this.maildir.sidecar, step.which * 7);
        return void await sleep(2);
    }
  }

  get #backup(): string {
    return `${this.maildir.path}/backup`;
  }

  #move(which: number, target: ((uniqueName: string) => string) | undefined): void {
    const files = (["new", "cur"] as const).flatMap((folder) =>
      this.maildir.names(folder).map((name) => `${folder}/${name}`)
    );
    const file = files[which % Math.max(1, files.length)];
    if (file === undefined) return;
    const uniqueName = file.slice(4).replace(/:.*/, "");
    if (target === undefined) rmSync(`${this.maildir.path}/${file}`);
    else renameSync(`${this.maildir.path}/${file}`, `${this.maildir.path}/${target(uniqueName)}`);
  }

  async #look(server: 0 | 1): Promise<void> {
    const drop = await this.#open(server);
    await this.#check(drop);
    drop.close();
  }

  async #open(server: 0 | 1): Promise<Maildrop> {
    return await (this.#stores[server] as MaildirStore).open({ user: "alice", extra: {} });
  }

  async #check(drop: Maildrop): Promise<void> {
    const { snapshot } = drop;
    const present = [...this.maildir.names("new"), ...this.maildir.names("cur")];
    assert.equal(snapshot.count, new Set(present.map((name) => name.replace(/:.*/, ""))).size);
    let total = 0;
    let before = 0;
    for (let n = 1; n <= snapshot.count; n++) {
      const number = n as MessageNumber;
      const id = snapshot.uniqueIdOf(number);
      assert.ok(Number(id) > before, `${id} comes after ${before}`);
      before = Number(id);
      const token = await contentOf(drop, number);
      assert.equal(this.#tokenOfId.get(id) ?? token, token, `unique-id ${id} was given twice`);
      this.#tokenOfId.set(id, token);
      assert.equal(snapshot.octetsOf(number), token.length + 1, "exact size");
      total += snapshot.octetsOf(number);
    }
    assert.equal(snapshot.totalOctets, total);
  }

  async #deleteThrough(server: 0 | 1, which: number): Promise<void> {
    const drop = await this.#open(server);
    const { count } = drop.snapshot;
    if (count > 0) {
      const number = (which % count + 1) as MessageNumber;
      const token = await contentOf(drop, number);
      await drop.update([number], []);
      await assert.rejects(
        async () => await drop.open(number),
        MessageGone,
        `${token} is still there`,
      );
    }
    drop.close();
  }
}

async function contentOf(drop: Maildrop, number: MessageNumber): Promise<string> {
  const message = await drop.open(number);
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = await message.read(new Uint8Array(65_536))) !== undefined;) {
    chunks.push(chunk);
  }
  await message.close();
  return Buffer.concat(chunks).toString("latin1");
}

test(`a mailbox keeps its promises through anything (POPKEEP_SEED=${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new World();
      try {
        for (const each of steps) await world.take(each);
        await world.take({ do: "restart", server: 0, which: 0 });
        await world.take({ do: "login", server: 1, which: 0 });
      } finally {
        world.maildir.delete();
      }
    }),
    { numRuns: 150, seed: SEED },
  );
});
