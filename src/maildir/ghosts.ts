/**
 * Files of removed messages that a shared filesystem still shows: a client of it answers listings and looks, even
 * reads, from what it knew a second ago (NFS: up to a minute). Taken for mail that came under an old name, they would
 * be shown once more under another unique-id.
 *
 * So such a file is left out at first. One that is there for longer than any client remembers was put back by
 * somebody, and is a message. *Knows* times. *Does not know* files.
 */

/** How long a file of a removed message is left out, ms. */
const LEFT_OUT_MS = 120_000;

export class Ghosts {
  /** When each was first seen, by the id that its message had. */
  #sinceMs = new Map<number, number>();
  #seenNow = new Map<number, number>();

  /** Says that the folders are being listed anew. */
  begin(): void {
    this.#seenNow = new Map();
  }

  /** Whether a file whose message of this id was removed is to be left out yet. */
  leavesOut(id: number, nowMs: number): boolean {
    const sinceMs = this.#sinceMs.get(id) ?? nowMs;
    this.#seenNow.set(id, sinceMs);
    return nowMs - sinceMs < LEFT_OUT_MS;
  }

  /** Says that the folders were listed. Returns whether any such file was there. */
  end(): boolean {
    this.#sinceMs = this.#seenNow;
    return this.#sinceMs.size > 0;
  }
}
