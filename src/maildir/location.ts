/**
 * Where a user's Maildir is: the settings' template filled with parts that were checked one by one, so
 * that no user name leads out of the folder it is meant for.
 */

import type { Account } from "../maildrop/store.ts";

/** Longest part, octets: what filesystems take as one name. */
const PART_OCTETS = 255;

/** What may stand in braces in the setting `maildir`. */
export const LOCATION_VARIABLES = ["home", "user", "local", "domain"] as const;

/**
 * Fills `{home}`, `{user}`, `{local}` (before the last `@`) and `{domain}` (after it) in the template.
 *
 * Returns undefined when a part is missing or is no plain name: empty, over 255 octets, with a slash
 * or a control character, or beginning with a dot.
 */
export function mailboxPath(template: string, account: Account): string | undefined {
  const at = account.user.lastIndexOf("@");
  const parts: Record<string, string | undefined> = {
    home: safeHome(account.home),
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
export function mailRoot(template: string, account: Account): string {
  const fixed = template.startsWith("{home}")
    ? account.home ?? "/"
    : template.replace(/\{.*$/s, "");
  return fixed.replace(/\/[^/]*$/, "") || "/";
}

function safePart(text: string): string | undefined {
  if (text === "" || text.startsWith(".") || text.includes("/")) return undefined;
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(text)) return undefined;
  return new TextEncoder().encode(text).length > PART_OCTETS ? undefined : text;
}

/** A home comes from the directory, not from a client; it still has to be an absolute, plain path. */
function safeHome(home: string | undefined): string | undefined {
  if (home === undefined || !home.startsWith("/") || home.includes("\0")) return undefined;
  if (home.split("/").includes("..")) return undefined;
  return home.replace(/\/+$/, "");
}
