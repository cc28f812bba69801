/**
 * Dovecot's extra fields that change what a login does or finds, and that popkeep does not honour or
 * cannot understand: an operator who brings a user file along has to hear of them.
 *
 * *Knows* Dovecot's names. *Does not know* lines.
 */

import { RETENTION_MS } from "../../limits.ts";
import { isRuleFault, parseFieldSize, parseQuotaRule } from "../../maildrop/quota_rule.ts";
import { parseDurationMs } from "../../settings/units.ts";

/** Why each is not honoured, as the end of a sentence. Names without `userdb_`. */
const NOT_HONOURED: Readonly<Record<string, string>> = {
  ...naming(
    ["proxy", "proxy_maybe", "host", "hostip", "port", "destuser", "master"],
    "no login is handed on to another server",
  ),
  ...naming(["nopassword", "noauthenticate"], "the password has to be right all the same"),
  ...naming(["quota", "quota2_rule"], "quotas are kept in maildirsize, one for each user"),
  ...naming(["chroot"], "the home is taken as it stands"),
};

/** A sentence about each extra field of an entry that is not honoured. */
export function ignoredFields(extra: Readonly<Record<string, string>>): string[] {
  return Object.keys(extra).flatMap((name) => {
    const why = Object.hasOwn(NOT_HONOURED, name) ? NOT_HONOURED[name] : undefined;
    if (why !== undefined) return [`the extra field ${name} is not honoured: ${why}`];
    const text = extra[name] ?? "";
    const misread = [
      { fault: quotaFault(name, text), comes: "mail for the user waits" },
      { fault: retentionFault(name, text), comes: "none of the user's mail goes by it" },
    ];
    return misread.flatMap(({ fault, comes }) =>
      fault === undefined
        ? []
        : [`the extra field ${name} is not understood, and ${comes}: ${fault}`]
    );
  });
}

/** Why nobody can tell at what age a user's mail goes. */
function retentionFault(name: string, text: string): string | undefined {
  if (name !== "retention_read" && name !== "retention_unread") return undefined;
  const ageMs = parseDurationMs(text);
  if (ageMs === undefined) return 'it is no time such as "30d"';
  return ageMs === 0 || ageMs >= RETENTION_MS.min ? undefined : "it is less than a day";
}

/** Why nobody can tell how much mail a user may have. */
function quotaFault(name: string, text: string): string | undefined {
  if (text === "") return undefined;
  if (name === "quota_storage_size" || name === "quota_message_count") {
    return parseFieldSize(text) === undefined ? "it is no number" : undefined;
  }
  if (!/^quota_rule[0-9]*$/.test(name)) return undefined;
  const rule = parseQuotaRule(text);
  return isRuleFault(rule) ? rule.fault : undefined;
}

function naming(names: readonly string[], why: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}
