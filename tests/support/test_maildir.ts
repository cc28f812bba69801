/**
 * A Maildir on disk that a test fills and looks at, and what other programs do to it meanwhile.
 *
 * Files appear by the contract of maildir(5), by rename from tmp/. File names are octets, written as a
 * character each.
 */

import { Buffer } from "node:buffer";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";

let delivered = 0;

export class TestMaildir {
  readonly path: string;
  /** What `delete` removes: the Maildir, or the temporary folder that was made for it. */
  readonly #outermost: string;

  /** Makes new/, cur/ and tmp/ under `path`, or under a temporary folder of its own. */
  constructor(path?: string) {
    this.#outermost = path ?? mkdtempSync(`${tmpdir()}/popkeep-maildir-`);
    this.path = path ?? `${this.#outermost}/Maildir`;
    for (const folder of ["new", "cur", "tmp"]) {
      mkdirSync(`${this.path}/${folder}`, { recursive: true, mode: 0o700 });
    }
  }

  /** Delivers a message into new/ and returns its unique name. */
  deliver(content: string | Uint8Array, uniqueName = this.nextUniqueName()): string {
    this.put(`new/${uniqueName}`, content);
    return uniqueName;
  }

  /** A unique name that sorts behind all those before it. */
  nextUniqueName(): string {
    delivered++;
    return `${1_700_000_000 + delivered}.M${delivered}P1.test`;
  }

  /** Puts a file at `new/...` or `cur/...` and returns its name. */
  put(place: string, content: string | Uint8Array): string {
    const name = place.slice("new/".length);
    const temporary = this.#pathOf(`tmp/${name}`);
    writeFileSync(temporary, content);
    renameSync(temporary, this.#pathOf(place));
    return name;
  }

  /** Puts a file into cur/, or another folder, under exactly that name. */
  place(fileName: string, content: string | Uint8Array, folder: "new" | "cur" = "cur"): void {
    this.put(`${folder}/${fileName}`, content);
  }

  rename(from: string, to: string): void {
    renameSync(this.#pathOf(from), this.#pathOf(to));
  }

  remove(file: string): void {
    rmSync(this.#pathOf(file));
  }

  /** Names in a folder, sorted. */
  names(folder: "new" | "cur" | "tmp"): string[] {
    return readdirSync(`${this.path}/${folder}`, { encoding: "latin1" }).sort();
  }

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
    return readFileSync(this.#pathOf(this.find(uniqueName)));
  }

  /** Removes a message, as another program would. */
  unlink(uniqueName: string): void {
    this.remove(this.find(uniqueName));
  }

  /** Gives a message flags and moves it to cur/, as an IMAP server would. */
  flag(uniqueName: string, flags: string): void {
    this.rename(this.find(uniqueName), `cur/${uniqueName}:2,${flags}`);
  }

  get sidecar(): string {
    return `${this.path}/popkeep-uidlist`;
  }

  /** Removes everything. */
  delete(): void {
    rmSync(this.#outermost, { recursive: true, force: true });
  }

  #pathOf(file: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.path}/`), Buffer.from(file, "latin1")]);
  }
}

function uniqueNameOf(file: string): string {
  return file.slice("new/".length).replace(/:.*$/, "");
}

/** A test with a Maildir of its own, which is removed afterwards. */
export function maildirTest(
  name: string,
  work: (maildir: TestMaildir) => Promise<void>,
  { skip = false }: { readonly skip?: string | false } = {},
): void {
  test(name, { skip }, async () => {
    const maildir = new TestMaildir();
    try {
      await work(maildir);
    } finally {
      maildir.delete();
    }
  });
}
