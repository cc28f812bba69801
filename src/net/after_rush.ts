/**
 * Tells when many clients have come and most of them have gone again: then there is memory to give back.
 *
 * *Knows*: how many there are. *Does not know*: what they are, how memory is given back.
 */

import { setTimeout } from "node:timers";

/** So many make it worth the looking. */
const MANY_CAME = 1_000;

/** It is over when no more are left than this part of the most that there were. */
const LEFT = 1 / 4;

/** For how long they have to be gone, so that a rush in waves is one, ms. */
const LULL_MS = 10_000;

export class AfterRush {
  readonly #isOver: () => void;
  readonly #lullMs: number;
  #came = 0;
  #most = 0;
  #present = 0;
  #isWaiting = false;

  /** @param isOver Called once after each rush. */
  constructor(isOver: () => void, { lullMs = LULL_MS }: { readonly lullMs?: number } = {}) {
    this.#isOver = isOver;
    this.#lullMs = lullMs;
  }

  /** One has come; `present` is how many there are with it. */
  came(present: number): void {
    this.#came++;
    this.#present = present;
    if (present > this.#most) this.#most = present;
  }

  /** One has gone; `present` is how many are left. */
  went(present: number): void {
    this.#present = present;
    if (this.#isWaiting || this.#came < MANY_CAME || !this.#isLull) return;
    this.#isWaiting = true;
    setTimeout(() => this.#look(), this.#lullMs).unref();
  }

  get #isLull(): boolean {
    return this.#present <= this.#most * LEFT;
  }

  #look(): void {
    this.#isWaiting = false;
    if (!this.#isLull) return;
    this.#came = 0;
    this.#most = this.#present;
    this.#isOver();
  }
}
