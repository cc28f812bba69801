/**
 * One Maildir of a user, INBOX or folder, as a check sees it: where it is, whose it should be, what to call it.
 *
 * *Knows* locations. *Does not know* what is looked for.
 */

import { Buffer } from "node:buffer";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { folderNameAt } from "../maildir/quota_folders.ts";
import { HeldFolder } from "./held_folder.ts";

export interface Owner {
  readonly userId: number;
  readonly groupId: number;
}

export interface CheckedMaildirOptions {
  readonly location: MailLocation;
  readonly path: string;
  readonly timeoutMs: number;
  /** Whose all mail is; undefined where each mailbox belongs to whom its folder belongs to. */
  readonly owner: Owner | undefined;
}

export class CheckedMaildir {
  readonly path: string;
  readonly disk: MailboxDisk;
  readonly location: MailLocation;
  readonly owner: Owner | undefined;
  /** "INBOX", or the names from the top with `/` between them. */
  readonly folder: string;
  /** The folder above it that administrators may have linked to, and the way down from there. */
  readonly #top: string;
  readonly #below: string;

  constructor({ location, path, timeoutMs, owner }: CheckedMaildirOptions) {
    this.location = location;
    this.path = path;
    this.owner = owner;
    this.disk = new MailboxDisk(path, { timeoutMs });
    this.folder = folderNameAt(location, path);
    const isBelow = path.startsWith(`${location.folders}/`) && path !== location.inbox;
    this.#top = isBelow ? location.folders : path;
    this.#below = isBelow ? octetsOf(path.slice(location.folders.length + 1)) : "";
  }

  /** Whether other folders lie in it, as it is of the INBOX in Maildir++. */
  get isTop(): boolean {
    return this.path === this.location.folders;
  }

  /** What a path in it is called in findings, octets as everywhere there. */
  nameOf(inside: string): string {
    const { folders, inbox } = this.location;
    const isOutside = this.path === inbox && inbox !== folders;
    const prefix = isOutside ? octetsOf(this.path) : this.#below;
    if (inside === "") return prefix === "" ? "." : prefix;
    return prefix === "" ? inside : `${prefix}/${inside}`;
  }

  /** Holds the Maildir, or a folder in it, open; the caller closes it. */
  hold(inside = ""): Promise<HeldFolder> {
    return HeldFolder.open(this.disk, this.#top, `${this.#below}/${inside}`);
  }

  /** Holds it open while `work` goes on. */
  async holding<T>(inside: string, work: (folder: HeldFolder) => Promise<T>): Promise<T> {
    const folder = await this.hold(inside);
    try {
      return await work(folder);
    } finally {
      await folder.close();
    }
  }
}

function octetsOf(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}
