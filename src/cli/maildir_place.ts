/**
 * Why a user has no place for mail: by the entry's own location, or by the setting `maildir`.
 *
 * *Knows*: the template's variables. *Does not know*: the disk.
 */

import { isLocationFault, LOCATION_VARIABLES, mailboxPath } from "../maildir/location.ts";
import { mailLocationText, parseMailLocation } from "../maildir/mail_location.ts";
import type { Account } from "../maildrop/store.ts";

/** Why neither the entry nor the template gives the account a path, as a clause. */
export function whyNoPlace(template: string, account: Account): string {
  const text = mailLocationText(account);
  if (text !== undefined) {
    const location = parseMailLocation(text, account);
    return isLocationFault(location) ? location.fault : "it has one";
  }
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
