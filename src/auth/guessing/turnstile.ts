/**
 * Lets no more logins from one address be under way at once than may fail before it is refused: who sends
 * a hundred guesses at the same time gets no more of them looked at than who sends them one by one.
 * The others stand in line.
 *
 * Only who is first in line asks how many may be inside. The answer counts those who failed before, and is
 * asked for again when somebody left meanwhile: each has either been counted or is still inside, or one
 * guess could slip through between the two.
 *
 * *Knows* keys and numbers. *Does not know* what is being done.
 */

export interface TurnstileOptions {
  readonly maxInLineOfKey: number;
  readonly maxInLine: number;
}

interface Place {
  inside: number;
  inLine: number;
  /** How many have left, ever. */
  left: number;
  /** Resolves when the last in line no longer stands there. */
  last: Promise<void>;
  /** Wakes who is first in line. */
  wake: (() => void) | undefined;
}

export class Turnstile {
  readonly #options: TurnstileOptions;
  readonly #places = new Map<string, Place>();
  #inLine = 0;

  constructor(options: TurnstileOptions) {
    this.#options = options;
  }

  /** Keys under which somebody is inside or in line. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Goes in as soon as there is room, and then must `leave` once.
   *
   * @param allowance How many may be inside now, at least 1; anything else ends the waiting and is handed
   *   back.
   * @returns "crowded" if too many stand in line already.
   */
  async enter<Refused extends string>(
    key: string,
    allowance: () => Promise<number | Refused>,
  ): Promise<"inside" | "crowded" | Refused> {
    const place = this.#places.get(key) ??
      { inside: 0, inLine: 0, left: 0, last: Promise.resolve(), wake: undefined };
    const { maxInLineOfKey, maxInLine } = this.#options;
    if (place.inLine >= maxInLineOfKey || this.#inLine >= maxInLine) return "crowded";
    this.#places.set(key, place);
    place.inLine++;
    this.#inLine++;
    const ahead = place.last;
    const { promise, resolve } = Promise.withResolvers<void>();
    place.last = promise;
    try {
      await ahead;
      return await goIn(place, allowance);
    } finally {
      place.inLine--;
      this.#inLine--;
      resolve();
      this.#tidy(key, place);
    }
  }

  /** To be called when what happened inside has been counted. */
  leave(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    place.inside--;
    place.left++;
    place.wake?.();
    this.#tidy(key, place);
  }

  #tidy(key: string, place: Place): void {
    if (place.inside === 0 && place.inLine === 0) this.#places.delete(key);
  }
}

async function goIn<Refused extends string>(
  place: Place,
  allowance: () => Promise<number | Refused>,
): Promise<"inside" | Refused> {
  for (;;) {
    const leftBefore = place.left;
    const allowed = await allowance();
    if (typeof allowed !== "number") return allowed;
    if (place.left !== leftBefore) continue;
    if (place.inside < allowed) {
      place.inside++;
      return "inside";
    }
    await new Promise<void>((wake) => place.wake = wake);
    place.wake = undefined;
  }
}
