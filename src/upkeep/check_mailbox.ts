/**
 * A check of all of a user's mail, folder by folder. It changes nothing, holds no lock and follows no link out of the
 * mailbox; a server may run, and mail may come and go meanwhile.
 *
 * Findings come one by one, as they are made, so that there can be any number of them. Who repairs runs the work that
 * a finding has before asking for the next one: what is looked at then is what is there then.
 *
 * *Knows* what there is to look at. *Does not know* what becomes of findings.
 */

import { isMissing } from "../maildir/disk.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { countedMaildirs } from "../maildir/quota_folders.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { CheckedMaildir, type Owner } from "./checked_maildir.ts";
import { checkDeleted } from "./deleted_entries.ts";
import type { Finding } from "./finding.ts";
import { checkIdList } from "./id_list.ts";
import { checkParts } from "./maildir_parts.ts";
import { checkContents } from "./message_contents.ts";
import { checkEntries } from "./message_entries.ts";
import { checkQuotaSum, type SumPlace } from "./quota_sum.ts";
import { checkTopEntries } from "./top_entries.ts";
import { checkUnfinished } from "./unfinished.ts";

export interface CheckOptions {
  readonly timeoutMs: number;
  /** Whose all mail is; undefined where each mailbox belongs to whom its folder belongs to. */
  readonly owner: Owner | undefined;
  /** Whether messages are read; else what can be told by names and sizes alone is. */
  readonly reads: boolean;
  /** Where the mail is summed up; undefined where it is not. */
  readonly sum: SumPlace | undefined;
  readonly progress: CheckProgress;
}

export interface CheckProgress {
  /** A folder of mail begins, by its name. */
  folder(name: string): void;
  /** One more file is about to be listed, or message to be read, of so many. */
  step(what: "files" | "messages", of: number): void;
}

/**
 * What there is to say of a mailbox; nothing of one that is not there yet.
 *
 * @throws {StorageFailure} If it cannot be looked at.
 * @throws {Error} What `node:fs` says.
 */
export async function* checkMailbox(
  location: MailLocation,
  options: CheckOptions,
): AsyncGenerator<Finding> {
  const disk = new MailboxDisk(location.folders, options);
  await mustBeThere(disk, location);
  for (const path of await countedMaildirs(location, [], disk)) {
    // What holds the folders need not be one where the INBOX is elsewhere.
    const isInbox = path === location.inbox;
    if (!isInbox && path === location.folders) continue;
    yield* checkMaildir(new CheckedMaildir({ ...options, location, path }), options);
  }
  if (options.sum !== undefined) yield* checkQuotaSum(options.sum);
}

/** A mailbox that is not there yet is sound where what should hold it is. */
async function mustBeThere(disk: MailboxDisk, { root }: MailLocation): Promise<void> {
  try {
    await disk.stat(root);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new StorageFailure("SYS/TEMP", `"${root}" is not there, or not mounted`);
  }
}

async function* checkMaildir(
  maildir: CheckedMaildir,
  { progress, reads }: CheckOptions,
): AsyncGenerator<Finding> {
  try {
    progress.folder(maildir.folder);
    const parts = yield* checkParts(maildir);
    if (parts === undefined) return;
    yield* checkTopEntries(maildir, parts);
    const list = yield* checkIdList(maildir);
    const onFile = (files: number) => progress.step("files", files);
    const messages = yield* checkEntries(maildir, parts, onFile);
    const onMessage = (of: number) => progress.step("messages", of);
    yield* checkContents(maildir, messages, { list, reads, onMessage });
    yield* checkUnfinished(maildir, parts);
    yield* checkDeleted(maildir, parts);
  } catch (error) {
    // A folder that somebody removes meanwhile has nothing wrong.
    if (!isMissing(error)) throw error;
  }
}
