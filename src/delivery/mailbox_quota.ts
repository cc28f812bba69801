/**
 * One user's quota where mail comes in: whether there is room for a message, that it was counted when it has come,
 * and that the user is told when little room is left.
 *
 * Between the look and the message another may come: then there is a message more than the quota allows, as Maildir++
 * has it, since nobody locks a mailbox for it. Nobody is refused because of a count that is old (maildirsize.ts).
 *
 * *Knows* quotas and counted mail. *Does not know* protocols and settings.
 */

import { getLogger } from "@logtape/logtape";
import { countDelivered } from "../maildir/maildirsize.ts";
import { isOver, type Usage } from "../maildir/maildirsize_text.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { quotaDisk, type QuotaPlace, usageNow } from "../maildir/quota_count.ts";
import { countsFolder } from "../maildir/quota_folders.ts";
import type { QuotaLimits } from "../maildrop/quota_definition.ts";
import type { Account } from "../maildrop/store.ts";
import { hasLimits, limitsInto, type Quota } from "./quota_limits.ts";
import { QuotaWarnings, type WarningTemplate } from "./quota_warnings.ts";

const log = getLogger(["popkeep", "delivery"]);

export interface MailboxQuotaOptions {
  readonly quota: Quota;
  readonly account: Account;
  readonly location: MailLocation;
  /** The Maildir that mail comes into. */
  readonly path: string;
  /** What a message that warns says. */
  readonly template: WarningTemplate;
  /** Time that a call to the disk gets, ms. */
  readonly timeoutMs: number;
}

/** There is no room for a message. Nothing of it was delivered. */
export class OverQuota extends Error {
  override readonly name = "OverQuota";
  /** Whether it is to be given back to its sender, and not to come again. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean) {
    super(message);
    this.isFinal = isFinal;
  }
}

export class MailboxQuota {
  readonly #options: MailboxQuotaOptions;
  readonly #place: QuotaPlace;
  readonly #warnings: QuotaWarnings;
  /** Whether mail in that folder counts. */
  readonly #counts: boolean;
  /** How much there was when a message was last let in. */
  #used: Usage | undefined;

  constructor(options: MailboxQuotaOptions) {
    const { location, path, quota, timeoutMs } = options;
    this.#options = options;
    this.#place = { location, ignored: quota.ignored, timeoutMs };
    this.#counts = countsFolder(location, path, quota.ignored);
    this.#warnings = new QuotaWarnings({ ...options, limits: quota.limits });
  }

  get #limits(): QuotaLimits {
    return this.#options.quota.limits;
  }

  get #isLimited(): boolean {
    return this.#counts && hasLimits(this.#options.quota);
  }

  /**
   * To be called when a message is in tmp/ as a whole, and before it is delivered.
   *
   * @param octets of its file.
   * @throws {OverQuota}
   * @throws {StorageFailure} If the mail could not be counted.
   */
  async check(octets: number): Promise<void> {
    if (!this.#isLimited) return;
    const { location, path, quota } = this.#options;
    const limits = limitsInto(quota, location, path);
    // For what could never come in nothing is counted again: strangers choose how long mail is.
    const isPossible = !isOver({ octets, messages: 1 }, limits);
    const incoming = isPossible ? { octets, messages: 1 } : { octets: 0, messages: 0 };
    const used = await this.#usage({ limits: this.#limits, incoming });
    const then = { octets: used.octets + octets, messages: used.messages + 1 };
    if (isOver(then, limits)) {
      await this.#warnings.tellRefused(used);
      const what = `${sentence(used, limits)}; the message has ${number(octets)} octets`;
      throw new OverQuota(`there is no room in the quota: ${what}`, quota.exceeded === "refuse");
    }
    await this.#warnings.noteRoom(used, then);
    this.#used = then;
  }

  /** To be called when it has been delivered. What fails here is only said: the message is there. */
  async delivered(octets: number): Promise<void> {
    if (!this.#counts) return;
    await countDelivered(quotaDisk(this.#place), octets);
    if (this.#used !== undefined) await this.#warnings.tell(this.#used, "atDelivery");
  }

  /**
   * Looks after a mailbox that no mail may be coming into: what was counted by and by is counted as a whole, and the
   * user is warned. What fails is only said.
   */
  async look(): Promise<void> {
    if (!hasLimits(this.#options.quota)) return;
    try {
      const asked = { limits: this.#limits, isToBeFresh: true };
      await this.#warnings.tell(await this.#usage(asked), "byTheDay");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn("a mailbox's quota could not be looked at", {
        user: this.#options.account.user,
        reason,
      });
    }
  }

  #usage(asked: Parameters<typeof usageNow>[1]): Promise<Usage> {
    return usageNow(this.#place, asked);
  }
}

/** How much there is of how much there may be. */
function sentence(used: Usage, limits: QuotaLimits): string {
  const parts: string[] = [];
  if (limits.octets > 0) {
    parts.push(`${number(used.octets)} of ${number(limits.octets)} octets`);
  }
  if (limits.messages > 0) {
    parts.push(`${number(used.messages)} of ${number(limits.messages)} messages`);
  }
  return `${parts.join(" and ")} are used`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
