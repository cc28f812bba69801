/** Where all who take part in a soak pass before each thing that they do, so that they can be held up. */
export class Gate {
  #inside = 0;
  #closed = false;
  #over = false;
  readonly #waiting: (() => void)[] = [];

  /** Whether it is closed for good. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Does one thing, when the gate is open. */
  async pass(work: () => void | Promise<void>): Promise<void> {
    while (this.#closed && !this.#over) await this.#change();
    if (this.#over) return;
    this.#inside++;
    try {
      await work();
    } finally {
      this.#inside--;
      this.#wake();
    }
  }

  /** Waits until nobody does anything. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#inside > 0) await this.#change();
  }

  open(): void {
    this.#closed = false;
    this.#wake();
  }

  end(): void {
    this.#over = true;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
