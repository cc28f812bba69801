/**
 * The account directory that is a user file in Dovecot's passwd-file form, read again when it changes.
 *
 * The file is looked at when somebody logs in and the last look is a second old. It counts as changed when
 * its inode, size or modification time did, and
 * - a file put in place by rename (new inode) is read at once, for it is whole;
 * - one written in place is read when it has been quiet for a second, so that an editor is not met
 *   half-way, and is read once more when the clock has moved on from a modification time as young as
 *   its reading: what is written within one tick of a coarse clock does not show in the time.
 *
 * A file that cannot be read any more leaves the users as they were, and the log says so once.
 *
 * *Knows* files and the log. *Does not know* passwords: what it hands out is the field as it stands.
 */

import { createHash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { getLogger } from "@logtape/logtape";
import type { Account } from "../../maildrop/store.ts";
import type { Soon } from "../at_once.ts";
import { Decoys } from "./decoys.ts";
import type { AccountDirectory, DirectoryEntry } from "../directory.ts";
import { parsePasswdContent, type PasswdContent } from "./passwd_content.ts";
import type { SecretKind } from "../login.ts";
import type { PasswdEntry } from "./passwd_line.ts";
import type { WeakSchemes } from "../password_schemes/scheme.ts";
import type { ScramShapeUse } from "../scram/shapes.ts";
import { foldedName } from "../user_name.ts";

const logger = getLogger(["popkeep", "auth"]);

/** How often a login may look at the file. */
const LOOK_MS = 1_000;

/** A file that is written in place is taken to be whole when nothing changed for this long. */
const QUIET_MS = 1_000;

/** Faults that are told one by one; of the rest only the number. */
const FAULTS_LOGGED = 20;

/** What a file system tells of a file's state without reading it. */
interface Stamp {
  readonly inode: bigint;
  readonly size: bigint;
  readonly modifiedMs: number;
  readonly modifiedNs: bigint;
}

interface Loaded {
  readonly content: PasswdContent;
  readonly decoys: Decoys;
  readonly digest: string;
  readonly stamp: Stamp;
  /** Something may have been written since, in the same tick of the file system's clock. */
  readonly doubtful: boolean;
  /** What was made of entries that were looked up: clients poll, and the same object is known again. */
  readonly found: WeakMap<PasswdEntry, DirectoryEntry>;
}

export interface PasswdFileOptions {
  /** The time of day, ms; to compare with files' times. */
  readonly nowMs?: () => number;
  /** The weak password schemes that are honoured; none unless given. */
  readonly weakSchemes?: WeakSchemes;
}

/**
 * Opens a user file. Nothing is held open, so there is nothing to close.
 *
 * @throws {Error} What `node:fs` says if the file cannot be read.
 */
export async function openPasswdFile(
  path: string,
  options: PasswdFileOptions = {},
): Promise<PasswdFile> {
  const settled = { nowMs: Date.now, weakSchemes: new Set<string>(), ...options };
  return new PasswdFile(path, await load(path, settled), settled);
}

export class PasswdFile implements AccountDirectory {
  readonly kind = "user_file";
  readonly findsByName = true;
  readonly #path: string;
  readonly #options: Required<PasswdFileOptions>;
  #loaded: Loaded;
  #lookedMs: number;
  #looking: Promise<boolean> | undefined;
  #readable = true;

  /** Use `openPasswdFile`. */
  constructor(path: string, loaded: Loaded, options: Required<PasswdFileOptions>) {
    this.#path = path;
    this.#options = options;
    this.#loaded = loaded;
    this.#lookedMs = options.nowMs();
    logFaults(path, loaded.content);
  }

  /** As the file was read last. */
  get secretKinds(): ReadonlySet<SecretKind> {
    return this.#loaded.content.secretKinds;
  }

  /** As the file was read last. */
  get scramShapes(): readonly ScramShapeUse[] {
    return this.#loaded.content.scramShapes;
  }

  freshen(): Promise<unknown> | undefined {
    return this.#isLookDue ? this.#look(false) : undefined;
  }

  /** How many users there are. */
  get size(): number {
    return this.#loaded.content.entries.size;
  }

  /** As the file was read last. */
  *accounts(): Generator<Account> {
    const { entries } = this.#loaded.content;
    for (const entry of entries.values()) yield accountOf(entry, entries);
  }

  get edition(): object {
    return this.#loaded.content;
  }

  /** By the name in any letter case; the account's is spelt as in the file. At once but for a look. */
  lookUp(user: string): Soon<DirectoryEntry | undefined> {
    return this.#isLookDue ? this.#look(false).then(() => this.#find(user)) : this.#find(user);
  }

  whyNone(user: string): string | undefined {
    return this.#loaded.content.skipped.get(foldedName(user));
  }

  #find(user: string): DirectoryEntry | undefined {
    const { content: { entries }, found } = this.#loaded;
    const entry = entries.get(foldedName(user));
    if (entry === undefined) return undefined;
    let directoryEntry = found.get(entry);
    if (directoryEntry === undefined) {
      directoryEntry = directoryEntryOf(entry, entries);
      found.set(entry, directoryEntry);
    }
    return directoryEntry;
  }

  /** One of the file's own password fields. */
  decoyFor(user: string): string {
    return this.#loaded.decoys.decoyFor(user);
  }

  /**
   * Reads the file now. False if it cannot be read: then the users stay as they were, which the log
   * says too.
   */
  async reload(): Promise<boolean> {
    // A look that began before this call may have missed what the caller wants to be read.
    while (this.#looking !== undefined) await this.#looking;
    return await this.#look(true);
  }

  get #isLookDue(): boolean {
    const sinceMs = this.#options.nowMs() - this.#lookedMs;
    // Less than nothing when the clock was set back.
    return sinceMs >= LOOK_MS || sinceMs < 0;
  }

  /** One look at a time; who comes meanwhile waits for it. */
  #look(now: boolean): Promise<boolean> {
    this.#looking ??= this.#readIfChanged(now).finally(() => {
      this.#lookedMs = this.#options.nowMs();
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #readIfChanged(now: boolean): Promise<boolean> {
    try {
      if (now || this.#isDue(await stampOf(this.#path))) {
        const before = this.#loaded;
        this.#loaded = await load(this.#path, this.#options);
        if (now || this.#loaded.digest !== before.digest) {
          logger.info("read the user file", { file: this.#path, users: this.size });
          logFaults(this.#path, this.#loaded.content);
        }
      }
      if (!this.#readable) logger.info("the user file can be read again", { file: this.#path });
      this.#readable = true;
    } catch (error) {
      if (this.#readable || now) {
        logger.error("the user file cannot be read; the users stay as they were", {
          file: this.#path,
          error: error instanceof Error ? error.message : String(error),
        });
      }
      this.#readable = false;
    }
    return this.#readable;
  }

  #isDue(stamp: Stamp): boolean {
    const { stamp: known, doubtful } = this.#loaded;
    if (stamp.inode !== known.inode) return true;
    const ageMs = this.#options.nowMs() - stamp.modifiedMs;
    // A time in the future says nothing about quiet.
    if (ageMs >= 0 && ageMs < QUIET_MS) return false;
    return doubtful || stamp.size !== known.size || stamp.modifiedNs !== known.modifiedNs;
  }
}

function directoryEntryOf(
  entry: PasswdEntry,
  entries: ReadonlyMap<string, PasswdEntry>,
): DirectoryEntry {
  const { storedPassword, disabled, allowedNetworks, secrets, appPasswords, delegates } = entry;
  return {
    account: accountOf(entry, entries),
    storedPassword,
    disabled,
    ...(allowedNetworks === undefined ? {} : { allowedNetworks }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(appPasswords === undefined ? {} : { appPasswords }),
    ...(delegates === undefined ? {} : { delegates }),
  };
}

/** Follows the `user` extra to the mailbox that this entry opens. */
function accountOf(entry: PasswdEntry, entries: ReadonlyMap<string, PasswdEntry>): Account {
  const other = entry.opensMailboxOf;
  const owner = other === undefined ? entry : entries.get(foldedName(other));
  const { home, extra } = owner ?? entry;
  // Who has no entry of his own is spelt as the extra has it.
  const user = owner?.user ?? other ?? entry.user;
  return { user, ...(home === undefined ? {} : { home }), extra };
}

async function load(
  path: string,
  { nowMs, weakSchemes }: Required<PasswdFileOptions>,
): Promise<Loaded> {
  const file = await open(path, "r");
  try {
    const stamp = await stampOf(file);
    const octets = await file.readFile();
    const content = parsePasswdContent(octets, weakSchemes);
    return {
      content,
      decoys: new Decoys(content),
      digest: createHash("sha256").update(octets).digest("hex"),
      stamp,
      doubtful: Math.abs(nowMs() - stamp.modifiedMs) < QUIET_MS,
      found: new WeakMap(),
    };
  } finally {
    await file.close();
  }
}

async function stampOf(file: string | FileHandle): Promise<Stamp> {
  const found = typeof file === "string"
    ? await stat(file, { bigint: true })
    : await file.stat({ bigint: true });
  return {
    inode: found.ino,
    size: found.size,
    modifiedMs: Number(found.mtimeMs),
    modifiedNs: found.mtimeNs,
  };
}

function logFaults(file: string, { faults }: PasswdContent): void {
  for (const { line, reason } of faults.slice(0, FAULTS_LOGGED)) {
    logger.warn("a line of the user file is at fault", { file, line, reason });
  }
  const left = faults.length - FAULTS_LOGGED;
  if (left > 0) logger.warn("more lines of the user file are at fault", { file, lines: left });
}
