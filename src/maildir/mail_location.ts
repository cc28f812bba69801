/**
 * Dovecot's mail location of one user, the extra field `userdb_mail`: `maildir:~/Maildir:INBOX=~/Inbox`.
 *
 * The format may be left out before a path. Variables are put in, `~` is the home. Of the options LAYOUT,
 * INBOX and UTF-8 count; those that say where Dovecot keeps files of its own do no harm; those that move
 * messages to other folders are refused. Source: Dovecot 2.3, src/lib-storage/mailbox-list.c.
 *
 * *Knows* text. *Does not know* the disk.
 */

import type { Account } from "../maildrop/store.ts";
import {
  expandUserVariables,
  type UserVariables,
  userVariables,
} from "../maildrop/user_variables.ts";
import { plainPath, safePart } from "./plain_path.ts";

/** How folders lie beside the INBOX: `.a.b` in one folder (Maildir++), or folders in folders. */
export type FolderLayout = "maildir++" | "fs";

export interface MailLocation {
  /** The Maildir of the INBOX. */
  readonly inbox: string;
  /** Where the other folders are. */
  readonly folders: string;
  readonly layout: FolderLayout;
  /** Whether names of folders are UTF-8 on disk, and not modified UTF-7. */
  readonly utf8Names: boolean;
  /** What is there before any mail is. Where it is missing, a disk is not mounted. */
  readonly root: string;
}

/** Why there is no place, as a clause, for log and command line. */
export interface LocationFault {
  readonly fault: string;
}

/** Options that put messages where they are not looked for here. */
const MOVING_OPTIONS: ReadonlySet<string> = new Set(["DIRNAME", "FULLDIRNAME", "MAILBOXDIR"]);

/**
 * What the entry says of the location, in one text: `mail`, or the fields that Dovecot 2.4 has for it.
 * Undefined if it says nothing.
 */
export function mailLocationText({ extra }: Pick<Account, "extra">): string | undefined {
  const { mail, mail_location: older, mail_path: path } = extra;
  const said = mail || older;
  if (said || !path) return said || undefined;
  const { mail_driver: driver, mail_inbox_path: inbox, mailbox_list_layout: layout } = extra;
  const options = [...inbox ? [`INBOX=${inbox}`] : [], ...layout ? [`LAYOUT=${layout}`] : []];
  return [...driver ? [driver] : [], path, ...options].join(":");
}

export function parseMailLocation(text: string, account: Account): MailLocation | LocationFault {
  const [, format = "maildir", rest = ""] = /^(?:([a-z0-9_]+):)?(.*)$/s.exec(text) ?? [];
  if (format !== "maildir") {
    return { fault: `userdb_mail names the format ${format}, and only maildir is served` };
  }
  const [path = "", ...options] = rest.split(":");
  const variables = safeVariables(account);
  const folders = located(path, variables);
  if (folders === undefined) return noPath("path");
  let inbox: string | undefined = folders;
  let layout: FolderLayout = "maildir++";
  for (const option of options) {
    const [key = "", value = ""] = option.split(/=(.*)/s);
    if (MOVING_OPTIONS.has(key)) return { fault: `the option ${key} of userdb_mail is not served` };
    if (key === "INBOX") inbox = located(value, variables);
    if (key === "LAYOUT") {
      const known = value.toLowerCase();
      if (known !== "maildir++" && known !== "fs") {
        return { fault: "userdb_mail names a LAYOUT other than Maildir++ and fs" };
      }
      layout = known;
    }
  }
  if (inbox === undefined) return noPath("INBOX");
  return {
    inbox,
    folders,
    layout,
    utf8Names: options.includes("UTF-8"),
    root: rootOf(path, account),
  };
}

function noPath(what: string): LocationFault {
  return {
    fault:
      `the ${what} of userdb_mail is no plain absolute path, or has a variable in it that this ` +
      "user has nothing for",
  };
}

/** No part of a name leads to another folder than the text means. */
function safeVariables(account: Account): UserVariables {
  const { user, local, domain } = userVariables(account.user);
  return {
    user: safePart(user ?? ""),
    local: safePart(local ?? ""),
    domain: safePart(domain ?? ""),
    home: account.home === undefined ? undefined : plainPath(account.home),
  };
}

function located(written: string, variables: UserVariables): string | undefined {
  const fromHome = written === "~" || written.startsWith("~/");
  if (fromHome && variables.home === undefined) return undefined;
  const behind = expandUserVariables(fromHome ? written.slice(1) : written, variables);
  if (behind === undefined) return undefined;
  return plainPath(fromHome ? `${variables.home}${behind}` : behind);
}

/** The folder that holds what the text names before its first variable. */
function rootOf(path: string, { home = "/" }: Account): string {
  const fromHome = /^(?:~|%h|%\{home\})/.test(path);
  const variable = path.indexOf("%");
  const fixed = fromHome ? home : variable < 0 ? path : path.slice(0, variable);
  const isWhole = fromHome || variable < 0;
  return (isWhole ? fixed.replace(/\/+$/, "") : fixed).replace(/\/[^/]*$/, "") || "/";
}
