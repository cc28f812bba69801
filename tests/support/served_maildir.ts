/** A Maildir that a running server serves, and what other programs do to it meanwhile. */

import { readFileSync } from "node:fs";
import type { Buffer } from "node:buffer";
import { TestMaildir } from "./maildir.ts";

export class ServedMaildir extends TestMaildir {
  /** All message files as `new/...` and `cur/...`, in order of their unique names. */
  files(): string[] {
    return (["new", "cur"] as const)
      .flatMap((folder) => this.names(folder).map((name) => `${folder}/${name}`))
      .filter((file) => !uniqueNameOf(file).startsWith("."))
      .sort((a, b) => uniqueNameOf(a) < uniqueNameOf(b) ? -1 : 1);
  }

  /** The unique names of all messages, in order. */
  uniqueNames(): string[] {
    return this.files().map(uniqueNameOf);
  }

  /** Where the message with this unique name is now, as `new/...` or `cur/...`. */
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
    this.remove(this.find(uniqueName));
  }

  /** Gives a message flags and moves it to cur/, as an IMAP server would. */
  flag(uniqueName: string, flags: string): void {
    this.rename(this.find(uniqueName), `cur/${uniqueName}:2,${flags}`);
  }
}

function uniqueNameOf(file: string): string {
  return file.slice("new/".length).replace(/:.*$/, "");
}
