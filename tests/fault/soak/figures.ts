/** Counts by name, in the order in which the names came up. */
export class Figures {
  readonly #counts = new Map<string, number>();

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** A line each, numbers first. */
  get lines(): string[] {
    const names = [...this.#counts].sort(([a], [b]) => a < b ? -1 : 1);
    return names.map(([what, count]) => `${String(count).padStart(9)}  ${what}`);
  }
}
