/**
 * Dovecot's `quota_rule`, such as `*:storage=1G:messages=1000` or `Trash:storage=+10%`: which mailbox, and
 * how much of it. Source: Dovecot 2.3, src/plugins/quota/quota-util.c. Pure.
 */

const LIMIT = /^(?:(?:storage|bytes|messages)=[+-]?[0-9]{1,18}(?:[bkmgt%]i?b?)?|ignore)$/i;

/** Whether a text is a rule. One that is not must not pass for "no limit" without a word. */
export function isQuotaRule(text: string): boolean {
  const [mailbox = "", ...limits] = text.split(":");
  return mailbox !== "" && limits.length > 0 && limits.every((limit) => LIMIT.test(limit));
}
