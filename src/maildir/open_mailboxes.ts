/**
 * Which mailboxes sessions have open in this process, so that who removes old mail leaves theirs alone; and which
 * are lent to him for a moment, when a session that begins has to wait.
 *
 * A mailbox may be known by two paths: one user's Maildir is a link to another's. What is at them is compared only
 * where something is lent, so that logins at other times ask the disk nothing more.
 *
 * *Knows* paths of Maildirs. *Does not know* what is in them.
 */

import { eachOf } from "./disk.ts";
import { MailboxDisk } from "./mailbox_disk.ts";

/** Looks at once, so that sessions find threads for theirs. */
const WIDTH = 4;

/** A mailbox that is lent. */
interface Lease {
  readonly ended: Promise<void>;
  readonly place: Promise<string | undefined>;
}

/** What tells a folder from all others, by whatever path; undefined if it is not there, or cannot be told. */
export type PlaceOf = (path: string) => Promise<string | undefined>;

export class OpenMailboxes {
  readonly #placeOf: PlaceOf;
  readonly #sessions = new Map<string, number>();
  /** Of paths that sessions have open, as far as it was asked for. */
  readonly #places = new Map<string, string>();
  readonly #leases = new Map<string, Lease>();

  constructor(placeOf: PlaceOf = placeOnDisk) {
    this.#placeOf = placeOf;
  }

  /** Says that a session is about to open the mailbox; it has to wait then for `untilFree`. */
  begin(path: string): void {
    this.#sessions.set(path, (this.#sessions.get(path) ?? 0) + 1);
  }

  /** Says that a session that opened it has ended. */
  end(path: string): void {
    const left = (this.#sessions.get(path) ?? 0) - 1;
    if (left > 0) this.#sessions.set(path, left);
    else {
      this.#sessions.delete(path);
      this.#places.delete(path);
    }
  }

  /** What a session that has begun has to wait for before it opens the mailbox; undefined for nothing. */
  untilFree(path: string): Promise<void> | undefined {
    // From now on the mailbox is not lent: the session has begun.
    return this.#leases.size === 0 ? undefined : this.#untilBack(path, [...this.#leases]);
  }

  async #untilBack(path: string, leases: readonly [string, Lease][]): Promise<void> {
    const placeHere = this.#placeOfOpen(path);
    await Promise.all(leases.map(async ([lent, lease]) => {
      if (lent !== path) {
        const place = await placeHere;
        if (place === undefined || place !== await lease.place) return;
      }
      await lease.ended;
    }));
  }

  /**
   * Lends the mailbox: until it is given back, no session opens it. Undefined if one has, or it is lent already.
   * What is returned gives it back; calling it again changes nothing.
   */
  async lend(path: string): Promise<(() => void) | undefined> {
    if (this.#sessions.has(path) || this.#leases.has(path)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const lease = { ended: promise, place: this.#placeOf(path) };
    this.#leases.set(path, lease);
    const giveBack = () => {
      if (this.#leases.get(path) === lease) this.#leases.delete(path);
      resolve();
    };
    const place = await lease.place;
    if (place === undefined || !await this.#isOpenAt(place)) return giveBack;
    giveBack();
    return undefined;
  }

  /** Whether a session has it open, by another path than the one that is lent. */
  async #isOpenAt(place: string): Promise<boolean> {
    let isOpen = false;
    await eachOf([...this.#sessions.keys()], WIDTH, async (path) => {
      isOpen ||= await this.#placeOfOpen(path) === place;
    });
    return isOpen;
  }

  async #placeOfOpen(path: string): Promise<string | undefined> {
    const known = this.#places.get(path);
    if (known !== undefined) return known;
    const place = await this.#placeOf(path);
    if (place !== undefined && this.#sessions.has(path)) this.#places.set(path, place);
    return place;
  }
}

async function placeOnDisk(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await new MailboxDisk(path).stat(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
