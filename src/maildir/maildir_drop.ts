/**
 * One session's side of a Maildir: messages opened, removed and made seen, always by unique name and id,
 * so that what others rename meanwhile is found again, and what they put in its place is left alone.
 */

import { getLogger } from "@logtape/logtape";
import type { MessageNumber } from "../maildrop/message_number.ts";
import type { Maildrop, StoredMessage, UpdateOutcome } from "../maildrop/store.ts";
import { MessageGone } from "../maildrop/store.ts";
import { warmFacts } from "../platform/warm_files.ts";
import { DeletedMessages } from "./deleted_messages.ts";
import { type DiskPath, DiskTimeout, eachOf, errnoOf, isMissing, pathIn } from "./disk.ts";
import type { Entry } from "./entry.ts";
import { seenFileName } from "./file_name.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Removed, Tally } from "./maildirsize.ts";
import type { MailboxSnapshot } from "./mailbox_snapshot.ts";
import { openMessageAtOnce, openMessageFile } from "./message_file.ts";
import type { FolderName } from "./message_table.ts";
import { countsMessage } from "./quota_folders.ts";

const log = getLogger(["popkeep", "maildir"]);

/** Times a file is looked for again while somebody else goes on renaming it. */
const MOST_SEARCHES = 3;

/** Files removed or renamed at once. */
const UPDATE_WIDTH = 16;

/** Where a message is that is nowhere. */
const GONE = { folder: undefined, fileName: "" } as const;

export interface MaildirDropOptions {
  readonly mailbox: Mailbox;
  readonly snapshot: MailboxSnapshot;
  readonly exactSizes: boolean;
  readonly markRetrievedAsSeen: boolean;
  /** Whether removed messages are put aside, to be kept for a time, and not removed for good. */
  readonly keepsDeleted?: boolean;
  /** Where removed messages are counted, if that is done; asked for before any is removed. */
  readonly openTally?: (() => Promise<Tally | undefined>) | undefined;
  readonly onClose: () => void;
}

export class MaildirDrop implements Maildrop {
  readonly snapshot: MailboxSnapshot;
  readonly #mailbox: Mailbox;
  readonly #options: MaildirDropOptions;
  readonly #warmFolders = new Set<FolderName>();
  /** Messages whose exact size the session found out. */
  readonly #learnt = new Set<MessageNumber>();
  /** What the session removed that counts towards the quota. */
  #removed: Removed[] = [];
  #closed = false;

  constructor(options: MaildirDropOptions) {
    this.snapshot = options.snapshot;
    this.#mailbox = options.mailbox;
    this.#options = options;
  }

  open(number: MessageNumber): StoredMessage | Promise<StoredMessage> {
    const entry = this.snapshot.entryOf(number);
    const { folder, fileName } = this.#place(entry);
    if (folder !== undefined && this.#isWarm(folder)) {
      const opened = openMessageAtOnce(
        this.#mailbox.disk,
        pathIn(`${this.#mailbox.path}/${folder}`, fileName),
      );
      if (opened !== undefined) return opened;
    }
    return this.#find(entry);
  }

  /** Whether looking into a folder waits for nobody: once found, that holds for the session. */
  #isWarm(folder: FolderName): boolean {
    if (this.#warmFolders.has(folder)) return true;
    const facts = warmFacts(`${this.#mailbox.path}/${folder}`, { follow: true });
    if (facts !== undefined) this.#warmFolders.add(folder);
    return facts !== undefined;
  }

  /** Opens a message where it is now, though it may have been renamed since it was last seen. */
  async #find(entry: Entry): Promise<StoredMessage> {
    for (let searches = 0;; searches++) {
      const { folder, fileName } = this.#place(entry);
      if (folder !== undefined) {
        const path = pathIn(`${this.#mailbox.path}/${folder}`, fileName);
        const opened = await openMessageFile(this.#mailbox.disk, path);
        if (opened !== undefined) return opened;
      }
      if (searches === MOST_SEARCHES) break;
      await this.#mailbox.locate();
      const found = this.#place(entry);
      // Nowhere, or where it was: then what stands there is no message.
      if (found.folder === undefined) break;
      if (found.folder === folder && found.fileName === fileName) break;
    }
    throw new MessageGone("the message was removed by somebody else");
  }

