/**
 * Going on with what may be there at once or be waited for. A login that finds everything in memory is
 * answered in the same turn: each wait would cost it about as much as the work between two of them.
 */

/** What is there at once, or will be. */
export type Soon<T> = T | Promise<T>;

/** Goes on with a value: now if it is there, else when it is. */
export function andThen<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
