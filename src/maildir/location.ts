/**
 * Where a user's Maildir is: where the directory's entry says (`userdb_mail`), else the settings' template
 * filled with parts that were checked one by one, so that no user name leads out of the folder it is
 * meant for.
 */

import type { Account } from "../maildrop/store.ts";
import {
  type LocationFault,
  type MailLocation,
  mailLocationText,
  parseMailLocation,
} from "./mail_location.ts";
import { plainPath, safePart } from "./plain_path.ts";

/** What may stand in braces in the setting `maildir`. */
export const LOCATION_VARIABLES = ["home", "user", "local", "domain"] as const;

/** The account's place for mail, or why it has none. */
export function mailLocation(template: string, account: Account): MailLocation | LocationFault {
  const text = mailLocationText(account);
  if (text !== undefined) return parseMailLocation(text, account);
  const path = filledTemplate(template, account);
  if (path === undefined) return { fault: "the user's name or home gives no path for a Maildir" };
  const root = templateRoot(template, account);
  return { inbox: path, folders: path, layout: "maildir++", utf8Names: false, root };
}

export function isLocationFault(found: MailLocation | LocationFault): found is LocationFault {
  return "fault" in found;
}

/** The Maildir of the account's INBOX; undefined if it has no place for mail. */
export function mailboxPath(template: string, account: Account): string | undefined {
  const found = mailLocation(template, account);
  return isLocationFault(found) ? undefined : found.inbox;
}

/**
 * Fills `{home}`, `{user}`, `{local}` (before the last `@`) and `{domain}` (after it) in the template.
 *
 * Returns undefined when a part is missing or is no plain name: empty, over 255 octets, with a slash
 * or a control character, or beginning with a dot.
 */
function filledTemplate(template: string, account: Account): string | undefined {
  const at = account.user.lastIndexOf("@");
  const parts: Record<string, string | undefined> = {
    // It comes from the directory, not from a client; it still has to be an absolute, plain path.
    home: account.home === undefined ? undefined : plainPath(account.home),
    user: safePart(account.user),
    local: safePart(at < 0 ? account.user : account.user.slice(0, at)),
    domain: at < 0 ? undefined : safePart(account.user.slice(at + 1)),
  };
  let missing = false;
  const filled = template.replace(/\{([a-z]+)\}/g, (_, name) => {
    const part = parts[name];
    if (part === undefined) missing = true;
    return part ?? "";
  });
  const path = filled.replace(/\/+$/, "");
  return missing || !path.startsWith("/") ? undefined : path;
}

/**
 * The folder that holds all mailboxes, or the home folders, of `path`'s kind: what is there before any
 * mail is. Where it is missing, a disk is not mounted or the setting is wrong.
 */
function templateRoot(template: string, account: Account): string {
  const fixed = template.startsWith("{home}")
    ? account.home ?? "/"
    : template.replace(/\{.*$/s, "");
  return fixed.replace(/\/[^/]*$/, "") || "/";
}
