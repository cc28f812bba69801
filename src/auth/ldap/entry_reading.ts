/**
 * An LDAP entry made into one of an account directory, as the settings name its attributes.
 *
 * *Knows* attributes. *Does not know* servers.
 */

import { type ReadEntry, readEntry } from "../entry_fields.ts";
import { isHashFault, readStoredPassword } from "../stored_password.ts";
import { ACCOUNT_STATE_ATTRIBUTES, isOutOfUse } from "./account_state.ts";
import type { Attributes } from "./attributes.ts";
import type { LdapOptions } from "./ldap_options.ts";

/** The attributes to ask for. */
export function attributesToRead(options: LdapOptions): string[] {
  const named = [
    options.userAttribute,
    options.homeAttribute,
    options.mailAttribute,
    options.quotaAttribute,
    options.nologinAttribute,
    options.allowNetsAttribute,
    options.ntHashAttribute,
    options.scramSha256Attribute,
    options.delegatesAttribute,
    ...(options.mode === "stored" ? [options.passwordAttribute] : []),
    ...(options.accountState ? ACCOUNT_STATE_ATTRIBUTES : []),
  ];
  return [...new Set(named.filter((name) => name !== ""))];
}

/** Those of them that say of the account itself where its mail is and what holds for it. */
export function accountAttributes(options: LdapOptions): string[] {
  const { userAttribute, homeAttribute, mailAttribute, quotaAttribute } = options;
  const named = [userAttribute, homeAttribute, mailAttribute, quotaAttribute];
  return [...new Set(named.filter((name) => name !== ""))];
}

/** @throws {Error} If the entry has not exactly one name, so that nobody knows whose mail is meant. */
export function readLdapEntry(
  attributes: Attributes,
  options: LdapOptions,
  nowMs: number,
): ReadEntry {
  const names = attributes.texts(options.userAttribute);
  const [user] = names;
  if (user === undefined || names.length > 1) {
    const count = names.length === 0 ? "no value" : "several values";
    throw new Error(
      `The entry "${attributes.dn}" has ${count} of ${options.userAttribute}, which user_attribute names`,
    );
  }
  const mail = attributes.text(options.mailAttribute) ?? "";
  const quota = attributes.text(options.quotaAttribute) ?? "";
  return readEntry("ldap", {
    user,
    storedPassword: options.mode === "stored" ? storedPassword(attributes, options) : "",
    disabled: isKeptOut(attributes, options) ||
      options.accountState && isOutOfUse(attributes, nowMs),
    home: attributes.text(options.homeAttribute),
    allowNets: attributes.texts(options.allowNetsAttribute).join(","),
    ntHash: attributes.octets(options.ntHashAttribute),
    scramSha256: attributes.text(options.scramSha256Attribute),
    delegates: attributes.texts(options.delegatesAttribute),
    extra: {
      ...(mail === "" ? {} : { mail }),
      ...(quota === "" ? {} : { quota_rule: quotaRule(quota) }),
    },
  });
}

function isKeptOut(attributes: Attributes, options: LdapOptions): boolean {
  const values = attributes.texts(options.nologinAttribute);
  if (options.nologinValues.length === 0) return values.length > 0;
  const unwanted = options.nologinValues.map((value) => value.toLowerCase());
  return values.some((value) => unwanted.includes(value.toLowerCase()));
}

/** Of several password fields the first that can be checked. */
function storedPassword(attributes: Attributes, options: LdapOptions): string {
  const fields = attributes.texts(options.passwordAttribute).map((text) => {
    // OpenLDAP's argon2 module names no variant.
    const field = text.replace(/^\{ARGON2\}/i, "{ARGON2ID}");
    return field.startsWith("{") ? field : `{${options.defaultPasswordScheme}}${field}`;
  });
  const checkable = fields.find((field) =>
    !isHashFault(readStoredPassword(field, options.weakSchemes))
  );
  return checkable ?? fields[0] ?? "";
}

/** A number of octets, or of larger units, as Dovecot's rule for the whole mailbox. */
function quotaRule(value: string): string {
  if (/^[0-9]+$/.test(value)) return `*:bytes=${value}`;
  return /^[0-9]+[BKMGT]$/i.test(value) ? `*:storage=${value}` : value;
}
