/**
 * Which packages are in the executable, from the list of inputs that `bun build --metafile` writes.
 *
 * *Knows* the metafile's form (that of esbuild). *Does not know* licences or bills of materials.
 */

import { readFileSync } from "node:fs";
import { type LockedPackage, readLockFile } from "./lock_file.ts";

/** Every package that gave a file to the build, once, in the order of its folder's name. */
export function bundledPackages(metafilePath: string): LockedPackage[] {
  const { inputs } = JSON.parse(readFileSync(metafilePath, "utf8")) as { inputs: object };
  const folders = new Set(Object.keys(inputs).map(packageFolder));
  folders.delete(undefined);
  const locked = new Map(readLockFile().map((found) => [found.folder, found]));
  return [...folders].map((folder) => {
    const found = locked.get(folder!);
    if (found === undefined) throw new Error(`${folder} is in no package-lock.json`);
    return found;
  }).sort((one, other) => one.folder < other.folder ? -1 : 1);
}

/** "node_modules/a/node_modules/@b/c" of a file in it; undefined for popkeep's own files. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}
