/**
 * The old server's ids of present messages, found by the names of their files: from Dovecot's list, Courier's, or
 * from the names themselves as qmail does. Lists are in the Maildir, or where the caller says.
 *
 * *Knows* which reader reads what. *Does not know* the command line.
 */

import { CourierSizeList } from "./courier_size_list.ts";
import type { UidlFormat } from "./dovecot_uidl_format.ts";
import { DovecotUidlist } from "./dovecot_uidlist.ts";
import { type OldIds, OldListFault } from "./old_ids.ts";
import { readOldLines } from "./old_lines.ts";
import type { PresentMessages } from "./present_messages.ts";
import type { Progress } from "./progress.ts";
import { xUidls } from "./x_uidl_header.ts";

export const DOVECOT_LIST = "dovecot-uidlist";
export const COURIER_LIST = "courierpop3dsizelist";

export interface DovecotOptions {
  readonly format: UidlFormat;
  /** Dovecot's pop3_reuse_xuidl: an X-UIDL field goes before the format. */
  readonly reuseXuidl: boolean;
  /** Dovecot's pop3_uidl_duplicates = rename: what comes again has -2, -3, ... behind it. */
  readonly renameDuplicates: boolean;
}

/** @throws {OldListFault} If there is no list, or none that is known. */
export async function dovecotIds(
  present: PresentMessages,
  path: string,
  { format, reuseXuidl, renameDuplicates }: DovecotOptions,
  progress: Progress,
): Promise<OldIds> {
  const list = new DovecotUidlist(present.table);
  await readOldLines(present.disk, path, (line) => taking(path, () => list.take(line)));
  if (!list.hasHeader) throw new OldListFault(`${path} is empty`);
  const order = list.rowsInOrder();
  const asked = order.filter((row) => !list.pop3Ids.has(row));
  const fields = reuseXuidl ? await xUidls(present, asked, progress) : [];
  const ids: (string | undefined)[] = new Array(present.table.count).fill(undefined);
  for (const row of order) {
    const fileName = present.table.uniqueNameOf(row);
    const own = list.pop3Ids.get(row);
    ids[row] = own !== undefined ? own || fileName : fields[row] ?? format({
      uid: list.uids[row]!,
      uidValidity: list.uidValidity,
      fileName,
      guid: list.guids.get(row) ?? fileName,
    });
  }
  if (renameDuplicates) rename(ids, order);
  return { ids, order, remarks: list.remarks };
}

/** As Dovecot's pop3-commands.c does, in the order of the listing. */
function rename(ids: (string | undefined)[], order: readonly number[]): void {
  const counts = new Map<string, number>();
  for (const row of order) {
    let id = ids[row]!;
    for (let count; (count = counts.get(id)) !== undefined;) {
      counts.set(id, count + 1);
      id += `-${count + 1}`;
    }
    counts.set(id, 1);
    ids[row] = id;
  }
}

/** @throws {OldListFault} If there is no list, or none that is known. */
export async function courierIds(present: PresentMessages, path: string): Promise<OldIds> {
  const list = new CourierSizeList(present.table);
  await readOldLines(present.disk, path, (line) => taking(path, () => list.take(line)));
  if (!list.hasLines) throw new OldListFault(`${path} is empty`);
  return { ids: list.ids, order: list.order, remarks: list.remarks };
}

/** qmail-pop3d shows the name of a file up to its flags. */
export function qmailIds({ rows, table }: PresentMessages): OldIds {
  const ids: (string | undefined)[] = new Array(table.count).fill(undefined);
  for (const row of rows) ids[row] = table.uniqueNameOf(row);
  return { ids, order: [...rows], remarks: [] };
}

/** Says which file it is that cannot be used. */
function taking(path: string, take: () => void): void {
  try {
    take();
  } catch (error) {
    throw error instanceof OldListFault ? new OldListFault(`${path}: ${error.message}`) : error;
  }
}