  async update(
    marked: Iterable<MessageNumber>,
    retrieved: Iterable<MessageNumber>,
    tellRemoved?: (number: MessageNumber) => void,
  ): Promise<UpdateOutcome> {
    const numbers = new Set(marked);
    const numberOf = new Map<Entry, MessageNumber>();
    for (const number of numbers) numberOf.set(this.snapshot.entryOf(number), number);
    const toRemove = [...numberOf.keys()];
    const tally = toRemove.length === 0 ? undefined : await this.#options.openTally?.();
    const noteRemoved = this.#mailbox.beginRemoval();
    // Of what others removed nothing is known: it may be on its way back.
    const removedHere: Entry[] = [];
    const { gone, isOnDisk } = await this.#removeAll(toRemove, (entry) => {
      removedHere.push(entry);
      tellRemoved?.(numberOf.get(entry)!);
    });
    await tally?.removed(this.#removed);
    this.#removed = [];
    if (this.#options.markRetrievedAsSeen) {
      const toMark = [...retrieved].filter((number) => !numbers.has(number))
        .map((number) => this.snapshot.entryOf(number));
      await this.#markAllSeen(toMark);
    }
    // What a power cut may bring back is not said to be removed: neither to the client, nor in the list, where it
    // would cost the message its unique-id.
    if (!isOnDisk) return { removed: 0, left: toRemove.length };
    if (removedHere.length > 0) {
      await noteRemoved(removedHere.flatMap((entry) => this.#known(entry) ?? []));
    }
    return { removed: gone.length, left: toRemove.length - gone.length };
  }

  noteExactOctets(number: MessageNumber, octets: number): void {
    if (!this.#options.exactSizes) return;
    const entry = this.#known(this.snapshot.entryOf(number));
    if (entry === undefined || entry.exactOctets === octets) return;
    entry.setExactOctets(octets);
    this.#learnt.add(number);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#learnt.size > 0) void this.#mailbox.noteSizes([...this.#learntEntries()]);
    this.#options.onClose();
  }

  *#learntEntries(): Generator<Entry> {
    for (const number of this.#learnt) {
      const entry = this.#known(this.snapshot.entryOf(number));
      if (entry !== undefined) yield entry;
    }
  }

  /** The mailbox's entry of the message, where it still has one. */
  #known(entry: Entry): Entry | undefined {
    const now = this.#mailbox.now(entry);
    return typeof now === "string" ? undefined : now;
  }

  /** Where the message was last seen. A file that has only its name is left alone, whatever it is. */
  #place(entry: Entry): Pick<Entry, "folder" | "fileName"> {
    const now = this.#mailbox.now(entry);
    if (now === "replaced") return GONE;
    return now === "forgotten" ? entry : now;
  }

  /**
   * Removes the messages' files; returns those that are gone afterwards, whoever removed them, and whether
   * those that were put aside are on the disk there. What was renamed meanwhile is looked for, for all of them
   * at once.
   *
   * @param tell of those that were removed here.
   */
  async #removeAll(
    entries: readonly Entry[],
    tell: (entry: Entry) => void,
  ): Promise<{ readonly gone: readonly Entry[]; readonly isOnDisk: boolean }> {
    const gone: Entry[] = [];
    let toRemove: readonly Entry[] = entries;
    const deleted = this.#options.keepsDeleted === true && entries.length > 0
      ? new DeletedMessages(this.#mailbox.disk)
      : undefined;
    try {
      for (let searches = 0; toRemove.length > 0; searches++) {
        const missing: Entry[] = [];
        await eachOf(toRemove, UPDATE_WIDTH, async (entry) => {
          const outcome = await this.#remove(entry, deleted);
          if (outcome === "removed") {
            gone.push(entry);
            tell(entry);
          } else if (outcome === "missing") missing.push(entry);
        });
        if (missing.length === 0) break;
        if (searches === MOST_SEARCHES) throw new Error("others keep renaming messages");
        await this.#mailbox.locate();
        gone.push(...missing.filter((entry) => this.#isGone(entry)));
        toRemove = missing.filter((entry) => this.#known(entry)?.folder !== undefined);
      }
    } catch (error) {
      log.error("messages not removed", {
        mailbox: this.#mailbox.path,
        messages: entries.length - gone.length,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
    try {
      await deleted?.sync();
    } catch (error) {
      // They are where they are to be; a power cut now might take that back.
      const reason = error instanceof Error ? error.message : String(error);
      log.warn("deleted messages may not be on the disk", { mailbox: this.#mailbox.path, reason });
      return { gone, isOnDisk: false };
    }
    return { gone, isOnDisk: true };
  }

  /**
   * Whether a message is gone that was not where it was last seen, now that it was looked for. Of one whose
   * name has another id by now that cannot be said, unless popkeep removed it.
   */
  #isGone(entry: Entry): boolean {
    const now = this.#mailbox.now(entry);
    return now === "forgotten" || (now !== "replaced" && now.folder === undefined);
  }

  /** Removes a message's file where it was last seen, or puts it aside. */
  async #remove(
    entry: Entry,
    deleted: DeletedMessages | undefined,
  ): Promise<"removed" | "missing" | "failed"> {
    const { folder, fileName } = this.#place(entry);
    if (folder === undefined) return "missing";
    try {
      if (deleted === undefined) {
        await this.#mailbox.disk.unlink(pathIn(`${this.#mailbox.path}/${folder}`, fileName));
      } else {
        const { id, carried } = entry;
        await deleted.take({ id, carried, folder, fileName, by: "client" });
      }
      if (countsMessage(fileName)) this.#removed.push({ octets: entry.storedOctets });
      return "removed";
    } catch (error) {
      if (isMissing(error)) return "missing";
      if (error instanceof DiskTimeout) throw error;
      log.error("message not removed", {
        mailbox: this.#mailbox.path,
        uniqueId: entry.id,
        reason: error instanceof Error ? error.message : String(error),
      });
      return "failed";
    }
  }

  async #markAllSeen(entries: readonly Entry[]): Promise<void> {
    try {
      await eachOf(entries, UPDATE_WIDTH, (entry) => this.#markSeen(entry));
    } catch (error) {
      this.#tellNotSeen(error);
    }
  }

  #tellNotSeen(error: unknown): void {
    const reason = error instanceof DiskTimeout ? error.message : errnoOf(error);
    log.warn("message not marked seen", { mailbox: this.#mailbox.path, reason });
  }

  /** Moves a message to cur/ with flag S. What fails is only said: the message stays as it was. */
  async #markSeen(entry: Entry): Promise<void> {
    const now = this.#known(entry);
    const seen = now && seenFileName(now.fileName);
    if (now?.folder === undefined || seen === undefined) return;
    const target = pathIn(`${this.#mailbox.path}/cur`, seen);
    try {
      // rename replaces what stands at its target, and that would be another message.
      if (await this.#exists(target)) return;
      const { disk, path } = this.#mailbox;
      await disk.rename(pathIn(`${path}/${now.folder}`, now.fileName), target);
      now.setInCur(seen);
    } catch (error) {
      if (isMissing(error)) return;
      if (error instanceof DiskTimeout) throw error;
      this.#tellNotSeen(error);
    }
  }

  async #exists(path: DiskPath): Promise<boolean> {
    try {
      await this.#mailbox.disk.lstat(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }
}
