/** Maildirs on disk for tests: made in a temporary folder, filled as a deliverer would. */

import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

let delivered = 0;

export class TestMaildir {
  readonly path: string;

  /** Makes new/, cur/ and tmp/ under `path`, or under a temporary folder of its own. */
  constructor(path = `${mkdtempSync(`${tmpdir()}/popkeep-maildir-`)}/Maildir`) {
    this.path = path;
    for (const folder of ["new", "cur", "tmp"]) {
      mkdirSync(`${path}/${folder}`, { recursive: true, mode: 0o700 });
    }
  }

  /** Delivers through tmp/ as the Maildir contract says; returns the file's name in new/. */
  deliver(content: string | Uint8Array, uniqueName = this.nextUniqueName()): string {
    writeFileSync(`${this.path}/tmp/${uniqueName}`, content);
    renameSync(`${this.path}/tmp/${uniqueName}`, `${this.path}/new/${uniqueName}`);
    return uniqueName;
  }

  nextUniqueName(): string {
    delivered++;
    return `${1_700_000_000 + delivered}.M${delivered}P1.test`;
  }

  /** Puts a file into cur/ under exactly that name (octets, a character each). */
  place(fileName: string, content: string | Uint8Array, folder: "new" | "cur" = "cur"): void {
    writeFileSync(Buffer.from(`${this.path}/${folder}/${fileName}`, "latin1"), content);
  }

  /** What another mail reader does when a flag changes. */
  rename(from: string, to: string): void {
    renameSync(`${this.path}/${from}`, `${this.path}/${to}`);
  }

  remove(name: string): void {
    rmSync(`${this.path}/${name}`);
  }

  /** Names in a folder, sorted. */
  names(folder: "new" | "cur" | "tmp"): string[] {
    return readdirSync(`${this.path}/${folder}`).sort();
  }

  get sidecar(): string {
    return `${this.path}/popkeep-uidlist`;
  }

  /** Removes everything, and the temporary folder around it. */
  delete(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
