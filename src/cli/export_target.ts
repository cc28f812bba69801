/**
 * Where exported messages go: standard output, an mbox file, a folder of mbox files, a Maildir, a folder of files.
 *
 * Nothing that is there is overwritten, and what has its name is whole: it is made as NAME.partial, written through
 * to the disk, and then gets its name. Killed before, it leaves that, which the next export does not touch either.
 *
 * *Knows*: files. *Does not know*: mailboxes.
 */

import { Buffer } from "node:buffer";
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  unlink,
} from "node:fs/promises";
import { dirname } from "node:path";
import { isMissing } from "../maildir/disk.ts";
import { mailFolderPath } from "../maildir/mail_folder.ts";
import { mboxLine, MboxText } from "../upkeep/mbox_text.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printOctets } from "./output.ts";

export interface ExportedMessage {
  /** Octets, a character each. */
  readonly fileName: string;
  readonly isNew: boolean;
  /** When it was delivered. */
  readonly dateMs: number;
  /** Of its envelope, where a Return-Path tells. */
  readonly sender: string | undefined;
  /** With what is put before its header. */
  readonly octets: AsyncIterable<Uint8Array>;
}

export interface ExportTarget {
  /** A folder begins; its name has `/` between its parts. */
  beginFolder(name: string): Promise<void>;
  /**
   * Takes a message whole, or nothing of it.
   *
   * @throws {Unfinished} If part of it is written already and cannot be taken back.
   * @throws {Error} What reading or writing it throws.
   */
  add(message: ExportedMessage): Promise<void>;
  /** All messages are there: has the disk know all of it, and gives it its name. */
  finish(): Promise<void>;
  /** Removes what was written. */
  giveUp(): Promise<void>;
}

/** Half a message has been written to where it cannot be taken back. */
export class Unfinished extends Error {
  override readonly name = "Unfinished";
}

export class StandardOutput implements ExportTarget {
  beginFolder(): Promise<void> {
    return Promise.resolve();
  }

