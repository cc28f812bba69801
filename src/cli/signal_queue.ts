/** Signals one after the other, so that each is dealt with before the next and none is lost meanwhile. */

import process from "node:process";

export class SignalQueue {
  readonly #signals: readonly NodeJS.Signals[];
  readonly #waiting: NodeJS.Signals[] = [];
  #wake: ((signal: NodeJS.Signals) => void) | undefined;

  /** Takes over these signals, which from now on do not end the process; `close` gives them back. */
  constructor(signals: readonly NodeJS.Signals[]) {
    this.#signals = signals;
    for (const signal of signals) process.on(signal, this.#arrived);
  }

  /** The next signal; one caller at a time. */
  next(): Promise<NodeJS.Signals> {
    const signal = this.#waiting.shift();
    if (signal !== undefined) return Promise.resolve(signal);
    return new Promise((resolve) => this.#wake = resolve);
  }

  close(): void {
    for (const signal of this.#signals) process.off(signal, this.#arrived);
  }

  readonly #arrived = (signal: NodeJS.Signals): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake === undefined) this.#waiting.push(signal);
    else wake(signal);
  };
}
