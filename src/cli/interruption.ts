/**
 * Signals that end a command that waits: whoever waits is told by an error, and can tidy up.
 *
 * *Does not know* what is waited for.
 */

import process from "node:process";

/** The command was told to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export class Interruption {
  readonly #arrived: Promise<never>;
  #reject: (error: Interrupted) => void = () => {};
  readonly #signals: readonly NodeJS.Signals[];

  /** Takes over these signals, which from now on do not end the process; `close` gives them back. */
  constructor(signals: readonly NodeJS.Signals[]) {
    this.#arrived = new Promise((_, reject) => this.#reject = reject);
    // It may come while nobody waits.
    this.#arrived.catch(() => {});
    this.#signals = signals;
    for (const signal of signals) process.on(signal, this.#interrupt);
  }

  /** @throws {Interrupted} If a signal comes before that is done, or has come. */
  before<T>(done: Promise<T>): Promise<T> {
    return Promise.race([this.#arrived, done]);
  }

  /** @throws {Interrupted} Between two of them, or while one is waited for. */
  async *beforeEach<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await this.before(iterator.next());
      if (done === true) return;
      yield value;
    }
  }

  close(): void {
    for (const signal of this.#signals) process.off(signal, this.#interrupt);
  }

  readonly #interrupt = (signal: NodeJS.Signals): void =>
    this.#reject(new Interrupted(`stopped by ${signal}`));
}
