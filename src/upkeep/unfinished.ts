/**
 * What lies in tmp/: deliveries that did not come to their end are removed after 36 hours (maildir(5)), of which
 * popkeep's own deliveries and its daily pass see to it by themselves.
 *
 * *Knows* tmp/. *Does not know* who delivers.
 */

import type { Stats } from "node:fs";
import { isMissing, pathIn } from "../maildir/disk.ts";
import { removeStaleFiles, STALE_MS } from "../maildir/stale_files.ts";
import type { CheckedMaildir } from "./checked_maildir.ts";
import type { Finding } from "./finding.ts";
import type { Parts } from "./maildir_parts.ts";
import { rightsFindings } from "./rights.ts";

export async function* checkUnfinished(
  maildir: CheckedMaildir,
  { folders, owner }: Parts,
): AsyncGenerator<Finding> {
  if (!folders.includes("tmp")) return;
  let [files, octets] = [0, 0];
  for (const { name } of await maildir.disk.entries(`${maildir.path}/tmp`)) {
    const found = await lookAt(maildir, name);
    if (found === undefined) continue;
    if (!found.isFile()) yield noFile(maildir, name);
    else if (Date.now() - Math.max(found.atimeMs, found.mtimeMs, found.ctimeMs) >= STALE_MS) {
      files++;
      octets += found.size;
    } else {
      const place = { inside: "tmp", name };
      for (const finding of rightsFindings({ maildir, owner, place, found })) {
        if (finding.kind === "wrong-owner") yield finding;
      }
    }
  }
  if (files > 0) yield staleFiles(maildir, files, octets);
}

async function lookAt({ disk, path }: CheckedMaildir, name: string): Promise<Stats | undefined> {
  try {
    return await disk.lstat(pathIn(`${path}/tmp`, name));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function noFile(maildir: CheckedMaildir, name: string): Finding {
  return {
    severity: "note",
    kind: "not-a-file",
    path: maildir.nameOf(`tmp/${name}`),
    reason: "it is no file, and so nothing that a delivery left",
    repair: "whoever made it knows what it is for",
  };
}

function staleFiles(maildir: CheckedMaildir, files: number, octets: number): Finding {
  const noun = files === 1 ? "1 file" : `${files} files`;
  return {
    severity: "warning",
    kind: "stale-tmp",
    path: maildir.nameOf("tmp"),
    reason: `${noun} of deliveries that did not come to their end 36 hours ago, ${octets} octets`,
    repair: {
      what: `remove ${files === 1 ? "it" : "them"}`,
      async run() {
        return await removeStaleFiles(maildir.disk, Date.now(), Infinity) > 0;
      },
    },
  };
}
