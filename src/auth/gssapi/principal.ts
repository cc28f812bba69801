/**
 * From a Kerberos principal to the name of a user.
 *
 * Only principals of one component are users: `alice@EXAMPLE.ORG`, and neither `alice/admin@EXAMPLE.ORG`
 * nor `host/mail.example.org@EXAMPLE.ORG`. Whoever may make principals in a realm must not be able to
 * make one that passes for another user's name here, so a name with a character that means something in
 * names of users (delegates, folders, master users, domains) or in a principal's written form is nobody's.
 *
 * Pure.
 */

import { USER_NAME_OCTETS } from "../../limits.ts";

export interface Principal {
  readonly name: string;
  readonly realm: string;
}

/** Letters, digits and what stands in names of accounts; `$` ends those of machines in Active Directory. */
const NAME = /^[\p{L}\p{M}\p{N}_](?:[\p{L}\p{M}\p{N}._$=&'!#~-]*[\p{L}\p{M}\p{N}_$-])?$/u;
const REALM = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * Reads a principal as the Kerberos library writes it; undefined if it is not one of a user.
 *
 * @param separators Texts that must not be in its name, since they part names of users; "" is none.
 */
export function readPrincipal(
  octets: Uint8Array,
  separators: readonly string[] = [],
): Principal | undefined {
  if (octets.length > USER_NAME_OCTETS) return undefined;
  const text = decode(octets);
  // An @ of the name itself is written with a backslash before it, which no name here may have.
  const [name, realm, ...more] = text?.split("@") ?? [];
  if (name === undefined || realm === undefined || more.length > 0) return undefined;
  if (separators.some((separator) => separator !== "" && name.includes(separator))) {
    return undefined;
  }
  return NAME.test(name) && REALM.test(realm) ? { name, realm } : undefined;
}

/** Whether a template can give names: it has `{name}` in it, and no other braces than `{realm}`'s. */
export function isUserTemplate(template: string): boolean {
  const rest = template.replaceAll("{name}", "").replaceAll("{realm}", "");
  return template.includes("{name}") && !/[{}]/.test(rest);
}

/** The user that a principal is, by a template with `{name}` and `{realm}`. */
export function userOf({ name, realm }: Principal, template: string): string {
  // By functions: in a replacement text a "$" would mean something.
  return template.replace(/\{(name|realm)\}/g, (_, part) => part === "name" ? name : realm);
}

function decode(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
