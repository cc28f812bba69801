/**
 * Long work in turns, so that whoever else wants something waits a few milliseconds and not for all of it.
 * Of several long works only one has a turn before the event loop comes round.
 */

/** How long one turn is, ms: several fit into what a client that waits for an answer notices. */
const TURN_MS = 3;

/** Small items between two looks at the clock. */
const ITEMS_A_LOOK = 32;

const waiting: (() => void)[] = [];

/** When the turn ends that somebody has now; undefined when the event loop came round since it began. */
let endMs: number | undefined;

export class Turns {
  readonly #itemsALook: number;
  #items: number;

  /** @param options.itemsALook 1 where an item costs more than a look at the clock. */
  constructor({ itemsALook = ITEMS_A_LOOK } = {}) {
    this.#itemsALook = itemsALook;
    this.#items = itemsALook;
    if (endMs === undefined) beginTurn();
  }

  /** To be asked before each item: whether it is time to wait for `next`. */
  get isOver(): boolean {
    if (--this.#items > 0) return false;
    this.#items = this.#itemsALook;
    if (endMs !== undefined) return performance.now() >= endMs;
    beginTurn();
    return false;
  }

  /** Waits for another turn. */
  async next(): Promise<void> {
    await new Promise<void>((begin) => {
      if (waiting.push(begin) === 1) setImmediate(letOneBegin);
    });
    if (endMs === undefined) beginTurn();
  }
}

/** Short works that follow one another have one turn, which lasts until the event loop comes round. */
function beginTurn(): void {
  endMs = performance.now() + TURN_MS;
  setImmediate(() => endMs = undefined);
}

/** Small items that are worked through in one call, some tenths of a millisecond. */
const ITEMS_A_RANGE = 256;

/**
 * Has `work` done on all items from 0 to `count` - 1, a range of them at a call. The loop over a range
 * belongs into a function that waits for nothing: the runtimes run those several times as fast.
 */
export async function inRanges(
  count: number,
  work: (from: number, to: number) => void,
): Promise<void> {
  const turns = new Turns({ itemsALook: 1 });
  for (let from = 0; from < count; from += ITEMS_A_RANGE) {
    if (turns.isOver) await turns.next();
    work(from, Math.min(from + ITEMS_A_RANGE, count));
  }
}

function letOneBegin(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(letOneBegin);
}
