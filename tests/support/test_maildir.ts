/**
 * A Maildir on disk that a test fills and looks at, by the rules of maildir(5): files appear by rename
 * from tmp/, and nothing is ever written in place.
 */

import { Buffer } from "node:buffer";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";

export class TestMaildir {
  readonly path: string;
  /** Seconds that the next file's name begins with, so that order is delivery order. */
  #seconds = 1_700_000_000;

  /** Makes the folders. */
  constructor(path: string) {
    this.path = path;
    for (const folder of ["tmp", "new", "cur"]) mkdirSync(`${path}/${folder}`, { recursive: true });
  }

  /** Delivers a message into new/ and returns its unique name. */
  deliver(content: string | Uint8Array, uniqueName = `${this.#seconds++}.M1P1.test`): string {
    return this.put(`new/${uniqueName}`, content);
  }

  /** Puts a file at `new/...` or `cur/...` and returns its name. */
  put(place: string, content: string | Uint8Array): string {
    const [folder, name] = place.split("/") as [string, string];
    writeFileSync(`${this.path}/tmp/${name}`, Buffer.from(content as string));
    renameSync(`${this.path}/tmp/${name}`, `${this.path}/${folder}/${name}`);
    return name;
  }

  /** All message files as `new/...` and `cur/...`, in order of name. */
  files(): string[] {
    return ["new", "cur"].flatMap((folder) =>
      readdirSync(`${this.path}/${folder}`).filter((name) => !name.startsWith("."))
        .map((name) => `${folder}/${name}`)
    ).sort((a, b) => a.slice(4) < b.slice(4) ? -1 : 1);
  }

  /** The unique names of all message files, in order. */
  uniqueNames(): string[] {
    return this.files().map(uniqueNameOf);
  }

  /** Where the message with this unique name is now. */
  find(uniqueName: string): string {
    const file = this.files().find((file) => uniqueNameOf(file) === uniqueName);
    if (file === undefined) throw new Error(`No file is called ${uniqueName} in ${this.path}`);
    return file;
  }

  read(uniqueName: string): Buffer {
    return readFileSync(`${this.path}/${this.find(uniqueName)}`);
  }

  /** Removes a message, as another program would. */
  unlink(uniqueName: string): void {
    unlinkSync(`${this.path}/${this.find(uniqueName)}`);
  }

  /** Gives a message flags and moves it to cur/, as an IMAP server would. */
  flag(uniqueName: string, flags: string): void {
    renameSync(
      `${this.path}/${this.find(uniqueName)}`,
      `${this.path}/cur/${uniqueName}:2,${flags}`,
    );
  }
}

function uniqueNameOf(file: string): string {
  return file.slice("new/".length).replace(/:.*$/, "");
}
