/**
 * What is at the place of a user's mail, as the server would find it, and what would keep it from
 * serving: permission is looked at with this process's own rights.
 *
 * *Knows*: Maildir. *Does not know*: how it is shown.
 */

import { stat } from "node:fs/promises";
import { StorageFailure } from "../maildrop/store.ts";
import { type ListedMessage, listMessages } from "../maildir/list_messages.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { findMailFolder, NoSuchFolder } from "../maildir/mail_folder.ts";
import { mailLocationText } from "../maildir/mail_location.ts";
import type { Account } from "../maildrop/store.ts";
import { fixedFolderOf } from "../settings/maildir_folder.ts";
import { noFolderText } from "./failure.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { troublesOf } from "./maildir_troubles.ts";

export type MaildropState =
  | {
    readonly kind: "there";
    readonly path: string;
    readonly messages: readonly ListedMessage[];
    /** What the server could not do here, a clause each; none when all is well. */
    readonly troubles: readonly string[];
  }
  /** Mail that comes will make it; until then the server shows an empty maildrop. */
  | { readonly kind: "not-yet"; readonly path: string }
  | {
    readonly kind: "unusable";
    readonly path: string | undefined;
    readonly reason: string;
    /** The response code with which the server would refuse the login. */
    readonly code: StorageFailure["kind"];
  };

/**
 * Looks at the Maildir that the account's entry or the setting `maildir` gives it, or at the folder of it
 * that the account names. Changes nothing.
 */
export async function maildropState(maildir: string, account: Account): Promise<MaildropState> {
  const location = mailLocation(maildir, account);
  let path = isLocationFault(location) ? undefined : location.inbox;
  const unusable = (reason: string, code: StorageFailure["kind"] = "SYS/PERM") =>
    ({ kind: "unusable", path, reason, code }) as const;
  if (path === undefined || isLocationFault(location)) {
    return unusable(whyNoPlace(maildir, account));
  }
  if (account.folder !== undefined) {
    try {
      path = await findMailFolder(location, account.folder);
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      const reason = error instanceof NoSuchFolder ? noFolderText(error) : error.message;
      return unusable(reason, error.kind);
    }
  }

  const folders = [path, `${path}/new`, `${path}/cur`];
  const kinds = await Promise.all(folders.map(kindOf));
  const odd = kinds.findIndex((kind) => kind !== "folder" && kind !== "nothing");
  if (odd >= 0) return unusable(`${folders[odd]} ${kinds[odd]}`);
  const [itself, fresh, cur] = kinds;
  if (itself === "nothing") {
    const fixed = mailLocationText(account) === undefined ? fixedFolderOf(maildir) : location.root;
    return fixed === undefined || await kindOf(fixed) === "folder"
      ? { kind: "not-yet", path }
      : unusable(`${fixed}, where the mail of all users should be, is not there`, "SYS/TEMP");
  }
  if (fresh === "nothing" && cur === "nothing") {
    return unusable(`${path} has neither new nor cur: it is no Maildir`);
  }
  try {
    const messages = await listMessages(path);
    return { kind: "there", path, messages, troubles: await troublesOf(path, messages) };
  } catch (error) {
    if (!(error instanceof StorageFailure)) throw error;
    return unusable(error.message, error.kind);
  }
}

/** What the server would answer a login to a mailbox that cannot be used. */
export function refusalOf({ code }: Extract<MaildropState, { kind: "unusable" }>): string {
  return `the server would refuse the login with -ERR [${code}]`;
}

/** "folder", "nothing", or what is wrong, as the end of a sentence. */
async function kindOf(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "is no folder";
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENOENT") return "nothing";
    if (code === "ENOTDIR") return "is no folder";
    return code === "EACCES" ? "may not be read by this user" : `cannot be read (${code})`;
  }
}

/** Octets in storage of all messages. */
export function storedOctetsOf(messages: readonly ListedMessage[]): number {
  return messages.reduce((sum, { storedOctets }) => sum + storedOctets, 0);
}
