/**
 * One Maildir, as all sessions of this process share it: which messages there are, their unique-ids and
 * sizes, and the snapshot made of them.
 *
 * A login costs three looks when nothing changed, and waits for none of them where the system has the
 * answers at hand. Otherwise: list what changed, find the messages that
 * have no unique-id, give them theirs under the lock, durably, and make a new snapshot. Work on the
 * sidecar is done one piece at a time in this process, and under the dot lock where it writes.
 *
 * *Invariants.* No id is shown that is not on disk (append or rewrite returned, fsynced). A message
 * whose id could not be written is left out of the snapshot, and the log says so.
 *
 * *Knows* folders and the sidecar. *Does not know* sessions; maildir_drop.ts is a session's side.
 */

import { getLogger } from "@logtape/logtape";
import { StorageFailure } from "../maildrop/store.ts";
import { DiskTimeout, errnoOf, storageFailure } from "./disk.ts";
import type { DotLock } from "./dot_lock.ts";
import { takeDotLock } from "./dot_lock.ts";
import { Entry } from "./entry.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import { type FolderState, isUnchanged, listFolder, stateAtOnce, stateOf } from "./folder.ts";
import { Ghosts } from "./ghosts.ts";
import { giveIds, ListUnclear } from "./giving_ids.ts";
import { MailboxDisk } from "./mailbox_disk.ts";
import { MailboxSnapshot } from "./mailbox_snapshot.ts";
import { Matching } from "./matching.ts";
import { type FolderName, MessageTable } from "./message_table.ts";
import { mayBeMissing, mustBeEmpty } from "./missing_folders.ts";
import { learnSizes } from "./newcomers.ts";
import { learnExactSizes, learnNewcomersSizes } from "./sizes.ts";
import { Sidecar } from "./sidecar.ts";
import { needsRewrite, removeUnfinished, rewrite } from "./sidecar_rewrite.ts";
import { UniqueIdLines } from "./unique_id_lines.ts";

const log = getLogger(["popkeep", "maildir"]);

/**
 * A live holder of the lock needs milliseconds, and a dead one is found out within LOCK_STALE_MS. Longer
 * than this, its host hangs, and a login goes on without the messages that have no id yet.
 */
const ID_WAIT_MS = 30_000;

/** Writing down removals and sizes waits no longer for the lock: nobody depends on it. */
const TIDY_WAIT_MS = 1_000;

/** Locks that are taken for the same ids, each lost while it was held. */
const MOST_LOCKS = 3;

/** What a mailbox takes that is empty, octets, about. */
const OWN_OCTETS = 2_048;

export interface MailboxOptions {
  /** Whether sizes are exact octets, or those in storage ([MS-STANXPOP3] 2.1.4). */
  readonly exactSizes: boolean;
  /** Time that a call to the disk gets, ms. */
  readonly timeoutMs?: number | undefined;
}

export class Mailbox {
  readonly path: string;
  readonly disk: MailboxDisk;
  readonly #exactSizes: boolean;
  readonly #sidecar: Sidecar;
  #freshState: FolderState | undefined;
  #curState: FolderState | undefined;
  #snapshot: MailboxSnapshot | undefined;
  readonly #ghosts = new Ghosts();
  #missing = false;
  /** Ends when the piece of work that was begun last is done. */
  #work: Promise<unknown> = Promise.resolve();
  /** Pieces of work that are not done yet. */
  #worksLeft = 0;
  #waitingRefresh: Promise<MailboxSnapshot> | undefined;

  constructor(path: string, options: MailboxOptions) {
    this.path = path;
    this.#exactSizes = options.exactSizes;
    this.disk = new MailboxDisk(path, { timeoutMs: options.timeoutMs });
    this.#sidecar = new Sidecar(this.disk);
  }

  /** Whether the last look found that there is no such folder. */
  get missing(): boolean {
    return this.#missing;
  }

