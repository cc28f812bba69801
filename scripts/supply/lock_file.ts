/**
 * package-lock.json as those need it who check or list what it names.
 *
 * *Knows* the fields of lockfileVersion 3 that are used here. *Does not know* what may stand in them.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The project's folder, with a slash at its end. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

export interface LockedPackage {
  /** Its folder below the project, such as "node_modules/pg". */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** SPDX, as the package itself says. */
  readonly license?: string;
  /** "sha512-..." of the tarball in the registry, which npm compares before it unpacks. */
  readonly integrity?: string;
  /** An address that the tarball is taken from instead of the registry in use. */
  readonly resolved?: string;
  /** Needed only to make and to test popkeep. */
  readonly isTool: boolean;
  readonly hasInstallScript: boolean;
}

interface LockEntry {
  readonly name?: string;
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

/** Every package of package-lock.json but popkeep itself. */
export function readLockFile(): LockedPackage[] {
  const text = readFileSync(`${PROJECT}package-lock.json`, "utf8");
  const { packages } = JSON.parse(text) as { packages: Record<string, LockEntry> };
  return Object.entries(packages).filter(([folder]) => folder !== "").map(([folder, entry]) => ({
    folder,
    name: entry.name ?? folder.slice(folder.lastIndexOf("node_modules/") + 13),
    version: entry.version,
    ...(entry.license !== undefined && { license: entry.license }),
    ...(entry.integrity !== undefined && { integrity: entry.integrity }),
    ...(entry.resolved !== undefined && { resolved: entry.resolved }),
    isTool: entry.dev === true,
    hasInstallScript: entry.hasInstallScript === true,
  }));
}
