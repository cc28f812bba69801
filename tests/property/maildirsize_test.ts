/**
 * Whatever comes and goes at the same time, by deliveries and sessions of two servers: what was added up is what a
 * count finds; and where mail is counted meanwhile, never less.
 */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { deliverMessage } from "../../src/delivery/deliver_message.ts";
import { MailboxQuota } from "../../src/delivery/mailbox_quota.ts";
import type { MailLocation } from "../../src/maildir/mail_location.ts";
import { MailboxDisk } from "../../src/maildir/mailbox_disk.ts";
import { maildirSizeNow } from "../../src/maildir/maildirsize.ts";
import { MaildirStore } from "../../src/maildir/maildir_store.ts";
import { usageNow } from "../../src/maildir/quota_count.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { testProperty } from "../support/property.ts";
import { TestMaildir } from "../support/test_maildir.ts";

/** Nobody is refused: that would count the mail. */
const LIMITS = { octets: 2 ** 40, messages: 0 };

type Step =
  | { readonly do: "deliver"; readonly octets: number; readonly folder: "" | "/.Work" | "/.Trash" }
  | { readonly do: "delete"; readonly server: 0 | 1; readonly which: readonly number[] }
  | { readonly do: "flag"; readonly which: number }
  | { readonly do: "count" };

const deliver = fc.record({
  do: fc.constant("deliver" as const),
  octets: fc.nat({ max: 5_000 }),
  folder: fc.constantFrom<"" | "/.Work" | "/.Trash">("", "", "", "/.Work", "/.Trash"),
});
const remove = fc.record({
  do: fc.constant("delete" as const),
  server: fc.constantFrom<0 | 1>(0, 1),
  which: fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 4 }),
});
const flag = fc.record({ do: fc.constant("flag" as const), which: fc.nat({ max: 20 }) });
const count = fc.constant<Step>({ do: "count" });

/** Groups of steps that are taken at the same time. */
const groupsOf = (step: fc.Arbitrary<Step>) =>
  fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 });

class World {
  readonly maildir = new TestMaildir();
  readonly #location: MailLocation;
  readonly #stores = [this.#store(), this.#store()];

  constructor() {
    const { path } = this.maildir;
    const root = path.replace(/\/[^/]*$/, "");
    this.#location = { inbox: path, folders: path, layout: "maildir++", utf8Names: false, root };
    for (const folder of [".Work", ".Trash"]) new TestMaildir(`${path}/${folder}`);
  }

  #store(): MaildirStore {
    return new MaildirStore({
      maildir: this.maildir.path,
      exactSizes: false,
      sortOrder: "ascending",
      markRetrievedAsSeen: false,
      ignoredFolders: () => ["Trash"],
    });
  }

  get #place() {
    return { location: this.#location, ignored: ["Trash"] };
  }

  count(): Promise<{ octets: number; messages: number }> {
    return usageNow(this.#place, { limits: LIMITS, isToBeCounted: true });
  }

  /** What the file says, and what there is. */
  async end() {
    const disk = new MailboxDisk(this.maildir.path);
    const { used } = await maildirSizeNow(disk, { limits: LIMITS });
    const found = await usageNow(this.#place, {
      limits: LIMITS,
      isToBeCounted: true,
      isOnlyALook: true,
    });
    return { used, found };
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "deliver":
        return await this.#deliver(step.octets, step.folder);
      case "delete":
        return await this.#delete(step.server, step.which);
      case "flag":
        return this.#flag(step.which);
      case "count":
        await this.count();
    }
  }

  async #deliver(octets: number, folder: string): Promise<void> {
    const path = `${this.maildir.path}${folder}`;
    const account = { user: "alice", extra: {} };
    await deliverMessage({
      disk: new MailboxDisk(path),
      root: this.#location.root,
      timeoutMs: 30_000,
      mostOctets: 10_000,
      envelope: () => ({ sender: "", recipient: "alice" }),
      message: one(octets),
      quota: new MailboxQuota({
        quota: {
          limits: LIMITS,
          exceeded: "refuse",
          warningPercentages: [],
          ignored: ["Trash"],
          folders: [],
        },
        account,
        location: this.#location,
        path,
        template: { file: "", language: "en", serverName: "localhost" },
        timeoutMs: 30_000,
      }),
    });
  }

  async #delete(server: 0 | 1, which: readonly number[]): Promise<void> {
    const drop = await this.#stores[server]!.open({ user: "alice", extra: {} });
    try {
      const { count } = drop.snapshot;
      if (count === 0) return;
      await drop.update(which.map((at) => at % count + 1 as MessageNumber), []);
    } finally {
      drop.close();
    }
  }

  /** As an IMAP server does, at a time at which nobody looks. */
  #flag(which: number): void {
    const names = this.maildir.uniqueNames();
    const name = names[which % names.length];
    if (name !== undefined) this.maildir.flag(name, "S");
  }
}

async function* one(octets: number) {
  yield new Uint8Array(octets + 1).fill(0x78);
  await Promise.resolve();
}

async function inWorld(groups: readonly (readonly Step[])[]): Promise<
  Awaited<ReturnType<World["end"]>>
> {
  const world = new World();
  try {
    await world.count();
    for (const group of groups) await Promise.all(group.map((step) => world.take(step)));
    return await world.end();
  } finally {
    world.maildir.delete();
    rmSync(world.maildir.path, { recursive: true, force: true });
  }
}

testProperty(
  "what was added up is what a count finds",
  fc.asyncProperty(groupsOf(fc.oneof(deliver, deliver, remove, flag)), async (groups) => {
    const { found, used } = await inWorld(groups);
    assert.deepEqual(used, found);
  }),
  60,
);

testProperty(
  "where mail is counted meanwhile, the sum is never less than there is",
  fc.asyncProperty(groupsOf(fc.oneof(deliver, deliver, remove, count)), async (groups) => {
    const { found, used } = await inWorld(groups);
    if (used === undefined) return;
    const told = JSON.stringify({ used, found });
    assert.ok(used.octets >= found.octets && used.messages >= found.messages, told);
  }),
  60,
);
