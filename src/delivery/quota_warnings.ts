/**
 * Warns users whose mailboxes fill up ([MS-STANXPOP3] E0004): at each percentage of the settings one message comes
 * into the INBOX. It is an ordinary message, but that its name says that it does not count (`,Q=0`).
 *
 * What was told is kept in a small file in the INBOX's Maildir (told_warnings.ts). A percentage is told again only
 * when there was room in between. Nobody may look while there is but the next message, so what that finds counts,
 * too. Who writes the file holds a lock, so that two deliveries tell once. The message comes first and then the
 * file: one that is killed between them tells twice, and never not at all.
 *
 * *Knows* mailboxes. *Does not know* what a message says (quota_warning_message.ts).
 */

import { constants } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { isMissing } from "../maildir/disk.ts";
import { LOCK_STALE_MS, takeDotLock } from "../maildir/dot_lock.ts";
import { IncomingMessage } from "../maildir/incoming_message.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import type { Usage } from "../maildir/maildirsize_text.ts";
import type { QuotaLimits } from "../maildrop/quota_definition.ts";
import { replaceOwnFile } from "../maildir/own_file.ts";
import type { Account } from "../maildrop/store.ts";
import { envelopeLines } from "./envelope.ts";
import type { Quota } from "./quota_limits.ts";
import { percentUsed, quotaWarningMessage, type WarningTemplate } from "./quota_warning_message.ts";
import {
  type Change,
  changeOf,
  isRoomBelow,
  parseTold,
  stillTold,
  textOfTold,
  type Told,
} from "./told_warnings.ts";

export type { WarningTemplate } from "./quota_warning_message.ts";

const log = getLogger(["popkeep", "delivery"]);

export const QUOTA_WARNINGS_NAME = "popkeep-quota-warnings";

/** What is read of the file, octets: more lines than there are percentages. */
const FILE_OCTETS = 4_096;

/** How long the lock is waited for, ms. */
const LOCK_WAIT_MS = {
  /** Somebody else waits for an answer; the next message tells. */
  atDelivery: 1_000,
  /** A holder who was killed on another host is found out. */
  byTheDay: LOCK_STALE_MS + 5_000,
} as const;

export interface QuotaWarningsOptions {
  readonly quota: Quota;
  readonly limits: QuotaLimits;
  readonly account: Account;
  readonly location: MailLocation;
  readonly template: WarningTemplate;
  readonly timeoutMs: number;
}

export class QuotaWarnings {
  readonly #options: QuotaWarningsOptions;
  readonly #disk: MailboxDisk;

  constructor(options: QuotaWarningsOptions) {
    const { location, timeoutMs } = options;
    this.#options = options;
    this.#disk = new MailboxDisk(location.inbox, { timeoutMs });
  }

  /** Warns if there is reason to; what fails is only said. */
  async tell(used: Usage, when: keyof typeof LOCK_WAIT_MS): Promise<void> {
    await this.#tellAt(used, percentUsed(used, this.#options.limits), when);
  }

  /**
   * Warns that the mailbox is full, since a message was refused; unless there is so much room left that it was the
   * message that was too large, which anybody could send.
   */
  async tellRefused(used: Usage): Promise<void> {
    const percent = percentUsed(used, this.#options.limits);
    const isFull = !isRoomBelow(100, percent);
    await this.#tellAt(used, isFull ? Math.max(percent, 100) : percent, "atDelivery");
  }

  /**
   * Remembers that there was room, before a message fills it: it may take the mailbox over a mark at once. What fails
   * is only said.
   */
  async noteRoom(used: Usage, then: Usage): Promise<void> {
    const { limits, quota: { warningPercentages: levels } } = this.#options;
    const percent = percentUsed(used, limits);
    const isLast = levels.some((level) =>
      isRoomBelow(level, percent) && !isRoomBelow(level, percentUsed(then, limits))
    );
    if (!isLast) return;
    await this.#change("atDelivery", (told) => {
      const left = stillTold(told, levels, percent);
      return left.size === told.size ? undefined : { crossed: undefined, told: left };
    });
  }

  async #tellAt(
    used: Usage,
    percent: number,
    when: keyof typeof LOCK_WAIT_MS,
  ): Promise<void> {
    const levels = this.#options.quota.warningPercentages;
    if (levels.length === 0) return;
    await this.#change(
      when,
      (told) => changeOf(told, levels, percent),
      (crossed) => this.#deliver(used, percent, crossed),
    );
  }

  async #change(
    when: keyof typeof LOCK_WAIT_MS,
    changeOfTold: (told: Told) => Change | undefined,
    deliver?: (crossed: number) => Promise<void>,
  ): Promise<void> {
    try {
      if (changeOfTold(await this.#read()) === undefined) return;
      const lock = await takeDotLock(`${this.#path}.lock`, {
        waitMs: LOCK_WAIT_MS[when],
        disk: this.#disk,
      });
      if (lock === undefined) return;
      try {
        // Another delivery may have told meanwhile.
        const change = changeOfTold(await this.#read());
        if (change === undefined) return;
        const { crossed, told } = change;
        if (crossed !== undefined) await deliver?.(crossed);
        await this.#write(told);
      } finally {
        await lock.release();
      }
    } catch (error) {
      const { user } = this.#options.account;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn("a user could not be warned of a quota", { user, reason });
    }
  }

  get #path(): string {
    return `${this.#disk.path}/${QUOTA_WARNINGS_NAME}`;
  }

  async #read(): Promise<Told> {
    let octets: number;
    const text = new Uint8Array(FILE_OCTETS);
    try {
      const file = await this.#disk.openOwn(this.#path, constants.O_RDONLY);
      try {
        octets = await file.read(text, 0, text.length, 0);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissing(error)) return new Map();
      throw error;
    }
    return parseTold(new TextDecoder("latin1").decode(text.subarray(0, octets)));
  }

  async #write(told: Told): Promise<void> {
    await replaceOwnFile(this.#disk, QUOTA_WARNINGS_NAME, textOfTold(told));
  }

  async #deliver(used: Usage, percent: number, level: number): Promise<void> {
    const { account, limits, quota, template } = this.#options;
    const message = await quotaWarningMessage({
      template,
      user: account.user,
      used,
      limits,
      percent,
      exceeded: quota.exceeded,
      nowMs: Date.now(),
    });
    const incoming = await IncomingMessage.begin(this.#disk, { countsInQuota: false });
    try {
      await incoming.write(envelopeLines({ sender: "", recipient: account.user }));
      await incoming.write(message);
      await incoming.deliver();
    } catch (error) {
      await incoming.giveUp();
      throw error;
    }
    log.info("a user was warned of a quota", { user: account.user, percent: level });
  }
}
