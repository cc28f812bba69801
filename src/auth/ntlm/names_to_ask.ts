/**
 * Which names to ask directories for, given the user and the domain that a client sent. The number depends
 * on what was sent alone, never on who exists.
 *
 * - The user as sent, which may be `user` or `user@domain`.
 * - `DOMAIN\user` in the user field alone means `user` in DOMAIN.
 * - In a domain that looks like one of the DNS and is not the server's own, `user@domain` is asked too, and
 *   comes first: it says more.
 */

import { Buffer } from "node:buffer";
import { USER_NAME_OCTETS } from "../../limits.ts";

export interface NamesToAsk {
  /** The user's name without its domain: what failed logins are counted under, however the domain varies. */
  readonly plain: string;
  /** One or two, the first to be preferred. */
  readonly names: readonly string[];
}

/** @param ownDomains Domains that say no more than that the user is one of this server's; any case. */
export function namesToAsk(
  sent: { readonly user: string; readonly domain: string },
  ownDomains: readonly string[],
): NamesToAsk {
  const { user, domain } = splitDomain(sent);
  const own = ownDomains.some((name) => name.toLowerCase() === domain.toLowerCase());
  const looksLikeDns = /^[^.@\\/\s]+(?:\.[^.@\\/\s]+)+$/.test(domain);
  if (own || !looksLikeDns || /[@\\]/.test(user)) return { plain: user, names: [user] };
  const qualified = `${user}@${domain.toLowerCase()}`;
  if (Buffer.byteLength(qualified, "utf8") > USER_NAME_OCTETS) {
    return { plain: user, names: [user] };
  }
  return { plain: user, names: [qualified, user] };
}

/** With more than one backslash it is no login name; who knows such names may find it as it is. */
function splitDomain({ user, domain }: { readonly user: string; readonly domain: string }) {
  const parts = user.split("\\");
  if (domain !== "" || parts.length !== 2) return { user, domain };
  return { user: parts[1] ?? "", domain: parts[0] ?? "" };
}

/**
 * The user that a domain's own answer `DOMAIN\user` means here: `user` in our domain or in none, and
 * `user@domain` in any other, so that users of two domains are never taken for one another.
 */
export function userOfDomain(answer: string, ownDomain: string): string {
  const at = answer.indexOf("\\");
  if (at < 0) return answer;
  const domain = answer.slice(0, at).toLowerCase();
  const user = answer.slice(at + 1);
  return domain === "" || domain === ownDomain.toLowerCase() ? user : `${user}@${domain}`;
}
