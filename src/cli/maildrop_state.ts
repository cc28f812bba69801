/**
 * What is at the place of a user's mail, as the server would find it.
 *
 * *Knows*: Maildir. *Does not know*: how it is shown.
 */

import { stat } from "node:fs/promises";
import { StorageFailure } from "../maildrop/store.ts";
import { type ListedMessage, listMessages } from "../maildir/list_messages.ts";
import { mailboxPath } from "../maildir/location.ts";
import type { Account } from "../maildrop/store.ts";

export type MaildropState =
  | { readonly kind: "there"; readonly path: string; readonly messages: readonly ListedMessage[] }
  /** Mail that comes will make it; until then the server shows an empty maildrop. */
  | { readonly kind: "not-yet"; readonly path: string }
  | { readonly kind: "unusable"; readonly path: string | undefined; readonly reason: string };

/** Looks at the Maildir that the setting `maildir` gives the account. Changes nothing. */
export async function maildropState(maildir: string, account: Account): Promise<MaildropState> {
  const path = mailboxPath(maildir, account);
  if (path === undefined) {
    const reason = `the setting maildir, ${maildir}, gives this user no place`;
    return { kind: "unusable", path, reason };
  }
  const [itself, fresh, cur] = await Promise.all(
    [path, `${path}/new`, `${path}/cur`].map(kindOf),
  );
  const odd = [itself, fresh, cur].find((kind) => kind !== "folder" && kind !== "nothing");
  if (odd !== undefined) return { kind: "unusable", path, reason: `${path} ${odd}` };
  if (itself === "nothing") return { kind: "not-yet", path };
  if (fresh === "nothing" && cur === "nothing") {
    return { kind: "unusable", path, reason: `${path} has neither new nor cur: it is no Maildir` };
  }
  try {
    return { kind: "there", path, messages: await listMessages(path) };
  } catch (error) {
    if (!(error instanceof StorageFailure)) throw error;
    return { kind: "unusable", path, reason: error.message };
  }
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
