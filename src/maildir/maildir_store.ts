/**
 * The waist's store, over Maildirs: which mailbox an account has, and which mailboxes are kept in
 * memory between sessions.
 */

import { stat } from "node:fs/promises";
import { getLogger } from "@logtape/logtape";
import type { Account, Maildrop, MaildropStore } from "../maildrop/store.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { mailboxPath, mailRoot } from "./location.ts";
import { Mailbox } from "./mailbox.ts";
import { MaildirDrop } from "./maildir_drop.ts";

export interface MaildirStoreOptions {
  /** The setting `maildir`: a path with `{home}`, `{user}`, `{local}`, `{domain}`. */
  readonly maildir: string;
  readonly exactSizes: boolean;
  readonly sortOrder: "ascending" | "descending";
  readonly markRetrievedAsSeen: boolean;
}

const log = getLogger(["popkeep", "maildir"]);

/** Messages of mailboxes that nobody has open, kept so that a poll need not read them again. */
const KEPT_MESSAGES = 500_000;

/** Mailboxes kept, however small: each is a few KiB. */
const KEPT_MAILBOXES = 20_000;

interface Kept {
  readonly mailbox: Mailbox;
  sessions: number;
  /** Its messages when it was last counted into `#messages`. */
  counted: number;
}

export class MaildirStore implements MaildropStore {
  readonly #options: MaildirStoreOptions;
  /** In the order of last use, so that the first unused one is the one to forget. */
  readonly #kept = new Map<string, Kept>();
  #messages = 0;

  constructor(options: MaildirStoreOptions) {
    this.#options = options;
  }

  async open(account: Account): Promise<Maildrop> {
    const path = mailboxPath(this.#options.maildir, account);
    if (path === undefined) {
      throw new StorageFailure("SYS/PERM", "the user's name or home gives no path for a Maildir");
    }
    const kept = this.#hold(path);
    try {
      const ascending = await kept.mailbox.refresh();
      if (kept.mailbox.missing) await this.#checkRoot(path, account);
      const { exactSizes, markRetrievedAsSeen, sortOrder } = this.#options;
      return new MaildirDrop({
        mailbox: kept.mailbox,
        snapshot: sortOrder === "ascending" ? ascending : ascending.descending,
        exactSizes,
        markRetrievedAsSeen,
        onClose: () => this.#release(kept),
      });
    } catch (error) {
      this.#release(kept);
      throw error;
    }
  }

  /** A missing mailbox is an empty one, unless what should hold it is missing too. */
  async #checkRoot(path: string, account: Account): Promise<void> {
    const root = mailRoot(this.#options.maildir, account);
    try {
      await stat(root);
      log.info("mailbox does not exist yet", { user: account.user, mailbox: path });
    } catch (error) {
      throw new StorageFailure("SYS/TEMP", `"${root}" cannot be looked into, or is not mounted`, {
        cause: error,
      });
    }
  }

  #hold(path: string): Kept {
    const { exactSizes } = this.#options;
    const kept = this.#kept.get(path) ??
      { mailbox: new Mailbox(path, { exactSizes }), sessions: 0, counted: 0 };
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    kept.sessions++;
    return kept;
  }

  #release(kept: Kept): void {
    kept.sessions--;
    this.#messages += kept.mailbox.weight - kept.counted;
    kept.counted = kept.mailbox.weight;
    if (this.#messages > KEPT_MESSAGES || this.#kept.size > KEPT_MAILBOXES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [path, { counted, sessions }] of this.#kept) {
      if (this.#messages <= KEPT_MESSAGES && this.#kept.size <= KEPT_MAILBOXES) return;
      if (sessions > 0) continue;
      this.#kept.delete(path);
      this.#messages -= counted;
    }
  }
}
