/**
 * What is on a disk: folders, and files by their paths, all relative to one folder.
 *
 * *Knows* files. *Does not know* what they mean.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

export interface DiskImage {
  readonly folders: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, Buffer>;
}

export function readImage(folder: string): DiskImage {
  const folders = new Set<string>();
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath}/${entry.name}`.slice(folder.length + 1);
    if (entry.isDirectory()) folders.add(path);
    else files.set(path, readFileSync(`${folder}/${path}`));
  }
  return { folders, files };
}

export function writeImage({ folders, files }: DiskImage, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const path of [...folders].sort()) mkdirSync(`${folder}/${path}`, { recursive: true });
  for (const [path, octets] of files) writeFileSync(`${folder}/${path}`, octets, { mode: 0o600 });
}

/** The same for images that hold the same. */
export function digestOf({ folders, files }: DiskImage): string {
  const digest = createHash("sha256");
  for (const path of [...folders].sort()) digest.update(`${path}/\n`);
  for (const [path, octets] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    digest.update(`${path} ${octets.length}\n`).update(octets);
  }
  return digest.digest("hex");
}

/** What a power cut may leave of octets that were written and not synced. */
export function zeros(octets: Buffer): Buffer {
  return Buffer.alloc(octets.length);
}
