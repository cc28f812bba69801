/**
 * `X-UIDL` header fields, in which some servers keep unique-ids (qpopper, Dovecot where `pop3_reuse_xuidl` is on).
 * The first field of a message counts.
 *
 * A sender may have written the field. So an id from it never takes one that another message has: first come, in
 * the order of delivery, first served (shown_ids.ts).
 *
 * *Knows* the field. *Does not know* what becomes of it.
 */

import type { Buffer } from "node:buffer";
import { fieldsOf } from "./header_octets.ts";
import type { OldIds } from "./old_ids.ts";
import type { PresentMessages } from "./present_messages.ts";
import type { Progress } from "./progress.ts";

/** Ids of all present messages that have the field. */
export async function xUidlIds(present: PresentMessages, progress: Progress): Promise<OldIds> {
  const ids = await xUidls(present, present.rows, progress);
  return { ids, order: [...present.rows].filter((row) => ids[row] !== undefined), remarks: [] };
}

/** What these messages' fields say, by row. */
export async function xUidls(
  present: PresentMessages,
  rows: Iterable<number> & { readonly length: number },
  progress: Progress,
): Promise<(string | undefined)[]> {
  const ids: (string | undefined)[] = new Array(present.table.count).fill(undefined);
  progress.begin("headers read", rows.length);
  await present.eachHeader(rows, (row, header) => {
    if (header !== undefined) ids[row] = xUidlIn(header);
    progress.step();
  });
  return ids;
}

function xUidlIn(header: Buffer): string | undefined {
  for (const field of fieldsOf(header)) {
    const value = /^x-uidl[ \t]*:[ \t]*(.*?)[ \t]*$/is.exec(field)?.[1];
    if (value !== undefined) return value === "" ? undefined : value;
  }
  return undefined;
}
