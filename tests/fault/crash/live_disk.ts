/**
 * Events as steps on files that are known by more than their names: which file each of them concerns, and
 * where in it, as it was while popkeep ran.
 *
 * A power cut may lose the name of a file and keep its octets, or the other way round, and may lose an
 * append and keep a later one. So steps name files by number, and octets by their place.
 *
 * *Knows* how a filesystem gives names to files. *Does not know* crashes.
 */

import type { Buffer } from "node:buffer";
import type { DiskEvent } from "./disk_events.ts";
import type { DiskImage } from "./disk_image.ts";

export type Step =
  & { readonly began: number; readonly ended: number; readonly says: string }
  & (
    /** Octets of a file: where they were put, or where it was cut off. */
    | { readonly kind: "octets"; readonly file: number; readonly at: number; octets?: Buffer }
    /** A name that a file got, a name that it lost, or both at once. */
    | { readonly kind: "name"; readonly file: number; readonly puts?: string; takes?: string }
    | { readonly kind: "folder"; readonly puts: string }
    | { readonly kind: "sync"; readonly file?: number; readonly folder?: string }
    | { readonly kind: "said"; readonly text: string }
  );

export class LiveDisk {
  readonly #folder: string;
  readonly #files = new Map<string, number>();
  readonly #folders: Set<string>;
  readonly #sizes: number[] = [];

  /** @param folder what paths of events begin with, and those of the image do not. */
  constructor(base: DiskImage, folder: string) {
    this.#folder = folder;
    this.#folders = new Set(["", ...base.folders]);
    for (const [path, { length }] of base.files) this.#files.set(path, this.#add(length));
  }

  #add(size: number): number {
    this.#sizes.push(size);
    return this.#sizes.length - 1;
  }

  take(event: DiskEvent): Step {
    const { began, ended } = event;
    if (event.kind === "said") {
      return { kind: "said", text: event.text, began, ended, says: "said" };
    }
    const path = this.#relative(event.path);
    const says = `${event.kind} ${path.replace(/[0-9a-f]{16}/, "...")}`;
    const common = { began, ended, says };
    switch (event.kind) {
      case "mkdir":
        this.#folders.add(path);
        return { kind: "folder", puts: path, ...common };
      case "create": {
        const file = this.#add(0);
        this.#files.set(path, file);
        return { kind: "name", file, puts: path, ...common };
      }
      case "rename":
      case "link": {
        const from = this.#relative(event.from);
        const file = this.#fileAt(from);
        this.#files.set(path, file);
        if (event.kind === "link") return { kind: "name", file, puts: path, ...common };
        this.#files.delete(from);
        return { kind: "name", file, puts: path, takes: from, ...common };
      }
      case "unlink": {
        const file = this.#fileAt(path);
        this.#files.delete(path);
        return { kind: "name", file, takes: path, ...common };
      }
      case "write": {
        const file = this.#fileAt(path);
        // Lists and locks are written from their beginning or at their end.
        const at = event.at ?? this.#sizes[file]!;
        this.#sizes[file] = Math.max(this.#sizes[file]!, at + event.octets.length);
        return { kind: "octets", file, at, octets: event.octets, ...common };
      }
      case "truncate": {
        const file = this.#fileAt(path);
        this.#sizes[file] = event.size;
        return { kind: "octets", file, at: event.size, ...common };
      }
      case "sync":
        if (this.#folders.has(path)) return { kind: "sync", folder: path, ...common };
        return { kind: "sync", file: this.#fileAt(path), ...common };
    }
  }

  #relative(path: string): string {
    return path.slice(this.#folder.length + 1);
  }

  #fileAt(path: string): number {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`The trace tells of "${path}", which was never made`);
    return file;
  }
}
