/**
 * Reads the names that a client sends: who logs in, whose mailbox it wants, and which folder of it.
 *
 *     alice                        herself; with a default domain alice@example.com first
 *     alice+Work@example.com       the folder Work of alice@example.com
 *     alice*admin                  the mailbox of alice, with the credentials of admin
 *     EXAMPLE/bob/alice            the same with those of bob, as Exchange has it; backslashes too
 *     EXAMPLE\bob                  bob himself
 *
 * Each form is off unless its rule is set: then its characters are parts of a name like any other.
 *
 * *Knows* the forms. *Does not know* who exists or who may act as whom.
 */

export interface NameRules {
  /** Added to names without one; "" adds none. */
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
  /** Who logs in: the names to look for, in this order. */
  readonly login: readonly string[];
  /** Whose mailbox, likewise; undefined where it is the user's own. */
  readonly mailbox?: readonly string[];
  /** Undefined where the mailbox itself is meant. */
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
  const login = candidates(user, rules);
  if (actAs === "" || actAs === user) return { login };
  const opened = splitFolder(actAs, rules.folderSeparator);
  return { login, mailbox: candidates(opened.name, rules), ...folderOf(opened) };
}

const DELEGATE = /^([^/\\]*)\/([^/\\]+)\/([^/\\]+)$/;
const DELEGATE_BACKSLASH = /^([^/\\]*)\\([^/\\]+)(?:\\([^/\\]+))?$/;

function assemble(
  asked: { login: string; byName: string | undefined; actAs: string },
  rules: NameRules,
): LoginNames | undefined {
  const { byName } = asked;
  const actAs = asked.actAs === asked.login ? "" : asked.actAs;
  if (byName !== undefined && actAs !== "" && actAs !== byName) return undefined;
  const mailbox = byName ?? (actAs === "" ? undefined : actAs);
  const login = splitFolder(asked.login, rules.folderSeparator);
  if (mailbox === undefined) {
    return { login: candidates(login.name, rules), ...folderOf(login) };
  }
  // Which of two folders would be meant cannot be told.
  if (login.folder !== undefined) return undefined;
  const opened = splitFolder(mailbox, rules.folderSeparator);
  return {
    login: candidates(login.name, rules),
    mailbox: candidates(opened.name, rules),
    ...folderOf(opened),
  };
}

/** The name within a domain that stands before it: a NetBIOS name, or one of a mail domain. */
function inDomain(name: string, domain: string, { ntlmDomain }: NameRules): string {
  if (domain === "" || name.includes("@") || domain.toUpperCase() === ntlmDomain.toUpperCase()) {
    return name;
  }
  return `${name}@${domain}`;
}

function candidates(name: string, { defaultDomain }: NameRules): string[] {
  if (defaultDomain === "" || name.includes("@")) return [name];
  return [`${name}@${defaultDomain}`, name];
}

interface Split {
  readonly name: string;
  readonly folder: string | undefined;
}

/** Parts `local+folder@domain`. A name with nothing before or behind the separator has no folder. */
function splitFolder(name: string, separator: string): Split {
  const domainAt = name.lastIndexOf("@");
  const local = domainAt < 0 ? name : name.slice(0, domainAt);
  const at = separator === "" ? -1 : local.indexOf(separator);
  if (at <= 0 || at === local.length - 1) return { name, folder: undefined };
  return {
    name: local.slice(0, at) + (domainAt < 0 ? "" : name.slice(domainAt)),
    folder: local.slice(at + 1),
  };
}

function folderOf({ folder }: Split): { folder: string } | Record<string, never> {
  return folder === undefined ? {} : { folder };
}
