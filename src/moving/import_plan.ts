/**
 * Which present message gets which unique-id, and which do not get their old one, and why. Pure.
 *
 * The rules, in their order:
 * 1. What popkeep has given a message stays, whether a client saw it or not, unless the caller says `replace`.
 * 2. No id is shown for two messages: an id that the list has for another one, be it removed, is not given again,
 *    nor one that popkeep's own counter may have given to a message that the list has forgotten; and of two messages
 *    with one old id the first in the old server's order keeps it.
 * 3. All else keeps its old id, or the one that stands for it (shown_ids.ts).
 *
 * Messages without an old id, or that may not keep it, are left to be found as new ones by the next login. They
 * come behind those that are imported, in the order of their delivery.
 *
 * *Knows* the list and what the old server said. *Does not know* the disk.
 */

import { parseUniqueId, type UniqueId } from "../maildrop/unique_id.ts";
import type { UniqueIdList } from "../maildir/unique_id_list.ts";
import type { OldIds } from "./old_ids.ts";
import type { PresentMessages } from "./present_messages.ts";
import { countedValue, mayBeGiven, shownId } from "./shown_ids.ts";

/**
 * What comes of a message:
 * - `kept`: it gets its old id; `replaced`: the same, in place of one that popkeep gave.
 * - `mapped`: it gets one that stands for its old id, which cannot be shown.
 * - `same`: it has that id already.
 * - `given`: popkeep gave it another one before.
 * - `duplicate`: another message has the same old id; `taken`: so has one that popkeep knows.
 * - `unlisted`: the old server has none for it.
 */
export type Outcome =
  | "kept"
  | "replaced"
  | "mapped"
  | "same"
  | "given"
  | "duplicate"
  | "taken"
  | "unlisted";

export interface MappedId {
  /** A character an octet. */
  readonly old: string;
  readonly shown: UniqueId;
  /** Whether it could be shown, and is not for the sake of popkeep's counter (shown_ids.ts). */
  readonly isTooHigh: boolean;
}

/** What the old server is taken to have shown of a message, and what comes of it. */
export interface FoundId {
  /** A character an octet. */
  readonly old: string;
  readonly outcome: Outcome;
}

/** A line of the list that is to be written. */
export interface PlannedLine {
  /** Of the present messages. */
  readonly row: number;
  readonly shown: UniqueId;
  /** Of the list, which this line stands in for; -1 for none. */
  readonly listRow: number;
}

export interface ImportPlan {
  readonly messages: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly mapped: readonly MappedId[];
  /** All that were found, in the old server's order. */
  readonly found: readonly FoundId[];
  /** In the order that clients will see. */
  readonly lines: readonly PlannedLine[];
  /** No id below this may be counted any more. */
  readonly next: number;
}

/** @param options.replace Whether old ids go before those that popkeep has given. */
export function planImport(
  { rows, table }: PresentMessages,
  old: OldIds,
  list: UniqueIdList,
  { replace }: { readonly replace: boolean },
): ImportPlan {
  const counts: Record<Outcome, number> = {
    kept: 0,
    replaced: 0,
    mapped: 0,
    same: 0,
    given: 0,
    duplicate: 0,
    taken: 0,
    unlisted: 0,
  };
  const mapped: MappedId[] = [];
  const found: FoundId[] = [];
  const lines: PlannedLine[] = [];
  const owners = ownersOf(list);
  const imported = new Set<string>();
  const isOld = new Uint8Array(table.count);
  let next = 1;
  for (const row of old.order) {
    const id = old.ids[row];
    if (!table.isInFolder(row) || id === undefined || id === "") continue;
    isOld[row] = 1;
    const { shown, isMapped } = shownId(id);
    const listRow = list.findPresent(table.uniqueNameOf(row));
    const outcome = outcomeOf({
      shown,
      listRow,
      isMapped,
      replace,
      owners,
      imported,
      next: list.next,
    });
    counts[outcome]++;
    found.push({ old: id, outcome });
    if (outcome === "given" || outcome === "duplicate" || outcome === "taken") continue;
    imported.add(shown);
    // Also of what was imported before: the counter may have been lost since.
    next = Math.max(next, (countedValue(shown) ?? 0) + 1);
    if (outcome === "same") continue;
    // What could be shown is not mapped for its looks.
    if (isMapped) mapped.push({ old: id, shown, isTooHigh: parseUniqueId(id) !== undefined });
    lines.push({ row, shown, listRow });
  }
  counts.unlisted = rows.reduce((count, row) => count + (isOld[row] === 0 ? 1 : 0), 0);
  const all = counts.replaced > 0 ? inOldOrder({ rows, table }, old, list, lines) : lines;
  return { messages: rows.length, counts, mapped, found, lines: all, next };
}

interface Candidate {
  readonly shown: UniqueId;
  readonly listRow: number;
  readonly isMapped: boolean;
  readonly replace: boolean;
  /** Rows of the list by what is shown for them. */
  readonly owners: ReadonlyMap<string, number>;
  readonly imported: ReadonlySet<string>;
  /** Where popkeep's counter is. */
  readonly next: number;
}

function outcomeOf(
  { shown, listRow, isMapped, replace, owners, imported, next }: Candidate,
): Outcome {
  const owner = owners.get(shown);
  if (owner !== undefined && owner === listRow) return "same";
  if (listRow >= 0 && !replace) return "given";
  if (imported.has(shown)) return "duplicate";
  if (owner !== undefined || mayBeGiven(shown, next)) return "taken";
  return isMapped ? "mapped" : listRow >= 0 ? "replaced" : "kept";
}

/** What clients were, or may have been, shown: also of messages that are gone. */
function ownersOf({ table }: UniqueIdList): Map<string, number> {
  const owners = new Map<string, number>();
  for (let row = 0; row < table.count; row++) owners.set(shownFor(table, row), row);
  return owners;
}

/** What is shown for a row of the list. */
export function shownFor(table: UniqueIdList["table"], row: number): UniqueId {
  return parseUniqueId(table.carriedOf(row) ?? "") ?? String(table.idOf(row)) as UniqueId;
}

/**
 * Where ids are replaced, lines of all messages that have one: they get new places in the list, and so the order
 * is the old server's again. What is shown for those that are not replaced stays, as if it were carried over.
 */
function inOldOrder(
  { rows, table }: Pick<PresentMessages, "rows" | "table">,
  old: OldIds,
  list: UniqueIdList,
  lines: readonly PlannedLine[],
): PlannedLine[] {
  const planned = new Map(lines.map((line) => [line.row, line]));
  const lineOf = (row: number): PlannedLine | undefined => {
    const line = planned.get(row);
    if (line !== undefined) return line;
    const listRow = list.findPresent(table.uniqueNameOf(row));
    return listRow < 0 ? undefined : { row, shown: shownFor(list.table, listRow), listRow };
  };
  const order = new Set([...old.order, ...inOrderOfList(rows, table, list)]);
  return [...order].flatMap((row) => {
    const line = table.isInFolder(row) ? lineOf(row) : undefined;
    return line === undefined ? [] : [line];
  });
}

function inOrderOfList(
  rows: Uint32Array,
  table: PresentMessages["table"],
  list: UniqueIdList,
): number[] {
  return [...rows].map((row) => ({ row, listRow: list.findPresent(table.uniqueNameOf(row)) }))
    .filter(({ listRow }) => listRow >= 0)
    .sort((one, other) => one.listRow - other.listRow)
    .map(({ row }) => row);
}
