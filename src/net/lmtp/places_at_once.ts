/** A number of places, which are taken several at a time; who finds too few waits in line. *Does not know* what for. */

interface Waiting {
  readonly places: number;
  readonly begin: () => void;
}

export class PlacesAtOnce {
  #free: number;
  #waiting: Waiting[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves when so many are taken, which must be no more than there are; who has them gives them back. */
  take(places: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ places, begin: resolve });
      this.#next();
    });
  }

  giveBack(places: number): void {
    this.#free += places;
    this.#next();
  }

  /** In order: else those who want many would never have their turn. */
  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.places > this.#free) return;
      this.#free -= first.places;
      this.#waiting.shift();
      first.begin();
    }
  }
}
