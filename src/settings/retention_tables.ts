/** `[[retentions]]` tables as the program uses them, and back. */

import type { SettingsFile } from "./schema.ts";
import { formatDuration } from "./units.ts";

/** What differs for some users or folders; undefined is as for everybody. */
export interface RetentionTable {
  readonly users: readonly string[];
  readonly domains: readonly string[];
  /** None means the INBOX. */
  readonly folders: readonly string[];
  /** 0 is never; so it is below. */
  readonly readMs: number | undefined;
  readonly unreadMs: number | undefined;
}

export function effectiveRetentions(tables: SettingsFile["retentions"]): RetentionTable[] {
  return tables.map((table) => ({
    users: table.users,
    domains: table.domains,
    folders: table.folders,
    readMs: table.retention_read,
    unreadMs: table.retention_unread,
  }));
}

/** The table as a settings file would have it. */
export function retentionValues(table: RetentionTable): Record<string, string | string[]> {
  const { users, domains, folders, readMs, unreadMs } = table;
  return {
    users: [...users],
    domains: [...domains],
    folders: [...folders],
    ...readMs === undefined ? {} : { retention_read: formatDuration(readMs) },
    ...unreadMs === undefined ? {} : { retention_unread: formatDuration(unreadMs) },
  };
}

/** Whether a table says nothing of anything. */
export function saysNothing({ readMs, unreadMs }: RetentionTable): boolean {
  return readMs === undefined && unreadMs === undefined;
}
