/**
 * The mailbox of one crash: what is delivered to it, what sessions do in it, and the model of all that
 * was told about it.
 *
 * *Knows* the protocol and the Maildir. *Does not know* crashes.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync } from "node:fs";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import type { Maildrop } from "../../../src/maildrop/store.ts";
import type { Pop3Client } from "../../support/pop3_client.ts";
import { TestMaildir } from "../../support/test_maildir.ts";
import { MailboxModel } from "../mailbox_model.ts";

const TOKEN = /^Subject: (\S+)\r?\n/;

export type Listing = [id: string, token: string][];

export interface SessionOptions {
  /** Which messages are marked, by their place in the listing from 0. */
  readonly marks?: readonly number[];
  /** Whether it ends with QUIT; otherwise the connection is given up. */
  readonly quits?: boolean;
}

export class CrashMailbox {
  readonly maildir: TestMaildir;
  readonly model: MailboxModel;
  #delivered = 0;

  constructor(path: string, model = new MailboxModel()) {
    this.maildir = new TestMaildir(path);
    this.model = model;
  }

  /** Delivers so many messages into new/, or puts them into cur/. */
  deliver(count: number, folder: "new" | "cur" = "new"): void {
    for (let i = 0; i < count; i++) {
      const name = this.maildir.nextUniqueName();
      const token = `m${this.#delivered++}-${name}`;
      this.model.delivered(token);
      const content = `Subject: ${token}\n\n${"line of text\n".repeat(3)}`;
      this.maildir.place(folder === "new" ? name : `${name}:2,`, content, folder);
    }
  }

  /** What a server that has just been started shows, without a server. */
  async list({ exactSizes = false } = {}): Promise<Listing> {
    const drop = await this.open({ exactSizes });
    const listing = await listingOf(drop);
    drop.close();
    return listing;
  }

  /** The same, for a client: the model learns it. */
  async look(): Promise<void> {
    const listing = await this.list();
    this.model.listed(listing.map(([id]) => id));
    for (const [id, token] of listing) this.model.shown(id, token);
  }

  async open({ exactSizes = false } = {}): Promise<Maildrop> {
    const store = new MaildirStore({
      maildir: this.maildir.path,
      exactSizes,
      sortOrder: "ascending",
      markRetrievedAsSeen: true,
    });
    return await store.open({ user: "alice", extra: {} });
  }

  /** Removes messages as a session does, without a server. */
  async remove(places: readonly number[]): Promise<void> {
    const drop = await this.open();
    const tokens = (await listingOf(drop)).map(([, token]) => token);
    const marked = places.map((place) => tokens[place]!);
    this.model.quitSent(marked);
    const numbers = places.map((place) => place + 1 as MessageNumber);
    assert.deepEqual(await drop.update(numbers, []), { removed: places.length, left: 0 });
    this.model.quitAnswered(marked);
    drop.close();
  }

  /** Looks at all, marks some, and ends as the options say. The model learns what the client was told. */
  async useBy(client: Pop3Client, { marks = [], quits = false }: SessionOptions): Promise<Listing> {
    const listing: Listing = [];
    try {
      const lines = await client.listing("UIDL");
      const ids = lines.map((line) => line.split(" ")[1]!);
      this.model.listed(ids);
      const marked: string[] = [];
      for (const [place, id] of ids.entries()) {
        const token = tokenOf(await client.retrieve(`RETR ${place + 1}`));
        this.model.shown(id, token);
        listing.push([id, token]);
        if (!marks.includes(place)) continue;
        await client.ok(`DELE ${place + 1}`);
        marked.push(token);
      }
      if (!quits) return listing;
      this.model.quitSent(marked);
      await client.ok("QUIT");
      this.model.quitAnswered(marked);
      return listing;
    } finally {
      client.disconnect();
    }
  }

  tokensOnDisk(): Set<string> {
    const names = this.maildir.uniqueNames();
    return new Set(names.map((name) => tokenOf(this.maildir.read(name))));
  }

  /** Files beside the messages and the list of unique-ids: what crashes leave behind. */
  leftovers(): string[] {
    const expected = /^(?:popkeep-uidlist(?:\.damaged)?|new|cur|tmp)$/;
    const beside = readdirSync(this.maildir.path).filter((name) => !expected.test(name));
    return [...beside, ...this.maildir.names("tmp").map((name) => `tmp/${name}`)];
  }
}

async function listingOf(drop: Maildrop): Promise<Listing> {
  const listing: Listing = [];
  for (let n = 1; n <= drop.snapshot.count; n++) {
    const number = n as MessageNumber;
    const message = await drop.open(number);
    const chunks: Buffer[] = [];
    const scratch = new Uint8Array(65_536);
    for (let chunk; (chunk = await message.read(scratch)) !== undefined;) {
      chunks.push(Buffer.from(chunk));
    }
    await message.close();
    listing.push([drop.snapshot.uniqueIdOf(number), tokenOf(Buffer.concat(chunks))]);
  }
  return listing;
}

function tokenOf(message: Buffer): string {
  const token = TOKEN.exec(message.toString("latin1"))?.[1];
  assert.ok(token !== undefined, `a message came without its token: ${message.subarray(0, 80)}`);
  return token;
}
