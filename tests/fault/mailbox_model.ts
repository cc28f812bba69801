/**
 * What a mailbox must hold, as far as those who used it can know: compared with what is there.
 *
 * Each message carries a token in its content. A client tells the model which unique-id it was shown
 * with which token, what it marked before it sent QUIT, and whether QUIT was answered.
 */

import assert from "node:assert/strict";

export class MailboxModel {
  readonly #delivered = new Set<string>();
  /** Marked in a session whose QUIT was sent: may be gone. */
  readonly #mayBeGone = new Set<string>();
  /** Marked in a session whose QUIT was answered +OK: must be gone. */
  readonly #mustBeGone = new Set<string>();
  readonly #tokenOfId = new Map<string, string>();
  readonly #idOfToken = new Map<string, string>();

  get idsShown(): number {
    return this.#tokenOfId.size;
  }

  delivered(token: string): void {
    this.#delivered.add(token);
  }

  tokenOf(id: string): string | undefined {
    return this.#tokenOfId.get(id);
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
  check(present: ReadonlySet<string>): void {
    for (const token of this.#delivered) {
      if (this.#mustBeGone.has(token)) {
        assert.ok(!present.has(token), `message ${token} was removed and is there`);
      } else if (!this.#mayBeGone.has(token)) {
        assert.ok(present.has(token), `message ${token} is lost`);
      }
    }
  }
}
