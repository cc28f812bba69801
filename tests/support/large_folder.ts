/** Folders that are large by what they take themselves, for tests: many names, one file. */

import { Buffer } from "node:buffer";
import { linkSync, statSync, writeFileSync } from "node:fs";
import { folderRecordsOpener } from "../../src/platform/folder_records.ts";

/** Why large folders are not listed by a thread here; false where they are. */
export const noListingThread: string | false = folderRecordsOpener() === undefined
  ? "this system has no getdents64"
  : false;

/**
 * Gives a file names in a folder until the folder takes `octets`, and returns the names. They are octets, a
 * character each, and `nameOf` tells the one of a number.
 */
export function fillFolder(
  folder: string,
  octets: number,
  nameOf: (number: number) => string,
): string[] {
  const names: string[] = [];
  const pathOf = (name: string) =>
    Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);
  let file = pathOf(nameOf(0));
  do {
    for (let more = 0; more < 500; more++) {
      const path = pathOf(nameOf(names.length));
      // A file has only so many names.
      if (names.length % 10_000 === 0) writeFileSync(file = path, "x\n");
      else linkSync(file, path);
      names.push(nameOf(names.length));
    }
  } while (statSync(folder).size < octets);
  return names;
}
