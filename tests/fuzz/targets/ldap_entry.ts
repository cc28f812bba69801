/**
 * Entries as an LDAP client makes them: an entry of an account directory, or the word that it has not exactly
 * one name. The input is JSON: attributes with a text or a list of texts each, a character an octet.
 */

import { Buffer } from "node:buffer";
import { Attributes } from "../../../src/auth/ldap/attributes.ts";
import { readLdapEntry } from "../../../src/auth/ldap/entry_reading.ts";
import { LDAP_DEFAULTS, type LdapOptions } from "../../../src/auth/ldap/ldap_options.ts";
import { checkEntry, parseJson } from "../entries.ts";
import type { FuzzTarget } from "../target.ts";

const NOW_MS = 1_767_323_045_678;

const OPTIONS: LdapOptions = {
  ...LDAP_DEFAULTS,
  urls: ["ldap://localhost"],
  homeAttribute: "homeDirectory",
  mailAttribute: "mailbox",
  quotaAttribute: "quota",
  nologinAttribute: "nologin",
  allowNetsAttribute: "allowNets",
  ntHashAttribute: "sambaNTPassword",
  scramSha256Attribute: "scram",
  delegatesAttribute: "delegates",
};

export const ldapEntry: FuzzTarget = {
  name: "ldap_entry",
  executions: 20_000,
  maxOctets: 1_024,
  attempt(input) {
    const value = parseJson(input);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    const entry: Record<string, string[] | Buffer[]> = {};
    for (const [name, values] of Object.entries(value)) {
      const texts = [values].flat().map(String);
      // ldapts hands out octets where they are no UTF-8.
      entry[name] = texts.some((text) => /[\x80-\xff]/.test(text))
        ? texts.map((text) => Buffer.from(text, "latin1"))
        : texts;
    }
    for (const mode of ["search", "stored"] as const) {
      try {
        const attributes = new Attributes({ dn: "uid=alice,dc=example", ...entry } as never);
        checkEntry(readLdapEntry(attributes, { ...OPTIONS, mode }, NOW_MS));
      } catch (error) {
        if (!/^The entry "/.test(String((error as Error).message))) throw error;
      }
    }
  },
};
