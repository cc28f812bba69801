/**
 * Users whose every login would fail although their password is right: the setting `maildir` gives them
 * no place, or `default_domain` makes another name of theirs.
 *
 * *Knows*: the user file, the settings. *Does not know*: the disk, how it is shown.
 */

import type { AccountDirectory } from "../auth/directory.ts";
import { mailboxPath } from "../maildir/location.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { printable } from "./printable.ts";

/** Users that are named; of the rest the number. */
export const NAMED = 10;

/** A sentence if there are users who have no domain where every name gets one. */
export function usersWithoutDomain(
  users: readonly { readonly user: string }[],
  defaultDomain: string,
): string[] {
  const bare = users.filter(({ user }) => !user.includes("@"));
  if (defaultDomain === "" || bare.length === 0) return [];
  const named = bare.slice(0, NAMED).map(({ user }) => printable(user)).join(", ");
  const more = bare.length > NAMED ? ` and ${bare.length - NAMED} more` : "";
  const who = bare.length === 1 ? "1 user has" : `${bare.length} users have`;
  return [
    `${who} no domain in the user file and cannot log in, as every name that is sent without one ` +
    `gets @${defaultDomain}: ${named}${more}`,
  ];
}

/** A sentence for each user without a place for mail, and at most one more for the rest of them. */
export async function usersWithoutPlace(
  users: readonly { readonly user: string }[],
  directory: AccountDirectory,
  maildir: string,
): Promise<string[]> {
  const sentences: string[] = [];
  let more = 0;
  for (const { user } of users) {
    const account = (await directory.lookUp(user))?.account;
    if (account === undefined || mailboxPath(maildir, account) !== undefined) continue;
    if (sentences.length === NAMED) more++;
    else {
      const why = printable(whyNoPlace(maildir, account));
      sentences.push(`${printable(user)} would be refused with -ERR [SYS/PERM]: ${why}`);
    }
  }
  if (more > 0) sentences.push(`${more} more users would be refused for such a reason`);
  return sentences;
}
