/**
 * One session's side of a Maildir: messages opened, removed and made seen, always by unique name, so
 * that what others rename meanwhile is found again.
 */

import { lstat, rename, unlink } from "node:fs/promises";
import { getLogger } from "@logtape/logtape";
import type { MessageNumber } from "../maildrop/message_number.ts";
import type { Maildrop, StoredMessage, UpdateOutcome } from "../maildrop/store.ts";
import { MessageGone } from "../maildrop/store.ts";
import { eachOf, errnoOf, isMissing, pathIn } from "./disk.ts";
import { seenFileName } from "./file_name.ts";
import type { Mailbox } from "./mailbox.ts";
import type { MailboxSnapshot } from "./mailbox_snapshot.ts";
import { openMessageFile } from "./message_file.ts";
import type { Entry } from "./unique_id_list.ts";

const log = getLogger(["popkeep", "maildir"]);

/** Times a file is looked for again while somebody else goes on renaming it. */
const MOST_SEARCHES = 3;

/** Files removed or renamed at once. */
const UPDATE_WIDTH = 16;

export interface MaildirDropOptions {
  readonly mailbox: Mailbox;
  readonly snapshot: MailboxSnapshot;
  readonly exactSizes: boolean;
  readonly markRetrievedAsSeen: boolean;
  readonly onClose: () => void;
}

export class MaildirDrop implements Maildrop {
  readonly snapshot: MailboxSnapshot;
  readonly #mailbox: Mailbox;
  readonly #options: MaildirDropOptions;
  #learnt = new Set<Entry>();
  #closed = false;

  constructor(options: MaildirDropOptions) {
    this.snapshot = options.snapshot;
    this.#mailbox = options.mailbox;
    this.#options = options;
  }

  async open(number: MessageNumber): Promise<StoredMessage> {
    const entry = this.snapshot.entryOf(number);
    let opened: StoredMessage | undefined;
    await this.#withFile(entry, async (folder, fileName) => {
      opened = await openMessageFile(pathIn(folder, fileName));
      return opened !== undefined;
    });
    if (opened === undefined) throw new MessageGone("the message was removed by somebody else");
    return opened;
  }

  async update(
    marked: Iterable<MessageNumber>,
    retrieved: Iterable<MessageNumber>,
  ): Promise<UpdateOutcome> {
    const toRemove = new Set(Array.from(marked, (number) => this.snapshot.entryOf(number)));
    const removed: Entry[] = [];
    await eachOf([...toRemove], UPDATE_WIDTH, async (entry) => {
      if (await this.#remove(entry)) removed.push(entry);
    });
    if (this.#options.markRetrievedAsSeen) {
      const toMark = Array.from(retrieved, (number) => this.snapshot.entryOf(number))
        .filter((entry) => !toRemove.has(entry));
      await eachOf(toMark, UPDATE_WIDTH, (entry) => this.#markSeen(entry));
    }
    if (removed.length > 0) {
      await this.#mailbox.noteRemoved(removed.map((entry) => this.#now(entry)));
    }
    return { removed: removed.length, left: toRemove.size - removed.length };
  }

  noteExactOctets(number: MessageNumber, octets: number): void {
    if (!this.#options.exactSizes) return;
    const entry = this.#now(this.snapshot.entryOf(number));
    if (entry.exactOctets === octets) return;
    entry.exactOctets = octets;
    this.#learnt.add(entry);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#learnt.size > 0) void this.#mailbox.noteSizes([...this.#learnt]);
    this.#options.onClose();
  }

  /** What the mailbox knows of the message now; its list may have been read anew since the login. */
  #now(entry: Entry): Entry {
    return this.#mailbox.find(entry.uniqueName) ?? entry;
  }

  /**
   * Calls `work` with where the message's file was last seen, and again where it is found now, as long
   * as `work` says that it was not there. False when the message is gone.
   */
  async #withFile(
    entry: Entry,
    work: (folder: string, fileName: string) => Promise<boolean>,
  ): Promise<boolean> {
    for (let searches = 0;; searches++) {
      const { folder, fileName } = this.#now(entry);
      if (folder !== undefined && await work(`${this.#mailbox.path}/${folder}`, fileName)) {
        return true;
      }
      if (searches === MOST_SEARCHES) return false;
      await this.#mailbox.refresh();
      const found = this.#now(entry);
      if (found.folder === undefined) return false;
      if (found.folder === folder && found.fileName === fileName) return false;
    }
  }

  /** Removes a message's file; true when it is gone afterwards, whoever removed it. */
  async #remove(entry: Entry): Promise<boolean> {
    try {
      await this.#withFile(entry, async (folder, fileName) => {
        try {
          await unlink(pathIn(folder, fileName));
          return true;
        } catch (error) {
          if (isMissing(error)) return false;
          throw error;
        }
      });
      return true;
    } catch (error) {
      log.error("message not removed", {
        mailbox: this.#mailbox.path,
        uniqueId: entry.id,
        reason: error instanceof Error ? error.message : String(error),
      });
      return false;
    }
  }

  /** Moves a message to cur/ with flag S. What fails is only said: the message stays as it was. */
  async #markSeen(entry: Entry): Promise<void> {
    const { folder, fileName } = this.#now(entry);
    const seen = seenFileName(fileName);
    if (folder === undefined || seen === undefined) return;
    const target = pathIn(`${this.#mailbox.path}/cur`, seen);
    try {
      // rename replaces what stands at its target, and that would be another message.
      if (await exists(target)) return;
      await rename(pathIn(`${this.#mailbox.path}/${folder}`, fileName), target);
      const now = this.#now(entry);
      now.folder = "cur";
      now.fileName = seen;
    } catch (error) {
      if (isMissing(error)) return;
      log.warn("message not marked seen", { mailbox: this.#mailbox.path, reason: errnoOf(error) });
    }
  }
}

async function exists(path: string | Uint8Array): Promise<boolean> {
  try {
    await lstat(path as string);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
