/**
 * The setting `maildir` seen from outside: the folder that holds all mail, and why a user gets no place
 * in it.
 *
 * *Knows*: the template's variables. *Does not know*: the disk.
 */

import { LOCATION_VARIABLES, mailboxPath } from "../maildir/location.ts";
import type { Account } from "../maildrop/store.ts";

/**
 * The folder that the template names before its first variable; undefined when it begins with {home}.
 * It has to be there: when it is not, a disk may be missing, and no mailbox is taken to be empty.
 */
export function fixedFolderOf(template: string): string | undefined {
  const variable = template.indexOf("{");
  const fixed = variable < 0 ? template : template.slice(0, variable);
  const folder = fixed.slice(0, fixed.lastIndexOf("/"));
  return fixed === "" ? undefined : folder === "" ? "/" : folder;
}

/** Why the template gives the account no path, as a clause. */
export function whyNoPlace(template: string, account: Account): string {
  const bad = LOCATION_VARIABLES.find((name) =>
    template.includes(`{${name}}`) &&
    mailboxPath(name === "home" ? "{home}" : `/{${name}}`, account) === undefined
  );
  return `the setting maildir is ${template}, and ${reasonFor(bad, account)}`;
}

function reasonFor(variable: typeof LOCATION_VARIABLES[number] | undefined, account: Account) {
  const { user, home } = account;
  if (variable === "home") {
    return home === undefined
      ? "the user file names no home for this user"
      : `the home ${home} is no plain absolute path`;
  }
  const at = user.lastIndexOf("@");
  if (variable === "domain" && at < 0) return "the name has no @ with a domain after it";
  if (variable === "domain" && at === user.length - 1) return "the name has nothing after the @";
  if (variable === "local" && at === 0) return "the name has nothing before the @";
  return "the name, or a part of it that becomes a folder, is too long, begins with a dot or has " +
    "a slash in it";
}
