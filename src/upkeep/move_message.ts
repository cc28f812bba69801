/**
 * Messages that repair gives another place or name. No file is ever overwritten, and none is removed.
 *
 * - A stray gets its name in new/ or cur/ first, by a hard link, and loses the one that it had after that name is on
 *   the disk. Killed between the two it has both, and the next check finds the second name.
 * - A second name goes to tmp/ by one rename: where it was one name too many, the message is still there under the
 *   other; where that has gone in the same moment, it can be put back for 36 hours.
 * - A message that has another's name gets one of its own by one rename within its folder.
 *
 * *Knows* Maildirs. *Does not know* what is wrong.
 */

import type { Stats } from "node:fs";
import { deliveredName } from "../maildir/delivered_name.ts";
import { errnoOf, isMissing } from "../maildir/disk.ts";
import { uniqueNameOf } from "../maildir/file_name.ts";
import type { CheckedMaildir } from "./checked_maildir.ts";
import type { HeldFolder } from "./held_folder.ts";

/** What filesystems say that have no second names of files. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Where a file is: a folder in the Maildir, "" for the Maildir itself, and its name, octets. */
export interface FilePlace {
  readonly inside: "" | "new" | "cur";
  readonly name: string;
}

/** Moves a file to where it is served. False if it is not there any more, or is another. */
export async function moveIntoMail(
  maildir: CheckedMaildir,
  from: FilePlace,
  expected: Stats,
): Promise<boolean> {
  const inside = folderFor(from.name);
  let isSecondName = false;
  const isMoved = await held(maildir, from.inside, inside, async (source, target) => {
    if (!await isStill(source, from.name, expected)) return false;
    try {
      await maildir.disk.link(source.pathOf(from.name), target.pathOf(from.name));
    } catch (error) {
      if (errnoOf(error) === "EEXIST") {
        isSecondName = await isStill(target, from.name, expected);
        return false;
      }
      if (!NO_LINKS.has(errnoOf(error))) throw error;
      // Names of messages are unique: where there is none of that name now, there will be none.
      if (await isThere(target, from.name)) return false;
      await maildir.disk.rename(source.pathOf(from.name), target.pathOf(from.name));
      await target.sync();
      return true;
    }
    await target.sync();
    await maildir.disk.unlink(source.pathOf(from.name));
    return true;
  });
  // Who began this before was killed behind the first step.
  return isSecondName ? await moveAside(maildir, from, { ...from, inside }) : isMoved;
}

/** Where a message of that name belongs: one with flags has been seen by a reader (maildir(5)). */
export function folderFor(fileName: string): "new" | "cur" {
  return fileName.includes(":2,") ? "cur" : "new";
}

/** Moves a file's second name to tmp/. False if it is not a second name of the one that stays any more. */
export async function moveAside(
  maildir: CheckedMaildir,
  extra: FilePlace,
  stays: FilePlace,
): Promise<boolean> {
  return await held(
    maildir,
    extra.inside,
    "tmp",
    (source, tmp) =>
      maildir.holding(stays.inside, async (folder) => {
        const second = await source.look(extra.name);
        if (!await isStill(folder, stays.name, second)) return false;
        const name = `${deliveredName()}.second-name`;
        await maildir.disk.rename(source.pathOf(extra.name), tmp.pathOf(name));
        await source.sync();
        return true;
      }),
  );
}

/** Gives a message that has another's unique name one of its own. False if one of both has gone. */
export async function rename(
  maildir: CheckedMaildir,
  { inside, name }: FilePlace,
  other: FilePlace,
): Promise<boolean> {
  return await held(maildir, inside, other.inside, async (folder, others) => {
    const found = await folder.look(name);
    const twin = await others.look(other.name);
    if (!found.isFile() || !twin.isFile() || found.ino === twin.ino) return false;
    const info = name.slice(uniqueNameOf(name).length);
    const unique = `${deliveredName()},S=${found.size}${info}`;
    await maildir.disk.rename(folder.pathOf(name), folder.pathOf(unique));
    await folder.sync();
    return true;
  });
}

async function held(
  maildir: CheckedMaildir,
  one: string,
  other: string,
  work: (one: HeldFolder, other: HeldFolder) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await maildir.holding(
      one,
      (folder) => maildir.holding(other, (another) => work(folder, another)),
    );
  } catch (error) {
    // Who renames messages at the same time has been quicker; what there is, the next check sees.
    if (isMissing(error)) return false;
    throw error;
  }
}

async function isStill(folder: HeldFolder, name: string, expected: Stats): Promise<boolean> {
  const found = await folder.look(name);
  return found.isFile() && found.ino === expected.ino && found.dev === expected.dev;
}

async function isThere(folder: HeldFolder, name: string): Promise<boolean> {
  try {
    await folder.look(name);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
