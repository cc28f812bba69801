/** `[[quotas]]` tables as the program uses them, and back. */

import type { PolicyTable } from "./policy_kinds.ts";
import type { SettingsFile } from "./schema.ts";

/** What differs for some users; undefined is as for everybody. */
export interface QuotaTable extends PolicyTable {
  /** 0 sets no limit; nor does it below. */
  readonly storageOctets: number | undefined;
  readonly messageCount: number | undefined;
  readonly exceeded: SettingsFile["quota_exceeded"] | undefined;
  /** Ascending. */
  readonly warningPercentages: readonly number[] | undefined;
}

export function effectiveQuotas(tables: SettingsFile["quotas"]): QuotaTable[] {
  return tables.map((table) => ({
    users: table.users,
    domains: table.domains,
    storageOctets: table.quota_storage_size,
    messageCount: table.quota_message_count,
    exceeded: table.quota_exceeded,
    warningPercentages: table.quota_warning_percentages &&
      ascending(table.quota_warning_percentages),
  }));
}

/** The table as a settings file would have it. */
export function quotaValues(
  table: QuotaTable,
): Record<string, string | number | string[] | number[]> {
  const { exceeded, messageCount, storageOctets, warningPercentages } = table;
  return {
    users: [...table.users],
    domains: [...table.domains],
    ...storageOctets === undefined ? {} : { quota_storage_size: storageOctets },
    ...messageCount === undefined ? {} : { quota_message_count: messageCount },
    ...exceeded === undefined ? {} : { quota_exceeded: exceeded },
    ...warningPercentages === undefined
      ? {}
      : { quota_warning_percentages: [...warningPercentages] },
  };
}

/** Each once. */
export function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((one, other) => one - other);
}