  async add({ dateMs, octets, sender }: ExportedMessage): Promise<void> {
    let isBegun = false;
    try {
      const text = new MboxText();
      for await (const piece of octets) {
        if (!isBegun) await printOctets(Buffer.from(mboxLine(sender, dateMs), "latin1"));
        isBegun = true;
        await printOctets(text.push(piece));
      }
      if (!isBegun) await printOctets(Buffer.from(mboxLine(sender, dateMs), "latin1"));
      await printOctets(text.end());
    } catch (error) {
      if (!isBegun) throw error;
      throw new Unfinished("what was written ends within a message", { cause: error });
    }
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  giveUp(): Promise<void> {
    return Promise.resolve();
  }
}

/** One mbox file, of all folders one behind the other. */
export class MboxFile implements ExportTarget {
  readonly #path: string;
  #file: FileHandle | undefined;
  /** Where the messages that are whole end. */
  #octets = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async beginFolder(): Promise<void> {
    if (this.#file !== undefined) return;
    await mustBeNew(this.#path);
    this.#file = await open(partial(this.#path), "wx", 0o600);
  }

  async add({ dateMs, octets, sender }: ExportedMessage): Promise<void> {
    const file = this.#file!;
    let end = this.#octets;
    const write = async (piece: Uint8Array) => {
      await about(partial(this.#path), writeAll(file, piece, end));
      end += piece.length;
    };
    try {
      const text = new MboxText();
      await write(Buffer.from(mboxLine(sender, dateMs), "latin1"));
      for await (const piece of octets) await write(text.push(piece));
      await write(text.end());
      this.#octets = end;
    } catch (error) {
      await file.truncate(this.#octets);
      throw error;
    }
  }

  async finish(): Promise<void> {
    await this.beginFolder();
    await about(partial(this.#path), this.#file!.sync());
    await about(partial(this.#path), this.#file!.close());
    // Unlike a rename, this takes no other file's place.
    await link(partial(this.#path), this.#path);
    await unlink(partial(this.#path));
    await syncFolderOf(this.#path);
  }

  async giveUp(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#file.close().catch(() => {});
    await unlink(partial(this.#path)).catch(() => {});
  }
}

/** A folder in which each folder of the mailbox is an mbox file. */
export class MboxFolder implements ExportTarget {
  readonly #path: string;
  readonly #names = new Set<string>();
  #file: MboxFile | undefined;

  constructor(path: string) {
    this.#path = path.replace(/\/+$/, "") || "/";
  }

  async beginFolder(name: string): Promise<void> {
    await this.finish();
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    const base = name.split("/").map(plainPart).join(".");
    this.#file = new MboxFile(`${this.#path}/${unused(base, this.#names)}.mbox`);
    await this.#file.beginFolder();
  }

  add(message: ExportedMessage): Promise<void> {
    return this.#file!.add(message);
  }

  async finish(): Promise<void> {
    await this.#file?.finish();
    this.#file = undefined;
  }

  async giveUp(): Promise<void> {
    await this.#file?.giveUp();
  }
}

/** A file for each message, in a folder that gets its name when all of it is there. */
abstract class NewFolder implements ExportTarget {
  protected readonly partial: string;
  readonly #path: string;
  readonly #folders = new Set<string>();
  #isMade = false;

  constructor(path: string) {
    this.#path = path.replace(/\/+$/, "") || "/";
    this.partial = partial(this.#path);
  }

  abstract beginFolder(name: string): Promise<void>;

  /** Where a message's file goes, below the partial folder; an octet a character. */
  protected abstract placeOf(message: ExportedMessage): string;

  /** Makes a folder, and those that lead there. */
  protected async make(path: string): Promise<void> {
    if (!this.#isMade) {
      await mustBeNew(this.#path);
      await mkdir(this.partial, { mode: 0o700 });
      this.#isMade = true;
    }
    await mkdir(path, { recursive: true, mode: 0o700 });
    for (let at = path; at.startsWith(this.partial); at = dirname(at)) this.#folders.add(at);
  }

  async add(message: ExportedMessage): Promise<void> {
    const path = Buffer.from(this.placeOf(message), "latin1");
    const file = await open(path, "wx", 0o600);
    let isWhole = false;
    try {
      let end = 0;
      for await (const piece of message.octets) {
        await about(this.partial, writeAll(file, piece, end));
        end += piece.length;
      }
      const seconds = Math.abs(message.dateMs) <= 8.64e15 ? message.dateMs / 1_000 : 0;
      await about(this.partial, file.utimes(seconds, seconds));
      await about(this.partial, file.datasync());
      isWhole = true;
    } finally {
      await file.close();
      if (!isWhole) await unlink(path).catch(() => {});
    }
  }

  async finish(): Promise<void> {
    await this.make(this.partial);
    for (const folder of [...this.#folders].toSorted().toReversed()) await syncFolder(folder);
    await mustBeNew(this.#path, { partialIsOurs: true });
    await rename(this.partial, this.#path);
    await syncFolderOf(this.#path);
  }

  async giveUp(): Promise<void> {
    if (this.#isMade) await rm(this.partial, { recursive: true, force: true });
  }
}

/** A Maildir, folders as Maildir++ has them; files have the names that they had. */
export class MaildirFolder extends NewFolder {
  #maildir = "";

  async beginFolder(name: string): Promise<void> {
    const location = { folders: this.partial, inbox: this.partial, layout: "maildir++" } as const;
    this.#maildir = mailFolderPath({ ...location, utf8Names: false, root: "/" }, name);
    for (const part of ["new", "cur", "tmp"]) await this.make(`${this.#maildir}/${part}`);
    if (this.#maildir === this.partial) return;
    const marker = await open(`${this.#maildir}/maildirfolder`, "w", 0o600);
    await marker.close();
  }

  protected override placeOf({ fileName, isNew }: ExportedMessage): string {
    return `${octetsOf(this.#maildir)}/${isNew ? "new" : "cur"}/${fileName}`;
  }
}

/** A file NUMBER.eml for each message, in a folder for each folder. */
export class EmlFolder extends NewFolder {
  #folder = "";
  #number = 0;
  readonly #names = new Set<string>();

  async beginFolder(name: string): Promise<void> {
    const path = `${this.partial}/${name.split("/").map(plainPart).join("/")}`;
    this.#folder = unused(path, this.#names);
    this.#number = 0;
    await this.make(this.#folder);
  }

  protected override placeOf(): string {
    return `${octetsOf(this.#folder)}/${String(++this.#number).padStart(6, "0")}.eml`;
  }
}

function partial(path: string): string {
  return `${path}.partial`;
}

function octetsOf(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}

/** A part of a folder's name that leads nowhere else, whatever it says. */
function plainPart(part: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what goes
  const plain = part.replace(/[\x00-\x1f\x7f/]/g, "_").replace(/^\./, "_");
  return plain === "" ? "_" : plain;
}

function unused(name: string, names: Set<string>): string {
  let found = name;
  while (names.has(found)) found += "_";
  names.add(found);
  return found;
}

/** @throws {Failure} If there is anything of that name, or a part of an earlier export. */
async function mustBeNew(path: string, { partialIsOurs = false } = {}): Promise<void> {
  for (const name of partialIsOurs ? [path] : [path, partial(path)]) {
    try {
      await lstat(name);
    } catch (error) {
      if (isMissing(error)) continue;
      throw error;
    }
    throw new Failure(ExitCode.cannotCreate, `${name} exists already; nothing was written`);
  }
}

/** Whether there is a folder of that name. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    await readdir(path);
    return true;
  } catch {
    return false;
  }
}

/** What fails with an open file names no path, and which disk is full would be anybody's guess. */
async function about<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && !("path" in error && error.path)) Object.assign(error, { path });
    throw error;
  }
}

async function writeAll(file: FileHandle, octets: Uint8Array, from: number): Promise<void> {
  for (let at = 0; at < octets.length;) {
    const { bytesWritten } = await file.write(octets, at, octets.length - at, from + at);
    at += bytesWritten;
  }
}

function syncFolderOf(path: string): Promise<void> {
  return syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await about(path, folder.sync());
  } finally {
    await folder.close();
  }
}
