/**
 * Whether a Maildir has what makes it one: new/, cur/ and tmp/, folders that its owner may use, and in Maildir++
 * the file that says that it is a folder of another.
 *
 * Where there is neither new/ nor cur/, nothing is made: it may be a disk that is not mounted, and clients that
 * see an empty mailbox forget what they know of it.
 *
 * Repair makes one folder or one empty file at a time, for the owner of the Maildir, and has the disk know its name;
 * killed anywhere it leaves that folder or file, or not.
 *
 * *Knows* the layout. *Does not know* messages.
 */

import type { Stats } from "node:fs";
import { errnoOf, isMissing } from "../maildir/disk.ts";
import { syncFolder } from "../maildir/folder_sync.ts";
import { makeOwnFolder } from "../maildir/own_folder.ts";
import { replaceOwnFile } from "../maildir/own_file.ts";
import type { CheckedMaildir, Owner } from "./checked_maildir.ts";
import type { Finding } from "./finding.ts";
import { rightsFindings } from "./rights.ts";

/** By which Courier and Dovecot know a folder of a mailbox from a mailbox. */
const MARKER = "maildirfolder";

export interface Parts {
  readonly owner: Owner;
  /** Those that can be looked into. */
  readonly folders: readonly ("new" | "cur" | "tmp")[];
}

/** Tells what is wrong; returns what there is to look into, undefined if it is no Maildir. */
export async function* checkParts(
  maildir: CheckedMaildir,
): AsyncGenerator<Finding, Parts | undefined> {
  const { disk, path } = maildir;
  const itself = await disk.stat(path);
  const owner = maildir.owner ?? { userId: itself.uid, groupId: itself.gid };
  yield* rightsFindings({ maildir, owner, place: { inside: "", name: "" }, found: itself });
  const found = new Map<"new" | "cur" | "tmp", Stats | undefined>();
  try {
    for (const part of ["new", "cur", "tmp"] as const) {
      found.set(part, await lookAt(maildir, part));
    }
  } catch (error) {
    if (errnoOf(error) !== "EACCES") throw error;
    yield shutMaildir(maildir);
    return undefined;
  }
  if (found.get("new") === undefined && found.get("cur") === undefined) {
    yield noMaildir(maildir);
    return undefined;
  }
  const folders: ("new" | "cur" | "tmp")[] = [];
  for (const [part, facts] of found) {
    if (facts === undefined) yield missingPart(maildir, part);
    else if (facts.isSymbolicLink()) yield linkedPart(maildir, part);
    else if (!facts.isDirectory()) yield otherPart(maildir, part);
    else {
      folders.push(part);
      yield* rightsFindings({ maildir, owner, place: { inside: "", name: part }, found: facts });
    }
  }
  yield* checkMarker(maildir);
  return { owner, folders };
}

async function lookAt({ disk, path }: CheckedMaildir, name: string): Promise<Stats | undefined> {
  try {
    return await disk.lstat(`${path}/${name}`);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function noMaildir(maildir: CheckedMaildir): Finding {
  const isInbox = maildir.folder === "INBOX";
  return {
    severity: isInbox ? "error" : "note",
    kind: "no-maildir",
    path: maildir.nameOf(""),
    reason: isInbox
      ? "it has neither new/ nor cur/: the server refuses logins to it"
      : "it has neither new/ nor cur/ and is no folder of mail",
    repair: isInbox
      ? "a disk may not be mounted; where there is no mail, `popkeep mailbox create` makes them"
      : "nothing in it is looked at",
  };
}

function shutMaildir(maildir: CheckedMaildir): Finding {
  return {
    severity: "error",
    kind: "unreadable",
    path: maildir.nameOf(""),
    reason: "this user may not look into it",
    repair: "run it as the user who owns the mail, or as root",
  };
}

function missingPart(maildir: CheckedMaildir, part: string): Finding {
  return {
    severity: "error",
    kind: "missing-folder",
    path: maildir.nameOf(part),
    reason: "it is not there",
    repair: {
      what: "make it",
      async run() {
        if (await lookAt(maildir, part) !== undefined) return false;
        await makeOwnFolder(maildir.disk, part);
        return true;
      },
    },
  };
}

function linkedPart(maildir: CheckedMaildir, part: string): Finding {
  return {
    severity: "warning",
    kind: "link",
    path: maildir.nameOf(part),
    reason: "it is a link, and what it leads to is not looked at",
    repair: "whoever made it knows what it is for",
  };
}

function otherPart(maildir: CheckedMaildir, part: string): Finding {
  return {
    severity: "error",
    kind: "not-a-folder",
    path: maildir.nameOf(part),
    reason: "it is no folder",
    repair: "it may be somebody's only copy of something",
  };
}

async function* checkMarker(maildir: CheckedMaildir): AsyncGenerator<Finding> {
  const { location, disk, path } = maildir;
  if (location.layout !== "maildir++" || path === location.inbox || maildir.isTop) return;
  if (await lookAt(maildir, MARKER) !== undefined) return;
  yield {
    severity: "note",
    kind: "no-maildirfolder",
    path: maildir.nameOf(MARKER),
    reason: "it is not there; Courier takes the folder for a mailbox of its own without it",
    repair: {
      what: "make it",
      async run() {
        if (await lookAt(maildir, MARKER) !== undefined) return false;
        await replaceOwnFile(disk, MARKER, "");
        await syncFolder(disk);
        return true;
      },
    },
  };
}
