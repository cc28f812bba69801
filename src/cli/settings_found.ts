/**
 * Whether a settings file that nobody named may be taken because it lies in the current folder. Settings
 * name programs to run and files to believe, some by paths beside them: who takes a stranger's, as root
 * in /tmp, runs what the stranger likes.
 *
 * So the file has to be root's or the caller's own, and so has each folder on the way to it; and nobody
 * else may write there. A sticky folder such as /tmp may be on the way, since nobody but the owner renames
 * what is in it, but not hold the file, beside which anybody could put the rest.
 *
 * *Knows*: owners and modes. *Does not know*: what is in settings; lists of access (acl(5)), beyond that
 * the group's rights are the most that they give.
 */

import { lstatSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";

const MAY_WRITE = { group: 0o020, others: 0o002 } as const;
const STICKY = 0o1000;

/** Why the file is not to be taken unless it is named, as the end of a sentence; undefined if it may be. */
export function whyNotTrusted(file: string): string | undefined {
  // A system without users of this kind has none.
  const caller = process.geteuid?.();
  if (caller === undefined) return undefined;
  const path = resolve(file);
  // A link may lead to what is root's: the link is what somebody put there.
  const why = whose(path, lstatSync(path), caller) ?? whoChanges(path, caller);
  if (why !== undefined) return why;
  for (let inside = path, folder = dirname(path); folder !== inside;) {
    const status = statSync(folder);
    const isOnTheWay = inside !== path && (status.mode & STICKY) !== 0;
    const why = isOnTheWay ? whose(folder, status, caller) : whoChanges(folder, caller);
    if (why !== undefined) return why;
    [inside, folder] = [folder, dirname(folder)];
  }
  return undefined;
}

function whose(path: string, { uid }: Stats, caller: number): string | undefined {
  return uid === 0 || uid === caller ? undefined : `${path} belongs to the user ${uid}`;
}

function whoChanges(path: string, caller: number): string | undefined {
  const status = statSync(path);
  const why = whose(path, status, caller);
  if (why !== undefined) return why;
  const { gid, mode } = status;
  if ((mode & MAY_WRITE.others) !== 0) return `every user of this machine can change ${path}`;
  // Some systems give each user a group of his own: that is no other.
  const isOwn = gid === 0 || gid === process.getegid?.();
  if ((mode & MAY_WRITE.group) === 0 || isOwn) return undefined;
  return `the group ${gid} can change ${path}`;
}
