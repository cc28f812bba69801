/**
 * What `popkeep import-uids` says of what it did, or would do: a line a mailbox, and why messages do not keep
 * their old unique-ids.
 *
 * *Knows*: plans. *Does not know*: how they are made.
 */

import { Buffer } from "node:buffer";
import type { ImportPlan, MappedId, Outcome } from "../moving/import_plan.ts";
import { listing, type ListOptions } from "./listing.ts";
import { printable } from "./printable.ts";

export interface ImportRow {
  readonly user: string;
  readonly path: string;
  readonly plan: ImportPlan;
  readonly remarks: readonly string[];
}

interface ReportOptions extends ListOptions {
  readonly from?: string;
  readonly dryRun?: boolean;
}

/** Unique-ids that are named of a mailbox; --json names all. */
const MOST_NAMED = 20;

/** Why a message is downloaded again. */
const REASONS: Readonly<Partial<Record<Outcome | "tooHigh" | "noField", string>>> = {
  mapped:
    "the old unique-id cannot be shown, since it is too long or has other characters than POP3 allows",
  tooHigh: "the old unique-id is a number that leaves popkeep's own, which go on above it, no room",
  given: "popkeep has given another unique-id already; --replace puts the old one in its place",
  duplicate: "another message has the same old unique-id, and keeps it",
  taken: "popkeep has shown the old unique-id for another message",
  noField: "there is no X-UIDL field in the message, so what the old server called it is not known",
};

/** How many messages are downloaded again, and why. */
function reasonsOf({ counts, mapped }: ImportPlan, { from }: ReportOptions) {
  const tooHigh = mapped.filter(({ isTooHigh }) => isTooHigh).length;
  const { given, duplicate, taken } = counts;
  // A list that lacks a message is of a time before it. A header is as old as the message.
  const noField = from === "x-uidl" ? counts.unlisted : 0;
  return { mapped: counts.mapped - tooHigh, tooHigh, given, duplicate, taken, noField };
}

function againOf(plan: ImportPlan, options: ReportOptions): number {
  return Object.values(reasonsOf(plan, options)).reduce((sum, count) => sum + count, 0);
}

/** Messages that no client has seen. */
function unlistedOf({ counts }: ImportPlan, { from }: ReportOptions): number {
  return from === "x-uidl" ? 0 : counts.unlisted;
}

/** The result, for standard output. */
export function importListing(options: ReportOptions, rows: readonly ImportRow[]): string {
  return listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "MESSAGES", align: "right" },
      { title: "KEPT", align: "right" },
      { title: "SAME", align: "right" },
      { title: "AGAIN", align: "right" },
      { title: "UNLISTED", align: "right" },
    ],
    rows: rows.map(({ user, plan }) => [
      printable(user),
      ...[
        plan.messages,
        keptOf(plan.counts),
        plan.counts.same,
        againOf(plan, options),
        unlistedOf(plan, options),
      ].map(String),
    ]),
    values: rows.map(valuesOf(options)),
  });
}

function valuesOf(options: ReportOptions) {
  const { dryRun = false } = options;
  return ({ user, path, plan, remarks }: ImportRow): unknown => ({
    user,
    path,
    dryRun,
    messages: plan.messages,
    kept: keptOf(plan.counts),
    same: plan.counts.same,
    again: againOf(plan, options),
    reasons: reasonsOf(plan, options),
    unlisted: unlistedOf(plan, options),
    mapped: plan.mapped.map(({ old, shown }) => ({ old: textOf(old), uniqueId: shown })),
    found: plan.found.map(({ old, outcome }) => ({ old: textOf(old), outcome })),
    remarks,
  });
}

/** Why messages of a mailbox do not keep their unique-ids, and what is odd about the old list; a line each. */
export function whyAgain({ user, plan, remarks }: ImportRow, options: ReportOptions): string[] {
  const { dryRun = false, json } = options;
  const lines = remarks.map((remark) => `${printable(user)}: ${printable(remark)}`);
  const [first] = plan.found;
  // By one that the old server shows can be told whether all are what clients know.
  if (dryRun && first !== undefined) {
    lines.push(`${printable(user)}: first: ${shortened(first.old)}`);
  }
  for (const [why, count] of Object.entries(reasonsOf(plan, options))) {
    if (count === 0) continue;
    const reason = REASONS[why as keyof typeof REASONS];
    lines.push(`${printable(user)}: ${messagesOf(count)} downloaded again: ${reason}`);
  }
  const named = json ? [] : plan.mapped.slice(0, MOST_NAMED);
  lines.push(...named.map((mapped) => `${printable(user)}: ${mappingOf(mapped)}`));
  const unnamed = json ? 0 : plan.mapped.length - named.length;
  if (unnamed > 0) lines.push(`${printable(user)}: and ${unnamed} more; --json names all`);
  return lines;
}

function mappingOf({ old, shown }: MappedId): string {
  return `${shortened(old)} becomes ${shown}`;
}

function shortened(old: string): string {
  const text = printable(textOf(old));
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

/** All mailboxes in one sentence. */
export function summaryOf(rows: readonly ImportRow[], options: ReportOptions): string[] {
  const { dryRun } = options;
  const sum = (count: (plan: ImportPlan) => number) =>
    rows.reduce((total, { plan }) => total + count(plan), 0);
  const again = sum((plan) => againOf(plan, options));
  const kept = sum(({ counts }) => keptOf(counts));
  const same = sum(({ counts }) => counts.same);
  const unlisted = sum((plan) => unlistedOf(plan, options));
  const mailboxes = rows.length === 1 ? "1 mailbox" : `${rows.length} mailboxes`;
  const all = sum(({ messages }) => messages);
  const parts = [
    `of ${all} ${all === 1 ? "message" : "messages"} ${kept} ${
      dryRun ? "would keep" : "kept"
    } the old unique-id`,
    ...(same > 0 ? [`${same} had it already`] : []),
    ...(unlisted > 0 ? [`${unlisted} had none`] : []),
    `${again} ${dryRun ? "would" : "will"} be downloaded again`,
  ];
  return [`${mailboxes}: ${parts.join(", ")}${dryRun ? "; nothing was changed" : ""}`];
}

function keptOf(counts: ImportPlan["counts"]): number {
  return counts.kept + counts.replaced;
}

function messagesOf(count: number): string {
  return count === 1 ? "1 message is" : `${count} messages are`;
}

/** A character an octet, as text. */
function textOf(old: string): string {
  return Buffer.from(old, "latin1").toString("utf8");
}
