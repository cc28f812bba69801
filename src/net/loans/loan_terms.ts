/**
 * What the server that lends mailboxes and whoever borrows them are agreed on: where, and for how long.
 *
 * *Does not know* sockets, mailboxes.
 */

/** A mailbox is lent for so long at most, ms: who holds it longer hangs, and sessions wait for him. */
export const LOAN_MS = 30_000;

/** Who borrows begins nothing with it later than so long after he began to ask, ms: the rest is for what he is at. */
export const USE_MS = 10_000;

/** Time that each of his calls to the disk gets, ms: a few of them, one after the other, end before LOAN_MS. */
export const STEP_MS = 5_000;

/** Longest path of a socket, octets (unix(7)). Bun takes a few more; who borrows by Deno could not ask there. */
export const SOCKET_PATH_OCTETS = 107;

/** Servers that may have one state folder at a time. */
const MOST_SERVERS = 8;

/**
 * Where servers lend mailboxes: each at the first of these sockets that it can have. Who borrows asks at all of them,
 * since each server knows of its own sessions.
 */
export function loanSocketPaths(stateFolder: string): string[] {
  return Array.from(
    { length: MOST_SERVERS },
    (_, at) => `${stateFolder}/popkeep${at === 0 ? "" : `-${at + 1}`}.sock`,
  );
}
