/**
 * Whether all that lies in `popkeep-deleted/` is called as popkeep calls what it puts there: anything else is neither
 * listed nor put back nor removed when its time has come.
 *
 * *Knows* the names. *Does not know* messages.
 */

import { StorageFailure } from "../maildrop/store.ts";
import { isMissing, pathIn } from "../maildir/disk.ts";
import {
  dayOfFolder,
  DELETED_FOLDER,
  isFileName,
  parseDeletedName,
} from "../maildir/deleted_name.ts";
import { ownFolder } from "../maildir/own_folder.ts";
import type { CheckedMaildir } from "./checked_maildir.ts";
import type { Finding } from "./finding.ts";
import type { Parts } from "./maildir_parts.ts";
import { rightsFindings } from "./rights.ts";

export async function* checkDeleted(
  maildir: CheckedMaildir,
  { owner }: Parts,
): AsyncGenerator<Finding> {
  const { disk, path } = maildir;
  /** Owners of what popkeep put there; what else is there is nobody's concern. */
  async function* rightsOf(inside: string, name: string): AsyncGenerator<Finding> {
    try {
      const found = await disk.lstat(pathIn(inside === "" ? path : `${path}/${inside}`, name));
      if (found.isSymbolicLink()) return;
      yield* rightsFindings({ maildir, owner, place: { inside, name }, found });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  yield* rightsOf("", DELETED_FOLDER);
  for await (const { name, kind } of entriesOf(maildir, DELETED_FOLDER)) {
    const day = `${DELETED_FOLDER}/${name}`;
    if (kind !== "folder" || dayOfFolder(name) === undefined) {
      yield wrongName(maildir, day, "it is no folder of a day");
      continue;
    }
    yield* rightsOf(DELETED_FOLDER, name);
    for await (const { name, kind } of entriesOf(maildir, day)) {
      const place = `${day}/${name}`;
      const isFolder = kind === "folder";
      const message = parseDeletedName(name);
      if (message === undefined || kind === "other" || isFolder !== (message.fileName === "")) {
        yield wrongName(maildir, place, "popkeep did not put it there");
        continue;
      }
      yield* rightsOf(day, name);
      if (!isFolder) continue;
      for await (const inner of entriesOf(maildir, place)) {
        if (inner.kind === "file" && isFileName(inner.name)) {
          yield* rightsOf(place, inner.name);
          continue;
        }
        yield wrongName(maildir, `${place}/${inner.name}`, "popkeep did not put it there");
      }
    }
  }
}

interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
}

/** A folder that is not there, or is none, has none. */
async function* entriesOf({ disk, path }: CheckedMaildir, below: string): AsyncGenerator<Entry> {
  try {
    if (await ownFolder(disk, below) === undefined) return;
  } catch (error) {
    if (error instanceof StorageFailure && error.kind === "SYS/PERM") return;
    throw error;
  }
  for (const entry of await disk.entries(`${path}/${below}`)) {
    const kind = entry.isDirectory() ? "folder" : entry.isFile() ? "file" : "other";
    yield { name: entry.name, kind };
  }
}

function wrongName(maildir: CheckedMaildir, inside: string, reason: string): Finding {
  return {
    severity: "warning",
    kind: "deleted-name",
    path: maildir.nameOf(inside),
    reason: `${reason}: it is neither listed, nor put back, nor ever removed`,
    repair: "whoever put it there knows what it is for",
  };
}
