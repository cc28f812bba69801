/**
 * Which quota a user has ([MS-STANXPOP3] E0003: a default that is inherited, and changed for some): what the user's
 * entry says (Dovecot's `quota_rule`, `quota_rule2`, ... and 2.4's `quota_storage_size`, `quota_message_count`), else
 * the first `[[quotas]]` table that names the user, else the first that names the domain, else the settings.
 *
 * A `quota_rule` of all mail replaces both limits, as in Dovecot: without `messages=` there is none on messages. What
 * is left out of a table, or of an entry's other fields, is inherited.
 *
 * *Knows* settings and entries. *Does not know* mail.
 */

import type { MailLocation } from "../maildir/mail_location.ts";
import { folderNameAt, isFolderOf } from "../maildir/quota_folders.ts";
import type { QuotaLimits } from "../maildrop/quota_definition.ts";
import type { Account } from "../maildrop/store.ts";
import {
  type Allowance,
  isRuleFault,
  parseFieldSize,
  parseQuotaRule,
  type QuotaRule,
} from "../maildrop/quota_rule.ts";

export interface QuotaPolicy {
  readonly storageOctets: number | undefined;
  readonly messageCount: number | undefined;
  readonly exceeded: "refuse" | "defer" | undefined;
  readonly warningPercentages: readonly number[] | undefined;
}

/** The settings as far as they are about quotas. */
export interface QuotaSettings {
  readonly quotaStorageOctets: number;
  readonly quotaMessageCount: number;
  readonly quotaExceeded: "refuse" | "defer";
  readonly quotaIgnoredFolders: readonly string[];
  readonly quotaWarningPercentages: readonly number[];
  readonly quotas: readonly (
    & QuotaPolicy
    & { readonly users: readonly string[]; readonly domains: readonly string[] }
  )[];
}

export interface Quota {
  readonly limits: QuotaLimits;
  /** Whether a message for which there is no room is given back, or to come again. */
  readonly exceeded: "refuse" | "defer";
  /** Ascending. */
  readonly warningPercentages: readonly number[];
  /** Names of folders whose mail does not count. */
  readonly ignored: readonly string[];
  /** What may come into folders besides; the first that means a folder counts. */
  readonly folders: readonly Extract<QuotaRule, { kind: "folder" }>[];
}

/** Why nobody can say which quota it is; for the log, with nothing secret in it. */
export interface QuotaFault {
  readonly fault: string;
}

/** Rules of one entry at most. */
const MOST_RULES = 100;

export function isQuotaFault(quota: Quota | QuotaFault): quota is QuotaFault {
  return "fault" in quota;
}

/** Whether there is any limit on the mail of somebody with this quota. */
export function hasLimits({ limits }: Quota): boolean {
  return limits.octets > 0 || limits.messages > 0;
}

/** The quota of an account; a fault if its entry says anything about it that is not understood. */
export function quotaOf(settings: QuotaSettings, account: Account): Quota | QuotaFault {
  const table = tableOf(settings.quotas, account.user);
  let limits: QuotaLimits = {
    octets: table?.storageOctets ?? settings.quotaStorageOctets,
    messages: table?.messageCount ?? settings.quotaMessageCount,
  };
  const ignored = [...settings.quotaIgnoredFolders];
  const folders: Quota["folders"][number][] = [];
  const { extra } = account;
  const size = extra["quota_storage_size"];
  const count = extra["quota_message_count"];
  if (size) limits = { ...limits, octets: parseFieldSize(size) ?? NaN };
  if (count) limits = { ...limits, messages: parseFieldSize(count) ?? NaN };
  if (Number.isNaN(limits.octets)) return { fault: "quota_storage_size is no size" };
  if (Number.isNaN(limits.messages)) return { fault: "quota_message_count is no number" };
  for (const [field, text] of rulesOf(extra)) {
    const rule = parseQuotaRule(text);
    if (isRuleFault(rule)) return { fault: `${field} is not understood: ${rule.fault}` };
    if (rule.kind === "limits") limits = rule.limits;
    else if (rule.kind === "ignored") ignored.push(rule.mask);
    else folders.push(rule);
  }
  return {
    limits,
    exceeded: table?.exceeded ?? settings.quotaExceeded,
    warningPercentages: table?.warningPercentages ?? settings.quotaWarningPercentages,
    ignored,
    folders,
  };
}

/** The folders of an account whose mail does not count; rules that are not understood say nothing here. */
export function ignoredFolders(
  { quotaIgnoredFolders }: Pick<QuotaSettings, "quotaIgnoredFolders">,
  { extra }: Account,
): string[] {
  const ignored = [...quotaIgnoredFolders];
  for (const [, text] of rulesOf(extra)) {
    const rule = parseQuotaRule(text);
    if (!isRuleFault(rule) && rule.kind === "ignored") ignored.push(rule.mask);
  }
  return ignored;
}

function tableOf(tables: QuotaSettings["quotas"], user: string): QuotaPolicy | undefined {
  const name = user.toLowerCase();
  const domain = name.slice(name.lastIndexOf("@") + 1);
  return tables.find(({ users }) => users.some((other) => other.toLowerCase() === name)) ??
    (name.includes("@")
      ? tables.find(({ domains }) => domains.some((other) => other.toLowerCase() === domain))
      : undefined);
}

/** `quota_rule`, `quota_rule2`, `quota_rule3` and so on, up to the first that is not there. */
function* rulesOf(extra: Account["extra"]): Generator<[field: string, text: string]> {
  for (let number = 1; number <= MOST_RULES; number++) {
    const field = number === 1 ? "quota_rule" : `quota_rule${number}`;
    const text = extra[field];
    // An entry may have a second rule alone: the first may be the settings' in Dovecot.
    if (text) yield [field, text];
    else if (number > 1) return;
  }
}

/** What there may be in all where mail comes into the Maildir at a path. */
export function limitsInto(quota: Quota, location: MailLocation, path: string): QuotaLimits {
  const name = folderNameAt(location, path);
  const rule = quota.folders.find(({ mask }) => isFolderOf(mask, name, location));
  const { octets, messages } = quota.limits;
  return {
    octets: withAllowance(octets, rule?.octets),
    messages: withAllowance(messages, rule?.messages),
  };
}

/** No limit stays none; one that a rule takes wholly away leaves room for nothing that matters. */
function withAllowance(limit: number, allowance: Allowance | undefined): number {
  if (limit === 0 || allowance === undefined) return limit;
  const { isPercentage, value } = allowance;
  return Math.max(1, limit + (isPercentage ? Math.floor(limit * value / 100) : value));
}
