/**
 * What lies in a Maildir beside new/, cur/ and tmp/: messages that somebody put there, links, files that are nobody's.
 *
 * A file is taken for a message if it is called as Maildir's deliverers call theirs, and begins as a message does.
 * Either alone is not enough to move it.
 *
 * *Knows* the names that mail programs use. *Does not know* the unique-id list.
 */

import { Buffer } from "node:buffer";
import { constants, type Dirent, type Stats } from "node:fs";
import { DELETED_FOLDER } from "../maildir/deleted_name.ts";
import { isMissing, pathIn } from "../maildir/disk.ts";
import { uniqueNameOf } from "../maildir/file_name.ts";
import { MAILDIRSIZE_NAME } from "../maildir/maildirsize.ts";
import { readFully } from "../maildir/read_part.ts";
import { SIDECAR_NAME } from "../maildir/sidecar.ts";
import type { CheckedMaildir } from "./checked_maildir.ts";
import type { Finding } from "./finding.ts";
import type { Parts } from "./maildir_parts.ts";
import { folderFor, moveIntoMail } from "./move_message.ts";
import { rightsFindings } from "./rights.ts";

/** What readers of mail keep in a Maildir, by the beginning of the name. */
const KNOWN = new RegExp(
  "^(?:" + [
    `${SIDECAR_NAME}(?:\\.|$)`,
    "popkeep-quota-warnings$",
    `${DELETED_FOLDER}$`,
    `${MAILDIRSIZE_NAME}$`,
    "(?:new|cur|tmp|maildirfolder|maildirfilter|maildirshared|shared-maildirs|shared-folders)$",
    "dovecot|courier|subscriptions|sieve|filter|quota|bulletin|timestamp|\\.",
  ].join("|") + ")",
);

const TOLD_ELSEWHERE: ReadonlySet<string> = new Set([SIDECAR_NAME, "new", "cur", "tmp"]);

/** Seconds since 1970, a part of its own, a host: how deliverers call messages (maildir(5)). */
const MESSAGE_NAME = /^\d{9,11}\.[^./:]+\.[^/]+$/s;

/** How a message begins: with a header field (RFC 5322 §2.2), or as local mail systems write it. */
const MESSAGE_BEGIN = /^(?:From |[\x21-\x39\x3b-\x7e]{1,76}[ \t]*:)/;

const BEGIN_OCTETS = 128;

/** What is popkeep's among them, or written by it too; who cannot write these gives no unique-ids. */
const OWN = new RegExp(
  `^(?:${SIDECAR_NAME}|${SIDECAR_NAME}\\.damaged|popkeep-quota-warnings|${MAILDIRSIZE_NAME}|maildirfolder)$`,
);

export async function* checkTopEntries(
  maildir: CheckedMaildir,
  { owner }: Parts,
): AsyncGenerator<Finding> {
  const { disk, path } = maildir;
  const isFs = maildir.location.layout === "fs";
  for (const entry of await disk.entries(path)) {
    const { name } = entry;
    // A folder that begins with a dot is one of mail, and has a check of its own.
    if (entry.isDirectory() && (isFs || name.startsWith("."))) continue;
    const found = await lookAt(maildir, entry);
    if (found === undefined) continue;
    // What is wrong with the list, or with new/ and cur/, is told elsewhere.
    if (found.isSymbolicLink() && !TOLD_ELSEWHERE.has(name)) {
      yield link(maildir, name);
      continue;
    }
    const rights = { maildir, owner, place: { inside: "", name }, found };
    if (OWN.test(name) && found.isFile()) yield* rightsFindings(rights);
    if (KNOWN.test(name)) continue;
    if (!found.isFile()) {
      yield unknown(maildir, name, "it is no file or folder that belongs into a Maildir");
      continue;
    }
    const isNamed = MESSAGE_NAME.test(uniqueNameOf(name));
    const isMessage = await beginsAsMessage(maildir, name);
    if (isNamed && isMessage) {
      yield* rightsFindings(rights);
      yield stray(maildir, name, found);
    } else if (isNamed || isMessage) {
      yield unknown(
        maildir,
        name,
        isNamed
          ? "it is called as a message is, and does not begin as one"
          : "it begins as a message does, and is not called as one",
      );
    }
  }
}

async function lookAt(
  { disk, path }: CheckedMaildir,
  { name }: Dirent,
): Promise<Stats | undefined> {
  try {
    return await disk.lstat(pathIn(path, name));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function link(maildir: CheckedMaildir, name: string): Finding {
  return {
    severity: "note",
    kind: "link",
    path: maildir.nameOf(name),
    reason: "it is a link, which popkeep does not follow",
    repair: "whoever made it knows what it is for",
  };
}

function unknown(maildir: CheckedMaildir, name: string, reason: string): Finding {
  return {
    severity: "warning",
    kind: "unknown-file",
    path: maildir.nameOf(name),
    reason: `${reason}: it is served to nobody`,
    repair: "what it is cannot be told for sure",
  };
}

function stray(maildir: CheckedMaildir, name: string, found: Stats): Finding {
  const folder = folderFor(name);
  return {
    severity: "error",
    kind: "stray-message",
    path: maildir.nameOf(name),
    reason: "it is a message beside new/ and cur/, which is served to nobody",
    repair: {
      what: `move it to ${maildir.nameOf(folder)}/`,
      run: () => moveIntoMail(maildir, { inside: "", name }, found),
    },
  };
}

/** Whether its first octets are a message's; of what cannot be read, nothing is known. */
async function beginsAsMessage({ disk, path }: CheckedMaildir, name: string): Promise<boolean> {
  try {
    const file = await disk.openOwn(pathIn(path, name), constants.O_RDONLY);
    try {
      const octets = Buffer.alloc(BEGIN_OCTETS);
      const length = await readFully(file, octets, 0);
      return MESSAGE_BEGIN.test(octets.toString("latin1", 0, length));
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
