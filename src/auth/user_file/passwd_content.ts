/**
 * What a whole user file says: its users by name, and what is wrong with it.
 *
 * *Knows* lines and their numbers. *Does not know* files.
 */

import { ignoredFields } from "./ignored_fields.ts";
import type { SecretKind } from "../login.ts";
import type { WeakSchemes } from "../password_schemes/scheme.ts";
import { isHashFault, readStoredPassword } from "../stored_password.ts";
import { parsePasswdLine, type PasswdEntry } from "./passwd_line.ts";
import { ScramShapes, type ScramShapeUse } from "../scram/shapes.ts";
import { foldedName } from "../user_name.ts";

export interface PasswdFault {
  /** Counted from 1. */
  readonly line: number;
  /** Never holds anything of a password. */
  readonly reason: string;
}

export interface PasswdContent {
  /** By the name as it is looked up, in lower case. */
  readonly entries: ReadonlyMap<string, PasswdEntry>;
  /** Lines that were skipped, entries whose password can never match, and fields not honoured. */
  readonly faults: readonly PasswdFault[];
  /** Password fields that can be checked, by cost class: one for each user who can log in. */
  readonly checkable: ReadonlyMap<string, readonly string[]>;
  /** Which secrets some users have. */
  /** Why users have no entry whose lines are skipped, by `foldedName`. */
  readonly skipped: ReadonlyMap<string, string>;
  readonly secretKinds: ReadonlySet<SecretKind>;
  readonly scramShapes: readonly ScramShapeUse[];
}

/** Such a line is an entry for Dovecot as well; few mean it. */
const NO_COLON = 'there is no ":" in it, so the whole line is a user who has no password';

/**
 * Reads a user file. Of several entries for a user the first counts, as in Dovecot; names that differ in
 * letter case alone are one user's.
 *
 * @param weak The weak password schemes that are honoured; none unless given.
 */
export function parsePasswdContent(octets: Uint8Array, weak?: WeakSchemes): PasswdContent {
  const text = new TextDecoder("utf-8").decode(octets);
  const entries = new Map<string, PasswdEntry>();
  const faults: PasswdFault[] = [];
  const skipped = new Map<string, string>();
  const checkable = new Map<string, string[]>();
  const secretKinds = new Set<SecretKind>();
  const scramShapes = new ScramShapes();
  let number = 0;
  for (const line of text.split("\n")) {
    number++;
    const entry = parsePasswdLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (entry === undefined) {
      if (/^:./.test(line)) faults.push({ line: number, reason: "skipped: no user is named" });
      continue;
    }
    if (line.includes("\ufffd")) {
      faults.push({ line: number, reason: "not UTF-8" });
    } else if ("fault" in entry) {
      faults.push({ line: number, reason: entry.fault });
      if (entry.user !== undefined) skipped.set(foldedName(entry.user), entry.fault);
    } else if (entries.has(foldedName(entry.user))) {
      const same = entries.get(foldedName(entry.user))?.user === entry.user;
      const how = same ? "" : ", spelt in other letter case";
      const reason = `the user is there already${how}; the first entry counts`;
      faults.push({ line: number, reason });
    } else {
      entries.set(foldedName(entry.user), entry);
      const odd = line.includes(":")
        ? [...ignoredFields(entry.extra), ...entry.warnings ?? []]
        : [NO_COLON];
      if (odd.length > 0) faults.push({ line: number, reason: odd.join("; ") });
      for (const kind of Object.keys(entry.secrets ?? {})) secretKinds.add(kind as SecretKind);
      if (entry.secrets?.scramSha256 !== undefined) scramShapes.add(entry.secrets.scramSha256);
      const read = readStoredPassword(entry.storedPassword, weak);
      if (!isHashFault(read)) {
        const alike = checkable.get(read.costClass);
        if (alike === undefined) checkable.set(read.costClass, [entry.storedPassword]);
        else alike.push(entry.storedPassword);
      } else if (read.kind !== "locked") {
        const otherwise = entry.secrets ?? entry.appPasswords;
        const what = otherwise === undefined ? "the user cannot log in" : "no password is right";
        faults.push({ line: number, reason: `${what}: ${read.reason}` });
      }
    }
  }
  return { entries, faults, skipped, checkable, secretKinds, scramShapes: scramShapes.mostUsed() };
}
