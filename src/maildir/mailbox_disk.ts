/**
 * The disk as one mailbox asks it: each call that has to be waited for goes through the gate of the mailbox's
 * filesystem, and so has a limit of its time. Who asks at once (warm_files.ts) does not come here.
 *
 * A stale handle of a shared filesystem (another host replaced the file under the name) is tried again.
 *
 * *Knows* `node:fs` and the gate. *Does not know* what the files are.
 */

import type { Dirent, Stats } from "node:fs";
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rmdir,
  stat,
  unlink,
} from "node:fs/promises";
import { constants } from "node:fs";
import { STORAGE_TIMEOUT_MS } from "../limits.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { filesystemKnown, isLocal } from "../platform/warm_files.ts";
import { type DiskPath, DiskTimeout, retryStale } from "./disk.ts";
import { DiskFile } from "./disk_file.ts";
import { type FileSystem, fileSystems } from "./file_systems.ts";
import type { ListingThread } from "./listing_thread.ts";

export interface MailboxDiskOptions {
  /** Time that a call gets, ms. */
  readonly timeoutMs?: number | undefined;
}

export interface OpenOptions {
  /** Of a file that is made. */
  readonly mode?: number;
  /** Gets a file that is open when nobody waits for it any more, instead of its being closed. */
  readonly late?: (file: DiskFile) => void;
}

export class MailboxDisk {
  readonly path: string;
  readonly #timeoutMs: number;
  #fileSystem: FileSystem | undefined;
  /** What the filesystem was found by; undefined before that. */
  #generation: number | undefined;
  #device: number | undefined;

  constructor(path: string, { timeoutMs = STORAGE_TIMEOUT_MS.default }: MailboxDiskOptions = {}) {
    this.path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** Says where the mailbox was found to be: its path does not tell where there are links in it. */
  isOn(device: number | undefined): void {
    if (device === undefined || device === this.#device) return;
    this.#device = device;
    this.#fileSystem = undefined;
  }

  /**
   * Whether the mailbox is known to be on a filesystem of this machine: what is read there is what it says, and
   * nothing that is seconds old. Costs no call.
   */
  get isOfThisMachine(): boolean {
    return this.#device !== undefined && isLocal(this.#device, this.path);
  }

  get #place(): FileSystem {
    const { generation } = fileSystems;
    if (this.#fileSystem === undefined || generation !== this.#generation) {
      // After a mount the device may be another one, and is told again at the next look.
      const isNews = this.#generation !== undefined && generation !== this.#generation;
      if (isNews) this.#device = undefined;
      this.#generation = generation;
      this.#fileSystem = fileSystems.of(this.path, this.#device);
    }
    return this.#fileSystem;
  }

  /** The thread that lists this filesystem's large folders. */
  get listingThread(): ListingThread {
    return this.#place.listingThread;
  }

  /**
   * Makes a call that has to be waited for; `doing` completes "waiting to ...".
   *
   * @param late gets what the call brings when nobody waits for it any more.
   * @throws {DiskTimeout} If it takes too long.
   */
  call<T>(doing: string, work: () => Promise<T>, late?: (value: T) => void): Promise<T> {
    const call = { mailbox: this.path, doing, timeoutMs: this.#timeoutMs };
    return this.#place.gate.run(call, work, late);
  }

  /**
   * Has work done that tidies up: where the mailbox does not answer, later, when it does. Whatever else
   * keeps it from being done is nobody's concern.
   */
  async eventually(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DiskTimeout)) return;
      this.#place.gate.whenAnswering(this.path, () => void this.eventually(work));
    }
  }

  stat(path: DiskPath): Promise<Stats> {
    return this.call("look at a file", () => retryStale(() => stat(path)));
  }

  lstat(path: DiskPath): Promise<Stats> {
    return this.call("look at a file", () => retryStale(() => lstat(path)));
  }

  /** Names as octets, a character each; kinds cost nothing beside them. */
  entries(path: string): Promise<Dirent[]> {
    const options = { encoding: "latin1", withFileTypes: true } as const;
    return this.call("list a folder", () => retryStale(() => readdir(path, options)));
  }

  /** Where a symbolic link leads. */
  readLink(path: string): Promise<string> {
    return this.call("read a link", () => readlink(path));
  }

  /** Names as text. */
  names(path: string): Promise<string[]> {
    return this.call("list a folder", () => retryStale(() => readdir(path)));
  }

  /** Opens a file; its owner closes it. */
  async open(path: DiskPath, flags: number, { mode, late }: OpenOptions = {}): Promise<DiskFile> {
    const handle = await this.call(
      "open a file",
      () => retryStale(() => open(path, flags, mode)),
      (handle: FileHandle) => {
        const file = new DiskFile(this, handle);
        if (late === undefined) void file.close().catch(() => {});
        else late(file);
      },
    );
    return new DiskFile(this, handle);
  }

  /**
   * Opens a file of ours for reading or writing. Whoever owns the Maildir may have put a FIFO or a link in
   * its place: the one is not waited for, the other not followed.
   *
   * @throws {StorageFailure} If something stands there that is no file.
   * @throws {Error} What `node:fs` says.
   */
  async openOwn(path: DiskPath, flags: number): Promise<DiskFile> {
    const file = await this.open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    let isFile: boolean;
    try {
      isFile = (await file.stat()).isFile();
    } catch (error) {
      await file.close();
      throw error;
    }
    if (isFile) return file;
    await file.close();
    throw new StorageFailure("SYS/PERM", `"${path}" is no file`);
  }

  unlink(path: DiskPath): Promise<void> {
    return this.call("remove a file", () => unlink(path));
  }

  rename(from: DiskPath, to: DiskPath): Promise<void> {
    return this.call("rename a file", () => rename(from, to));
  }

  link(from: DiskPath, to: DiskPath): Promise<void> {
    return this.call("link a file", () => link(from, to));
  }

  /** Removes a folder in which there is nothing. */
  removeFolder(path: string): Promise<void> {
    return this.call("remove a folder", () => rmdir(path));
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.call("make a folder", () => mkdir(path, { mode }));
  }

  /** Sets who may do what with a file or folder; follows links. */
  setMode(path: DiskPath, mode: number): Promise<void> {
    return this.call("set a file's permissions", () => chmod(path, mode));
  }

  /** Sets the times of a file, or of a link itself. */
  setTimes(path: DiskPath, to: Date): Promise<void> {
    return this.call("touch a file", () => lutimes(path, to, to));
  }

  /**
   * Sets a file's times to now, also while the mailbox does not answer an earlier call: to show those on other
   * hosts that we are there. At most one such call is under way, whose owner is `touching`.
   */
  touch(path: string, touching: { isOn: boolean }): void {
    if (touching.isOn) return;
    const call = {
      mailbox: this.path,
      doing: "touch a file",
      timeoutMs: this.#timeoutMs,
      insists: true,
    };
    const now = new Date();
    this.#place.gate.run(call, async () => {
      touching.isOn = true;
      await lutimes(path, now, now).finally(() => touching.isOn = false);
    }).catch(() => {});
  }

  /** Waits until it is known whether the filesystem is this machine's. */
  async isKnown(): Promise<void> {
    await this.call("learn what filesystem it is", () => filesystemKnown(this.path));
  }
}
