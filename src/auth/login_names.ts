/**
 * Reads the names that a client sends: who logs in, whose mailbox it wants, and which folder of it.
 *
 *     alice                        herself; with a default domain alice@example.com
 *     alice+Work@example.com       the folder Work of alice@example.com
 *     alice*admin                  the mailbox of alice, with the credentials of admin
 *     EXAMPLE/bob/alice            the same with those of bob, as Exchange has it; backslashes too
 *     EXAMPLE\bob                  bob himself
 *
 * Each form is off unless its rule is set: then its characters are parts of a name like any other.
 *
 * Names come out in lower case and with the default domain, one for each that was sent. A second try, such
 * as the name as it was spelt or without the domain, would tell who exists: of two spellings a user has
 * one, and who is nobody has both or none.
 *
 * *Knows* the forms. *Does not know* who exists or who may act as whom.
 */

import { foldedName } from "./user_name.ts";

export interface NameRules {
  /** Added to every name without one; "" adds none. */
  readonly defaultDomain: string;
  /** "" opens no folders. */
  readonly folderSeparator: string;
  /** "" takes no such names. */
  readonly masterUserSeparator: string;
  /** Whether names with a domain before and a mailbox behind them are read. */
  readonly delegates: boolean;
  /** The NetBIOS name of the default domain. */
  readonly ntlmDomain: string;
}

/** No form but the plain name. */
export const PLAIN_NAMES: NameRules = {
  defaultDomain: "",
  folderSeparator: "",
  masterUserSeparator: "",
  delegates: false,
  ntlmDomain: "",
};

export interface LoginNames {
  /** Who logs in. */
  readonly login: string;
  /** Whose mailbox; undefined where it is the user's own. */
  readonly mailbox?: string;
  /** As it was spelt; undefined where the mailbox itself is meant. */
  readonly folder?: string;
}

/**
 * Undefined if the names say two things at once, such as one mailbox by the user name and another by
 * `actAs`, or a part of a form is empty.
 */
export function readLoginNames(
  user: string,
  actAs: string,
  rules: NameRules,
): LoginNames | undefined {
  const delegate = rules.delegates ? DELEGATE.exec(user) ?? DELEGATE_BACKSLASH.exec(user) : null;
  if (delegate !== null) {
    const [, domain = "", name = "", mailbox] = delegate;
    return assemble({ login: inDomain(name, domain, rules), byName: mailbox, actAs }, rules);
  }
  const { masterUserSeparator } = rules;
  const at = masterUserSeparator === "" ? -1 : user.lastIndexOf(masterUserSeparator);
  if (at < 0) return assemble({ login: user, byName: undefined, actAs }, rules);
  const [mailbox, master] = [user.slice(0, at), user.slice(at + 1)];
  if (mailbox === "" || master === "") return undefined;
  return assemble({ login: master, byName: mailbox, actAs }, rules);
}

/**
 * Reads the names of somebody who proved to be `user` by a ticket, a certificate or a token: that name is
 * somebody else's word, so no form is read into it, or who can have such names made could have one made
 * that means another user. What the client itself adds, `actAs`, may name a folder.
 */
export function readProvedNames(user: string, actAs: string, rules: NameRules): LoginNames {
  const login = wholeName(user, rules);
  if (actAs === "" || wholeName(actAs, rules) === login) return { login };
  const { name, folder } = readMailbox(actAs, rules);
  return { login, mailbox: name, ...(folder === undefined ? {} : { folder }) };
}

const DELEGATE = /^([^/\\]*)\/([^/\\]+)\/([^/\\]+)$/;
const DELEGATE_BACKSLASH = /^([^/\\]*)\\([^/\\]+)(?:\\([^/\\]+))?$/;

function assemble(
  asked: { login: string; byName: string | undefined; actAs: string },
  rules: NameRules,
): LoginNames | undefined {
  const login = readMailbox(asked.login, rules);
  const byName = asked.byName === undefined ? undefined : readMailbox(asked.byName, rules);
  let actAs = asked.actAs === "" ? undefined : readMailbox(asked.actAs, rules);
  if (actAs !== undefined && isSame(actAs, login)) actAs = undefined;
  if (byName !== undefined && actAs !== undefined && !isSame(actAs, byName)) return undefined;
  const opened = byName ?? actAs;
  // Which of two folders would be meant cannot be told.
  if (opened !== undefined && login.folder !== undefined) return undefined;
  const { folder } = opened ?? login;
  return {
    login: login.name,
    ...(opened === undefined ? {} : { mailbox: opened.name }),
    ...(folder === undefined ? {} : { folder }),
  };
}

/** The name within a domain that stands before it: a NetBIOS name, or one of a mail domain. */
function inDomain(name: string, domain: string, { ntlmDomain }: NameRules): string {
  if (domain === "" || name.includes("@") || domain.toUpperCase() === ntlmDomain.toUpperCase()) {
    return name;
  }
  return `${name}@${domain}`;
}

/** The one name that is looked up. */
function wholeName(name: string, { defaultDomain }: NameRules): string {
  return foldedName(defaultDomain === "" || name.includes("@") ? name : `${name}@${defaultDomain}`);
}

interface Mailbox {
  readonly name: string;
  readonly folder: string | undefined;
}

/** Parts `local+folder@domain`. A name with nothing before or behind the separator has no folder. */
function readMailbox(sent: string, rules: NameRules): Mailbox {
  const { folderSeparator } = rules;
  const domainAt = sent.lastIndexOf("@");
  const local = domainAt < 0 ? sent : sent.slice(0, domainAt);
  const at = folderSeparator === "" ? -1 : local.indexOf(folderSeparator);
  if (at <= 0 || at === local.length - 1) {
    return { name: wholeName(sent, rules), folder: undefined };
  }
  const name = local.slice(0, at) + (domainAt < 0 ? "" : sent.slice(domainAt));
  return { name: wholeName(name, rules), folder: local.slice(at + 1) };
}

function isSame(one: Mailbox, other: Mailbox): boolean {
  return one.name === other.name && one.folder === other.folder;
}
