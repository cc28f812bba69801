/** Chance that a seed repeats. */

/** A small generator of numbers from 0 to 1. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** So many of the items, in their order; all if there are no more. */
export function chosen<T>(items: readonly T[], count: number, random: () => number): T[] {
  const left = [...items.keys()];
  while (left.length > count) left.splice(Math.floor(random() * left.length), 1);
  return left.map((at) => items[at]!);
}

/** All of the items, in a drawn order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}

/** One of the items. */
export function oneOf<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}