  /** Octets of memory that this takes, about: what a cache of mailboxes weighs. */
  get memoryOctets(): number {
    return OWN_OCTETS + this.#table.octets + (this.#snapshot?.memoryOctets ?? 0);
  }

  get #table(): MessageTable {
    return this.#sidecar.list.table;
  }

  /**
   * The messages as they are now, in ascending order of ids; at once where nothing changed and nothing
   * has to be waited for. Logins that come while one is waiting to look share its result; none shares a
   * look that began before it came.
   *
   * @throws {StorageFailure} If the folder cannot be read or is no Maildir; never at once.
   */
  refresh(): MailboxSnapshot | Promise<MailboxSnapshot> {
    if (this.#isUnchangedAtOnce() && this.#snapshot !== undefined) return this.#snapshot;
    this.#waitingRefresh ??= this.#alone(() => {
      this.#waitingRefresh = undefined;
      return this.#refresh();
    });
    return this.#waitingRefresh;
  }

  /**
   * Whether the snapshot still holds, where three looks that wait for nothing can tell. While there is
   * work on the mailbox they cannot: it may know of changes that the snapshot does not have yet.
   */
  #isUnchangedAtOnce(): boolean {
    if (this.#snapshot === undefined || this.#worksLeft > 0) return false;
    const fresh = stateAtOnce(`${this.path}/new`);
    if (fresh === undefined || !isUnchanged(this.#freshState, fresh)) return false;
    const cur = stateAtOnce(`${this.path}/cur`);
    if (cur === undefined || !isUnchanged(this.#curState, cur)) return false;
    // Of an empty mailbox a list would say nothing.
    const neverHadMessages = !this.#sidecar.exists && this.#table.count === 0;
    return neverHadMessages || this.#sidecar.isUnchangedAtOnce;
  }

  /**
   * Looks where the messages are now, for a session that did not find one where it was.
   *
   * @throws {StorageFailure} If the mailbox cannot be looked at, or is not there at all: that its messages
   * are gone cannot be known then.
   */
  async locate(): Promise<void> {
    await this.refresh();
    if (this.missing) throw new StorageFailure("SYS/TEMP", `"${this.path}" is not there`);
  }

  /**
   * What is known of a message now, also where the list was read anew since a session began.
   * - The entry: it is in force, and has a folder or not.
   * - "forgotten": the list does not have the message, nor any other of its name.
   * - "replaced": its name belongs to a message with another id.
   */
  now(entry: Entry): Entry | "forgotten" | "replaced" {
    if (entry.table === this.#table) return entry;
    const { id, uniqueName } = entry;
    const row = this.#table.findId(id);
    const named = this.#table.findText(uniqueName);
    const isOtherThere = named >= 0 && named !== row && !this.#table.isRemoved(named);
    if (row >= 0 && this.#table.uniqueNameOf(row) === uniqueName && !isOtherThere) {
      return new Entry(this.#table, row);
    }
    return named < 0 ? "forgotten" : "replaced";
  }

  /** Runs one piece of work on the sidecar after those before it. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    this.#worksLeft++;
    const done = this.#work.then(work).finally(() => this.#worksLeft--);
    this.#work = done.catch(() => {});
    return done;
  }

  async #refresh(): Promise<MailboxSnapshot> {
    try {
      return await this.#look();
    } catch (error) {
      this.#distrust();
      throw storageFailure("open a mailbox", error);
    }
  }

  async #look(): Promise<MailboxSnapshot> {
    const [fresh, cur] = await Promise.all([
      stateOf(this.disk, "new"),
      stateOf(this.disk, "cur"),
    ]);
    this.disk.isOn((fresh ?? cur)?.facts.device);
    this.#missing = fresh === undefined && cur === undefined;
    if (this.#missing) {
      this.#distrust();
      await mayBeMissing(this.disk, this.#table);
      return MailboxSnapshot.of(new MessageTable(), this.#exactSizes);
    }
    if (fresh === undefined) mustBeEmpty(this.path, this.#table, "new");
    if (cur === undefined) mustBeEmpty(this.path, this.#table, "cur");
    // Where new/ and cur/ are those of before, by their inodes, the snapshot may hold without this look.
    if (fresh?.linkFree === false) await refuseForeignLinks(this.disk, `${this.path}/new`);
    if (cur?.linkFree === false) await refuseForeignLinks(this.disk, `${this.path}/cur`);
    const change = await this.#sidecar.refresh();
    const known = this.#snapshot !== undefined && change === "unchanged";
    const freshIsKnown = known && isUnchanged(this.#freshState, fresh);
    const curIsKnown = known && isUnchanged(this.#curState, cur);
    if (freshIsKnown && curIsKnown && this.#snapshot !== undefined) return this.#snapshot;

    // new/ before cur/: a message that moves meanwhile is seen twice, not never. For the same reason cur/ is
    // looked at again before what is known of it counts.
    const ghosts = this.disk.isOfThisMachine ? undefined : this.#ghosts;
    const matching = new Matching(this.#sidecar.list, ghosts);
    if (freshIsKnown) matching.keep("new");
    else this.#freshState = await this.#list("new", matching);
    if (curIsKnown && isUnchanged(this.#curState, await stateOf(this.disk, "cur"))) {
      matching.keep("cur");
    } else this.#curState = await this.#list("cur", matching);
    matching.finish();
    if (matching.hasTwins || matching.hasGhosts) this.#freshState = undefined;
    if (matching.hasGhosts) this.#curState = undefined;

    await this.#identify(matching);
    const { list } = this.#sidecar;
    if (this.#exactSizes) await this.#makeExact();
    if (this.#sidecar.damaged) await this.#tidy(new UniqueIdLines());
    // Another process may have put another list in its place meanwhile: where messages are has to be in that one.
    if (this.#sidecar.list !== list) await matching.place(this.#sidecar.list);
    this.#table.fit();
    this.#snapshot = MailboxSnapshot.of(this.#table, this.#exactSizes);
    return this.#snapshot;
  }

  async #list(folder: FolderName, matching: Matching): Promise<FolderState | undefined> {
    const before = matching.unreadable;
    const state = await listFolder(this.disk, folder, (listed) => matching.take(folder, listed));
    if (matching.unreadable > before) {
      log.warn("file names that are not UTF-8 cannot be read by this runtime; left out", {
        mailbox: this.path,
        folder,
        messages: matching.unreadable - before,
      });
    }
    return state;
  }

  /** Sees to it that every message that was seen has an id, as far as that can be. */
  async #identify(matching: Matching): Promise<void> {
    const rows = await learnSizes(this.disk, matching.newcomers);
    if (rows.length === 0 && !this.#isListLost && !this.#sidecar.durability.isDoubtful) return;
    if (this.#exactSizes) await learnNewcomersSizes(this.disk, matching.newcomers, rows);
    try {
      await this.#giveIds(matching, rows);
    } catch (error) {
      this.#distrust();
      // Of a mailbox that does not answer nothing can be said, and none is shown as empty that is not.
      const { isDoubtful, isKnown } = this.#sidecar.durability;
      if (error instanceof DiskTimeout || error instanceof ListUnclear) throw error;
      if (isDoubtful && !isKnown) throw error;
      // Ids that were shown and are in no file any more would be others after a restart.
      if (this.#isListLost) throw error;
      const withheld = this.#withholdDoubtful();
      log.error("messages without a unique-id are left out: it could not be written down", {
        mailbox: this.path,
        messages: rows.length + withheld,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** Whether ids that are known here are in no file any more. */
  get #isListLost(): boolean {
    return !this.#sidecar.hasLines && this.#table.count > 0;
  }

  async #giveIds(matching: Matching, rows: Uint32Array): Promise<void> {
    for (let locks = 1; locks <= MOST_LOCKS; locks++) {
      let isDone = false;
      await this.#underLock(ID_WAIT_MS, async (lock) => {
        isDone = await giveIds({ sidecar: this.#sidecar, matching, rows, lock });
      });
      if (isDone) return;
    }
    throw new ListUnclear("others kept taking the lock of the unique-id list");
  }

  /** Leaves messages out whose ids may not be on the disk; returns how many. */
  #withholdDoubtful(): number {
    const { isDoubtful, next } = this.#sidecar.durability;
    const table = this.#table;
    let withheld = 0;
    for (let row = table.count - 1; isDoubtful && row >= 0; row--) {
      if (table.idOf(row) < next) break;
      if (!table.isInFolder(row)) continue;
      table.setNowhere(row);
      withheld++;
    }
    return withheld;
  }

  async #makeExact(): Promise<void> {
    const table = this.#table;
    const rows = await learnExactSizes(this.disk, table);
    await this.#tidy(linesOf(rows, (lines, row) => lines.addSizes(table, row)));
  }

  /** Writes down sizes that sessions learnt. */
  noteSizes(entries: readonly Entry[]): Promise<void> {
    const lines = linesOf(entries, (lines, { table, row }) => lines.addSizes(table, row));
    return this.#alone(() => this.#tidy(lines));
  }

  /**
   * To be called before a session removes the first file; what it returns writes down whose files it removed, by
   * entries of now.
   *
   * Whoever brings messages back has put another list in place before (restore_deleted.ts). So under its lock, where
   * the list is still the one that there was, none is back; where it is not, nothing is said: the files that are gone
   * count as missing.
   */
  beginRemoval(): (removed: readonly Entry[]) => Promise<void> {
    const { list } = this.#sidecar;
    return (removed) => {
      const lines = linesOf(removed, (lines, { id }) => lines.addRemoved(id));
      return this.#alone(() =>
        this.#tidy(lines, () => {
          if (this.#sidecar.list !== list) return false;
          for (const entry of removed) entry.setRemoved();
          return true;
        })
      );
    };
  }

  /**
   * Appends lines that nobody depends on, and writes the list anew where that pays or mends it. What fails is
   * said in the log at debug level and forgotten: such lines only save work.
   *
   * @param holds Asked under the lock, when the list has been read: whether the lines are still true.
   */
  async #tidy(lines: UniqueIdLines, holds = () => true): Promise<void> {
    const { damaged, exists } = this.#sidecar;
    if (!exists || lines.length === 0 && !damaged) return;
    try {
      await this.#underLock(TIDY_WAIT_MS, async (lock) => {
        const change = await this.#sidecar.refreshFromFile();
        if (!holds() || change !== "unchanged") this.#distrust();
        else if (needsRewrite(this.#sidecar, Date.now())) {
          await rewrite(this.#sidecar, lock, Date.now(), [lines.octets]);
          this.#distrust();
        } else if (!await this.#sidecar.append([lines.octets], false)) this.#distrust();
      });
    } catch (error) {
      log.debug("unique-id list not tidied", { mailbox: this.path, reason: errnoOf(error) });
    }
  }

  /** The next login looks at everything anew. */
  #distrust(): void {
    this.#freshState = undefined;
    this.#curState = undefined;
    this.#snapshot = undefined;
  }

  async #underLock(waitMs: number, work: (lock: DotLock) => Promise<void>): Promise<void> {
    const lock = await takeDotLock(this.#sidecar.lockPath, { waitMs, disk: this.disk });
    if (lock === undefined) throw new StorageFailure("SYS/TEMP", "the unique-id list is in use");
    try {
      if (lock.tookOver) await removeUnfinished(this.disk);
      await work(lock);
    } finally {
      await lock.release();
    }
  }
}

function linesOf<T>(items: readonly T[], add: (lines: UniqueIdLines, item: T) => void) {
  const lines = new UniqueIdLines();
  for (const item of items) add(lines, item);
  return lines;
}
