/**
 * What the settings must hold together, beyond each key's own range.
 *
 * *Knows*: the settings as a whole. *Does not know*: lines of the file; the caller adds them by the key.
 */

import { formatBinding } from "./binding.ts";
import type { Settings } from "./effective.ts";
import { shownValue } from "./faults.ts";
import { formatLmtpBinding, isSocketPath } from "./lmtp_binding.ts";
import { nearest } from "./nearest.ts";
import { isAboutNobody, type PolicyTable } from "./policy_kinds.ts";
import { saysNothing } from "./retention_tables.ts";

/** A fault without its place: `key` is where to look for the line. */
export interface BrokenRule {
  readonly key: string;
  readonly found: string;
  readonly allowed: string;
  readonly nearest?: string;
  /** Other top-level keys that the rule reads: it says nothing when their values are in doubt. */
  readonly reads?: readonly string[];
}

const MAILDIR_VARIABLES = ["home", "user", "local", "domain"];

/** The rules that need no look at the disk. */
export function brokenRules(settings: Settings, maildir: string): BrokenRule[] {
  return [
    ...maildirTemplateFaults(maildir),
    ...bindingFaults(settings),
    ...loginFaults(settings),
    ...policyFaults("quotas", settings.quotas),
    ...retentionFaults(settings),
  ];
}

/** Tables that say nothing: a key was forgotten, or misspelt. */
function retentionFaults({ retentions }: Settings): BrokenRule[] {
  return retentions.flatMap((table, index) =>
    saysNothing(table)
      ? [{
        key: `retentions[${index}]`,
        found: "a table without retention_read and without retention_unread",
        allowed: "retention_read, retention_unread or both",
      }]
      : []
  );
}

/** Tables that are about nobody. */
function policyFaults(name: string, tables: readonly PolicyTable[]): BrokenRule[] {
  return tables.flatMap((table, index) =>
    isAboutNobody(table)
      ? [{
        key: `${name}[${index}]`,
        found: "a table without users and without domains",
        allowed: "users or domains, or both",
      }]
      : []
  );
}

/** What belongs together among the settings about logging in. */
function loginFaults(settings: Settings): BrokenRule[] {
  const faults: BrokenRule[] = [];
  if (settings.oauthJwks !== "" && settings.oauthAudience.length === 0) {
    faults.push({
      key: "oauth_jwks",
      found: "keys and no audience",
      allowed: "oauth_jwks with an oauth_audience, since else a token for any other service that " +
        "trusts these keys would open mailboxes here",
      reads: ["oauth_audience"],
    });
  }
  const { folderSeparator, masterUserSeparator } = settings;
  if (folderSeparator !== "" && folderSeparator === masterUserSeparator) {
    faults.push({
      key: "master_user_separator",
      found: `"${masterUserSeparator}", which is the folder_separator too`,
      allowed: "a character of its own",
      reads: ["folder_separator"],
    });
  }
  return faults;
}

/** What is no word is quoted, and has nothing raw in it that a terminal obeys. */
function shownVariable(name: string): string {
  return /^\w{1,40}$/.test(name) ? `{${name}}` : shownValue(`{${name}}`);
}

/** Checks the variables of the `maildir` template as it stands in the file. */
function maildirTemplateFaults(template: string): BrokenRule[] {
  const key = "maildir";
  const allowed = "a path with {home}, {user} or {local} in it, and {domain} where it is wanted";
  const names = [...template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? "");
  const faults: BrokenRule[] = names.filter((name) => !MAILDIR_VARIABLES.includes(name)).map(
    (name) => {
      const near = nearest(name, MAILDIR_VARIABLES);
      return {
        key,
        found: `the unknown variable ${shownVariable(name)} in ${shownValue(template)}`,
        allowed,
        ...(near === undefined ? {} : { nearest: `{${near}}` }),
      };
    },
  );
  if (/[{}]/.test(template.replace(/\{[^{}]*\}/g, ""))) {
    faults.push({ key, found: `a brace without its pair in ${shownValue(template)}`, allowed });
  }
  if (template.indexOf("{home}") > 0) {
    // A home folder is absolute: a path cannot go on with one.
    faults.push({
      key,
      found: `{home} inside of ${shownValue(template)}`,
      allowed: "{home} first",
    });
  }
  if (template.startsWith("~")) {
    faults.push({ key, found: `${shownValue(template)}; ~ stands for nothing here`, allowed });
  } else if (faults.length === 0 && !/\{(?:home|user|local)\}/.test(template)) {
    // Without them, everybody (of a domain) would read one and the same mail.
    faults.push({ key, found: `${shownValue(template)}, the same for several users`, allowed });
  }
  return faults;
}

function bindingFaults(settings: Settings): BrokenRule[] {
  const faults: BrokenRule[] = [];
  const seen = new Set<string>();
  const all = [
    ...settings.unencryptedOrTlsBindings.map((binding, index) => ({
      binding,
      key: `unencrypted_or_tls_bindings[${index}]`,
    })),
    ...settings.sslBindings.map((binding, index) => ({ binding, key: `ssl_bindings[${index}]` })),
  ];
  const lmtp = settings.lmtpBindings.map((binding, index) => ({
    binding,
    key: `lmtp_bindings[${index}]`,
  }));
  for (const { binding, key } of [...all, ...lmtp]) {
    const name = formatLmtpBinding(binding);
    const isAnyPort = !isSocketPath(binding) && binding.port === 0;
    if (!isAnyPort && seen.has(name)) {
      faults.push({
        key,
        found: `"${name}" a second time`,
        allowed: isSocketPath(binding) ? "each socket once" : "each address and port once",
        reads: ["unencrypted_or_tls_bindings", "ssl_bindings", "lmtp_bindings"],
      });
    }
    seen.add(name);
  }
  if (all.length === 0) {
    faults.push({
      key: "unencrypted_or_tls_bindings",
      found: "nothing to listen on",
      allowed: "at least one binding here or in ssl_bindings",
      reads: ["ssl_bindings"],
    });
  }
  if (settings.sslBindings.length > 0 && settings.certificates.length === 0) {
    faults.push({
      key: "ssl_bindings",
      found: `${settings.sslBindings.map(formatBinding).join(", ")} without a certificate`,
      allowed:
        "ssl_bindings with a [[certificates]] table that names certificate_file and key_file " +
        "(`popkeep init` makes a self-signed one), or ssl_bindings = [] to go without",
      reads: ["certificates"],
    });
  }
  return faults;
}
