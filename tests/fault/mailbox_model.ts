/**
 * What a mailbox must hold, as far as those who used it can know: compared with what is there.
 *
 * Each message carries a token in its content. A client tells the model which unique-id it was shown
 * with which token, what it marked before it sent QUIT, and whether QUIT was answered.
 */

import assert from "node:assert/strict";

/** What may have become of messages of which a client was told that they are removed. */
export interface Promises {
  /** A removal is not synced (docs/design.md, 13): after a power cut the message may be back. */
  readonly removedMayBeBack?: boolean;
  /** Where a filesystem does not keep the order of what happens to names, even under another id. */
  readonly removedMayHaveAnotherId?: boolean;
}

export class MailboxModel {
  readonly #delivered = new Set<string>();
  /** Marked in a session whose QUIT was sent: may be gone. */
  readonly #mayBeGone = new Set<string>();
  /** Marked in a session whose QUIT was answered +OK: must be gone. */
  readonly #mustBeGone = new Set<string>();
  readonly #tokenOfId = new Map<string, string>();
  readonly #idOfToken = new Map<string, string>();
  /** In a listing that came whole, whether or not the message was looked at. */
  readonly #listed = new Set<string>();

  get idsShown(): number {
    return this.#tokenOfId.size;
  }

  /** One that knows the same, and from now on learns by itself. */
  copy(): MailboxModel {
    const copy = this.copyOfMessages();
    for (const [id, token] of this.#tokenOfId) copy.shown(id, token);
    copy.listed([...this.#listed]);
    copy.quitAnswered([...this.#mustBeGone]);
    return copy;
  }

  /** One that knows the same of messages, and of no unique-id. */
  copyOfMessages(): MailboxModel {
    const copy = new MailboxModel();
    for (const token of this.#delivered) copy.delivered(token);
    copy.quitSent([...this.#mayBeGone]);
    return copy;
  }

  /** Learns from one that knows more what these ids were shown with, and which messages may be gone. */
  learn(other: MailboxModel, ids: Iterable<string>): void {
    for (const id of ids) {
      const token = other.tokenOf(id);
      if (token === undefined) continue;
      this.listed([id]);
      this.shown(id, token);
    }
    this.quitSent([...other.#mayBeGone]);
  }

  /** The messages of which a client was told that they are removed. */
  get removed(): ReadonlySet<string> {
    return this.#mustBeGone;
  }

  delivered(token: string): void {
    this.#delivered.add(token);
  }

  tokenOf(id: string): string | undefined {
    return this.#tokenOfId.get(id);
  }

  /** A client saw these ids in one listing. */
  listed(ids: readonly string[]): void {
    for (const id of ids) this.#listed.add(id);
  }

  /** A client saw this message under this id. Fails if either was seen with another. */
  shown(id: string, token: string): void {
    assert.match(id, /^[0-9]{1,70}$/);
    assert.equal(this.#tokenOfId.get(id) ?? token, token, `unique-id ${id} was given twice`);
    assert.equal(this.#idOfToken.get(token) ?? id, id, `message ${token} changed its unique-id`);
    assert.ok(this.#delivered.has(token), `message ${token} was never delivered`);
    this.#tokenOfId.set(id, token);
    this.#idOfToken.set(token, id);
  }

  quitSent(marked: readonly string[]): void {
    for (const token of marked) this.#mayBeGone.add(token);
  }

  quitAnswered(marked: readonly string[]): void {
    for (const token of marked) this.#mustBeGone.add(token);
  }

  /** Fails when a message that nobody removed is missing, or one is back that was removed. */
  check(present: ReadonlySet<string>, { removedMayBeBack = false }: Promises = {}): void {
    for (const token of this.#delivered) {
      if (this.#mustBeGone.has(token)) {
        assert.ok(
          removedMayBeBack || !present.has(token),
          `message ${token} was removed and is there`,
        );
      } else if (!this.#mayBeGone.has(token)) {
        assert.ok(present.has(token), `message ${token} is lost`);
      }
    }
  }

  /**
   * Fails when what a client sees now does not go with what clients saw before: each message under its id,
   * and no id gone but with its message.
   */
  checkListing(
    listing: readonly (readonly [id: string, token: string])[],
    { removedMayHaveAnotherId = false }: Promises = {},
  ): void {
    for (const [id, token] of listing) {
      if (removedMayHaveAnotherId && this.#mayBeGone.has(token) && !this.#tokenOfId.has(id)) {
        assert.ok(this.#delivered.has(token), `message ${token} was never delivered`);
      } else this.shown(id, token);
    }
    const now = new Set(listing.map(([id]) => id));
    assert.equal(now.size, listing.length, "a unique-id stands twice in one listing");
    for (const id of this.#listed) {
      const token = this.#tokenOfId.get(id);
      const isExcused = token !== undefined && this.#mayBeGone.has(token);
      assert.ok(now.has(id) || isExcused, `unique-id ${id} (${token}) is not there any more`);
    }
  }
}
