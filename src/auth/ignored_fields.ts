/**
 * Dovecot's extra fields that change what a login does or finds, and that popkeep does not honour: an
 * operator who brings a user file along has to hear of them.
 *
 * *Knows* Dovecot's names. *Does not know* lines.
 */

/** Why each is not honoured, as the end of a sentence. Names without `userdb_`. */
const NOT_HONOURED: Readonly<Record<string, string>> = {
  ...naming(
    ["mail", "mail_location", "mail_path", "mail_driver", "inbox_path", "mail_inbox_path"],
    "the setting maildir says where the mail is",
  ),
  ...naming(
    ["proxy", "proxy_maybe", "host", "hostip", "port", "destuser", "master"],
    "no login is handed on to another server",
  ),
  ...naming(["nopassword", "noauthenticate"], "the password has to be right all the same"),
  ...naming(["quota", "quota_rule", "quota_storage_size"], "there are no quotas"),
  ...naming(["chroot"], "the home is taken as it stands"),
};

/** A sentence about each extra field of an entry that is not honoured. */
export function ignoredFields(extra: Readonly<Record<string, string>>): string[] {
  return Object.keys(extra).flatMap((name) => {
    const why = Object.hasOwn(NOT_HONOURED, name) ? NOT_HONOURED[name] : undefined;
    return why === undefined ? [] : [`the extra field ${name} is not honoured: ${why}`];
  });
}

function naming(names: readonly string[], why: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, why]));
}
