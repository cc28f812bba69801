/**
 * What a client of one mailbox was shown and told, held against what is there and what is shown later.
 *
 * *Knows* replies and files. *Does not know* what went wrong in between.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import { HEADER, UniqueIdList } from "../../../src/maildir/unique_id_list.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import type { Reply } from "../../support/reply_grammar.ts";
import type { TestMaildir } from "../../support/test_maildir.ts";

/** One session's view; `numbers` are those of its messages. */
export class Shown {
  readonly ids = new Map<number, string>();
  readonly sizes = new Map<number, number>();
  readonly markedIds = new Set<string>();
  wasRefused = false;
  wasCut = false;
  quitReply: Reply | undefined;
  readonly texts = new Map<number, string>();

  get numbers(): number[] {
    return [...this.ids.keys()];
  }

  refused(reply: Reply): void {
    assert.match(reply.code ?? "", /^SYS\/(?:TEMP|PERM)$/, reply.line);
    this.wasRefused = true;
  }

  listed(sizes: readonly string[], ids: readonly string[]): void {
    for (const line of ids) {
      const [number, id] = line.split(" ");
      this.ids.set(Number(number), id!);
    }
    for (const line of sizes) {
      const [number, size] = line.split(" ");
      this.sizes.set(Number(number), Number(size));
    }
    assert.equal(new Set(this.ids.values()).size, ids.length, "ids are shown once each");
    assert.deepEqual([...this.sizes.keys()], this.numbers);
  }

  fetched(number: number, command: string, reply: Reply): void {
    if (reply.status === "-ERR") {
      assert.match(reply.code ?? "", /^SYS\/(?:TEMP|PERM)$/, reply.line);
    } else if (command.startsWith("RETR")) {
      this.texts.set(number, Buffer.from(reply.body!).toString("latin1"));
    }
  }

  marked(number: number): void {
    this.markedIds.add(this.ids.get(number)!);
  }

  cut(): void {
    this.wasCut = true;
  }

  quit(reply: Reply): void {
    this.quitReply = reply;
  }
}

/** What must hold of a mailbox, whatever its sessions met. */
export class Watcher {
  readonly #maildir: TestMaildir;
  readonly #textOf: (name: string) => string;
  #delivered: readonly string[] = [];
  readonly #nameOfId = new Map<string, string>();
  readonly #idOfName = new Map<string, string>();

  /** @param textOf what a message of that unique name holds. */
  constructor(maildir: TestMaildir, textOf: (name: string) => string) {
    this.#maildir = maildir;
    this.#textOf = textOf;
  }

  /** Says that all messages are there that ever are. */
  deliveredAll(): void {
    this.#delivered = this.#maildir.uniqueNames();
  }

  /** A session before anything went wrong. */
  knew(shown: Shown): void {
    this.#hold(shown);
  }

  /** What another process reads in the list now, and may show: these ids hold from here on. */
  readsList(): void {
    let octets: Buffer;
    try {
      octets = readFileSync(this.#maildir.sidecar);
    } catch {
      return;
    }
    const lines = octets.toString("latin1").split("\n").slice(0, -1);
    if (lines[0] !== HEADER.trimEnd()) return;
    const list = new UniqueIdList();
    for (const line of lines.slice(1)) list.apply(Buffer.from(line, "latin1"));
    const there = this.#maildir.uniqueNames();
    for (let row = 0; row < list.table.count; row++) {
      const name = list.table.uniqueNameOf(row);
      const id = String(list.table.idOf(row));
      if (!there.includes(name)) continue;
      assert.equal(this.#idOfName.get(name) ?? id, id, `${name} has another id in the list`);
      this.#nameOfId.set(id, name);
      this.#idOfName.set(name, id);
    }
  }

  /** The session that met the fault, and one after it is over that fetched everything: it must be whole. */
  async met(faulty: Shown, later: Shown): Promise<void> {
    assert.equal(later.wasRefused, false, "the fault is over, and the mailbox is not served");
    this.#hold(later);
    for (const id of faulty.ids.values()) {
      assert.ok(this.#nameOfId.has(id), `${id} was shown, and nothing has it any more`);
    }
    this.#hold(faulty);
    const removed = this.#removed(faulty);
    const shown = [...later.ids.values()].map((id) => this.#nameOfId.get(id)!);
    assert.deepEqual([...shown].sort(), this.#maildir.uniqueNames(), "what is there is shown");
    for (const name of this.#delivered) {
      if (!removed.has(name)) assert.ok(shown.includes(name), `${name} was not marked and is gone`);
    }
    for (const [number, text] of later.texts) {
      assert.equal(later.sizes.get(number), text.length, "sizes are exact");
    }
    // As a server that has just been started sees it.
    const anew = await new Mailbox(this.#maildir.path, { exactSizes: true }).refresh();
    const ids = Array.from({ length: anew.count }, (_, index) => {
      return String(anew.uniqueIdOf(index + 1 as MessageNumber));
    });
    assert.deepEqual(ids, [...later.ids.values()], "another process shows the same");
    const left = this.#maildir.names("tmp").filter((name) => name.startsWith("popkeep"));
    assert.ok(left.length <= 1, `${left} are left in tmp/`);
  }

  /** Names of messages that may be gone; those of which the client was told so must be. */
  #removed({ markedIds, quitReply }: Shown): Set<string> {
    const marked = new Set([...markedIds].map((id) => this.#nameOfId.get(id)!));
    const there = this.#maildir.uniqueNames();
    if (quitReply?.status === "+OK") {
      for (const name of marked) assert.ok(!there.includes(name), `QUIT told that ${name} is gone`);
    }
    return marked;
  }

  /** Which message an id stands for is known by what is fetched, or by the order of delivery. */
  #hold(shown: Shown): void {
    const there = this.#maildir.uniqueNames();
    for (const [number, id] of shown.ids) {
      const text = shown.texts.get(number);
      const name = text === undefined
        ? this.#nameOfId.get(id)
        : /^Subject: (.*)\r$/m.exec(text)?.[1];
      if (name === undefined) continue;
      if (text !== undefined) {
        assert.equal(text, this.#textOf(name).replaceAll("\n", "\r\n"), `the text of ${name}`);
      }
      assert.equal(this.#nameOfId.get(id) ?? name, name, `${id} is another message's`);
      assert.equal(this.#idOfName.get(name) ?? id, id, `${name} has another id`);
      this.#nameOfId.set(id, name);
      this.#idOfName.set(name, id);
      if (!shown.markedIds.has(id)) assert.ok(there.includes(name), `${name} is not on the disk`);
    }
  }
}
