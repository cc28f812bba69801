/**
 * What a check of a mailbox can find: one fault, where it is, and what repair would do about it.
 *
 * A finding of which repair knows what to do has the work with it, to be run or not by who asked. The work looks
 * again at what it is about to change: it may be run some time after the finding, and mail comes and goes meanwhile.
 *
 * *Knows* words. *Does not know* the disk.
 */

import { Buffer, isUtf8 } from "node:buffer";

/**
 * - `error`: mail is not served, or not as it is, or may be lost.
 * - `warning`: popkeep copes, but something is not as it should be.
 * - `note`: worth knowing; a mailbox with nothing else is sound.
 */
export type Severity = "error" | "warning" | "note";

/** What kinds there are; `check --json` has these words, and docs/mailboxes.md explains them. */
export type FindingKind =
  | "missing-folder"
  | "no-maildir"
  | "link"
  | "not-a-folder"
  | "not-a-file"
  | "wrong-owner"
  | "wrong-mode"
  | "no-maildirfolder"
  | "stray-message"
  | "unknown-file"
  | "odd-name"
  | "name-twice"
  | "stale-tmp"
  | "unreadable"
  | "empty-message"
  | "not-rfc5322"
  | "size-in-name"
  | "size-in-list"
  | "list-damaged"
  | "list-torn"
  | "list-void-lines"
  | "list-unusable"
  | "list-kept"
  | "lock-left"
  | "deleted-name"
  | "maildirsize-wrong";

export interface Repair {
  /** What it does, as "would ..." goes on. */
  readonly what: string;
  /** Whether only root can. */
  readonly needsRoot?: boolean;
  /**
   * Does it. False if there is nothing to do any more.
   *
   * @throws {StorageFailure} If it cannot be done.
   * @throws {Error} What `node:fs` says.
   */
  run(): Promise<boolean>;
}

export interface Finding {
  readonly severity: Severity;
  readonly kind: FindingKind;
  /** What it is about: octets of a path, below the folder of the user's mail where it is there. */
  readonly path: string;
  /** A clause about what is at the path. */
  readonly reason: string;
  /** What repair would do; a text says why it leaves it, as "repair leaves this" goes on. */
  readonly repair: Repair | string;
}

/** Octets of a path, a character each, as text to show. What is no UTF-8 is taken for Western European. */
export function pathText(octets: string): string {
  const bytes = Buffer.from(octets, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : octets;
}
