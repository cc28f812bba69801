/** Waits that all end when they are told to: an answer that is held back must not hold back a stop. */

export class Waits {
  readonly #running = new Set<() => void>();
  #ended = false;

  /** Resolves after so many ms, or when all waits end. */
  wait(ms: number): Promise<void> {
    if (ms <= 0 || this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#running.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#running.add(end);
    });
  }

  /** Ends all waits, and those that begin later at once. */
  end(): void {
    this.#ended = true;
    for (const end of [...this.#running]) end();
  }
}
