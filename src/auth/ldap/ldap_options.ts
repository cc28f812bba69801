/**
 * What an LDAP directory is told: the keys of its table in the settings, and what may be wrong with them
 * taken together.
 *
 * *Knows* URLs, filters and templates. *Does not know* files or servers.
 */

import { FilterParser } from "ldapts";
import { faultOfTemplate, fillTemplate, partsOf, variablesIn } from "../name_template.ts";
import type { WeakSchemes } from "../password_schemes/scheme.ts";
import { escapeFilterValue } from "./escaping.ts";

export interface LdapOptions {
  /** `ldap://host[:port]` or `ldaps://host[:port]`, tried in their order. */
  readonly urls: readonly string[];
  readonly startTls: boolean;
  /** PEM; "" takes the runtime's authorities. Read at each new connection, as is the password's file. */
  readonly caFile: string;
  readonly verifyCertificate: boolean;
  /**
   * - `search`: the entry is searched, then bound as with the user's password.
   * - `direct`: bound at once as `directBindName`.
   * - `stored`: the entry is searched and hands out its password field.
   */
  readonly mode: "search" | "direct" | "stored";
  /** Who searches; "" nobody, anonymously. */
  readonly bindDn: string;
  readonly bindPasswordFile: string;
  readonly directBindName: string;
  readonly base: string;
  readonly scope: "subtree" | "one_level" | "base";
  /** "" in the mode direct searches nothing. */
  readonly filter: string;
  /** Finds all users; "" where they cannot be listed. */
  readonly iterateFilter: string;
  /** Names of attributes; "" is none. */
  readonly userAttribute: string;
  readonly homeAttribute: string;
  readonly mailAttribute: string;
  readonly quotaAttribute: string;
  readonly passwordAttribute: string;
  readonly nologinAttribute: string;
  readonly allowNetsAttribute: string;
  readonly ntHashAttribute: string;
  readonly scramSha256Attribute: string;
  readonly delegatesAttribute: string;
  readonly defaultPasswordScheme: string;
  /** Values that keep a user out, in any letter case; none: any value does. */
  readonly nologinValues: readonly string[];
  readonly accountState: boolean;
  readonly connectTimeoutMs: number;
  readonly operationTimeoutMs: number;
  readonly connections: number;
  /** Weak schemes that are honoured, for decoys. */
  readonly weakSchemes?: WeakSchemes;
}

/** The defaults of the settings. */
export const LDAP_DEFAULTS = {
  startTls: false,
  caFile: "",
  verifyCertificate: true,
  mode: "search",
  bindDn: "",
  bindPasswordFile: "",
  directBindName: "",
  base: "",
  scope: "subtree",
  filter: "(&(objectClass=person)(|(uid={user})(mail={user})))",
  iterateFilter: "",
  userAttribute: "uid",
  homeAttribute: "",
  mailAttribute: "",
  quotaAttribute: "",
  passwordAttribute: "userPassword",
  nologinAttribute: "",
  allowNetsAttribute: "",
  ntHashAttribute: "",
  scramSha256Attribute: "",
  delegatesAttribute: "",
  defaultPasswordScheme: "PLAIN",
  nologinValues: [],
  accountState: true,
  connectTimeoutMs: 3_000,
  operationTimeoutMs: 5_000,
  connections: 4,
} as const satisfies Omit<LdapOptions, "urls">;

/** Says what is wrong, in sentences that name the settings; none if nothing is. */
export function faultsOfLdap(options: LdapOptions): string[] {
  const faults = options.urls.flatMap((url) => faultsOfUrl(url, options.startTls));
  const searches = options.mode !== "direct" || options.filter !== "";
  if (options.urls.length === 0) faults.push("urls names no server.");
  if (searches && options.base === "") faults.push("base is needed, to search users below it.");
  if (searches && options.filter === "") faults.push("filter is needed, to find a user's entry.");
  if (searches && options.userAttribute === "") {
    faults.push("user_attribute is needed, to know what a user is called.");
  }
  if (searches) faults.push(...faultsOfFilter(options.filter));
  faults.push(...faultsOfIterateFilter(options));
  if (options.mode === "direct") faults.push(...faultsOfDirectName(options.directBindName));
  if (options.mode === "stored" && options.passwordAttribute === "") {
    faults.push("password_attribute is needed in the mode stored.");
  }
  if ((options.bindDn === "") !== (options.bindPasswordFile === "")) {
    faults.push("bind_dn and bind_password_file belong together.");
  }
  if (options.bindDn !== "" && !/[=@\\]/.test(options.bindDn)) {
    faults.push("bind_dn is no DN.");
  }
  return faults;
}

function faultsOfUrl(url: string, startTls: boolean): string[] {
  const match = /^(ldaps?):\/\/([^/?#@\s]+)\/?$/.exec(url);
  if (match === null || !URL.canParse(url)) {
    return [`urls: "${url}" is not of the form ldap://host:389 or ldaps://host:636.`];
  }
  if (match[1] === "ldaps" && startTls) {
    return ["start_tls is for ldap://; ldaps:// is under TLS from the beginning."];
  }
  return [];
}

function faultsOfFilter(filter: string): string[] {
  const fault = faultOfTemplate(filter);
  if (fault !== undefined) return [`filter ${fault}.`];
  if (!variablesIn(filter).some((variable) => variable !== "domain")) {
    return ["filter has neither {user} nor {local} in it, so that it would find the same for all."];
  }
  return unreadableFilter(filledFilter(filter, "name@example.com"), "filter");
}

function faultsOfIterateFilter({ iterateFilter, mode }: LdapOptions): string[] {
  if (iterateFilter === "") return [];
  if (mode === "direct") return ["iterate_filter: in the mode direct nobody can search all users."];
  if (/\{[^{}]*\}/.test(iterateFilter)) {
    return ["iterate_filter has a variable in it; it finds all users."];
  }
  return unreadableFilter(iterateFilter, "iterate_filter");
}

/** @param name The setting's. */
function unreadableFilter(filter: string, name: string): string[] {
  // ldapts takes such an octet for a character.
  if (/\\[89a-f][0-9a-f]/i.test(filter)) {
    return [`${name}: a character beyond ASCII is written as itself, not as its octets.`];
  }
  try {
    FilterParser.parseString(filter);
    return [];
  } catch (error) {
    return [`${name} is none: ${error instanceof Error ? error.message : String(error)}.`];
  }
}

function faultsOfDirectName(template: string): string[] {
  if (template === "") return ["direct_bind_name is needed in the mode direct."];
  const fault = faultOfTemplate(template);
  if (fault !== undefined) return [`direct_bind_name ${fault}.`];
  if (!variablesIn(template).some((variable) => variable !== "domain")) {
    return ["direct_bind_name has neither {user} nor {local} in it."];
  }
  const isName = template === "{user}" || /[=@\\]/.test(template);
  return isName ? [] : ["direct_bind_name is neither a DN nor user@domain nor DOMAIN\\user."];
}

/** The filter that finds a user. */
export function filledFilter(filter: string, user: string): string {
  return fillTemplate(filter, partsOf(user), escapeFilterValue);
}
