/**
 * Dovecot's extra fields that change what a login does or finds, and that popkeep does not honour or
 * cannot understand: an operator who brings a user file along has to hear of them.
 *
 * *Knows* Dovecot's names. *Does not know* lines.
 */

import { isQuotaRule } from "./passwd_quota_rule.ts";

/** Why each is not honoured, as the end of a sentence. Names without `userdb_`. */
const NOT_HONOURED: Readonly<Record<string, string>> = {
  ...naming(
    ["proxy", "proxy_maybe", "host", "hostip", "port", "destuser", "master"],
    "no login is handed on to another server",
  ),
  ...naming(["nopassword", "noauthenticate"], "the password has to be right all the same"),
  ...naming(["quota", "quota_storage_size"], "there are no quotas"),
  ...naming(["chroot"], "the home is taken as it stands"),
};

/** A sentence about each extra field of an entry that is not honoured. */
export function ignoredFields(extra: Readonly<Record<string, string>>): string[] {
  return Object.keys(extra).flatMap((name) => {
    const why = Object.hasOwn(NOT_HONOURED, name) ? NOT_HONOURED[name] : undefined;
    if (why !== undefined) return [`the extra field ${name} is not honoured: ${why}`];
    if (!/^quota_rule[0-9]*$/.test(name)) return [];
    const odd = isQuotaRule(extra[name] ?? "") ? "" : ", nor is it a rule";
    return [`the extra field ${name} is not honoured: there are no quotas${odd}`];
  });
}

function naming(names: readonly string[], why: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}
