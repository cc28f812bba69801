/**
 * Connections to the servers of one account directory: opened when needed, used for one thing at a time,
 * kept while they are of use.
 *
 * There is one server, or several that hold the same and are tried in their order. Whoever comes gets an
 * answer or an Error within the time of one opening and one use for each server, whatever the servers do:
 * - A server that failed or did not answer in time is left alone for DIRECTORY_RETRY_MS. If that is so of
 *   all, the Error comes at once, so that nothing piles up before a server that hangs.
 * - A connection that lay idle and turns out to be gone says nothing about its server; the next is tried.
 * - There are at most as many connections as the options say. The others wait in a bounded queue, in
 *   which client addresses take turns.
 *
 * *Knows* time and the log. *Does not know* what a connection is.
 */

import { getLogger } from "@logtape/logtape";
import { DIRECTORY_IDLE_MS, DIRECTORY_QUEUE_LENGTH, DIRECTORY_RETRY_MS } from "../limits.ts";
import { FairQueue } from "./fair_queue.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface ConnectionPoolOptions<Connection> {
  /** What the servers are called; names for the log, and for `open`. */
  readonly servers: readonly string[];
  /** Connects. Its rejection is for the log and holds no secret. */
  readonly open: (server: string) => Promise<Connection>;
  /** Ends a connection in whatever state it is, at once; never throws. */
  readonly end: (connection: Connection) => void;
  /** Whether a connection that lay idle may still be of use. */
  readonly isOpen: (connection: Connection) => boolean;
  /** Whether an error is what the server answered, so that the server and the connection are all right. */
  readonly isAnswer: (error: unknown) => boolean;
  /** Connections at most. */
  readonly connections: number;
  /** Shared by the pools of the same servers, so that what one of them met spares the others. */
  readonly outages?: Outages;
  readonly openMs: number;
  /** Time for one use. */
  readonly useMs: number;
  readonly idleMs?: number;
  readonly retryMs?: number;
  readonly queueLength?: number;
  /** Any clock that does not run backwards, ms. */
  readonly nowMs?: () => number;
}

interface Held<Connection> {
  readonly connection: Connection;
  readonly server: string;
  /** It was of use before. */
  used: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** When which server failed, and how. */
export type Outages = Map<string, { readonly sinceMs: number; readonly reason: string }>;

interface Waiting {
  readonly go: () => void;
  readonly giveUp: (reason: Error) => void;
}

export class ConnectionPool<Connection> {
  readonly #options: Required<ConnectionPoolOptions<Connection>>;
  readonly #held = new Set<Held<Connection>>();
  /** The one that was used last comes last, and is taken first. */
  readonly #idle: Held<Connection>[] = [];
  readonly #outages: Outages;
  readonly #queue: FairQueue<Waiting>;
  #busy = 0;
  #closed = false;

  constructor(options: ConnectionPoolOptions<Connection>) {
    this.#options = {
      idleMs: DIRECTORY_IDLE_MS,
      retryMs: DIRECTORY_RETRY_MS,
      queueLength: DIRECTORY_QUEUE_LENGTH,
      nowMs: () => performance.now(),
      outages: new Map(),
      ...options,
    };
    this.#outages = this.#options.outages;
    this.#queue = new FairQueue(this.#options.queueLength);
  }

  /** Connections that are there now. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * Has a connection used. What `use` does may be done again on another connection, if the first was lost.
   *
   * @param source Whose turn it is: the client's address.
   * @throws What the server answered, if it is an answer; else an Error that says why there is none.
   */
  async run<T>(use: (connection: Connection) => Promise<T>, source = ""): Promise<T> {
    await this.#turn(source);
    try {
      return await this.#use(use);
    } finally {
      this.#busy--;
      this.#queue.shift()?.go();
    }
  }

  /** Ends all connections; what is under way fails. */
  close(): void {
    this.#closed = true;
    for (const { giveUp } of this.#queue.clear()) giveUp(closedError());
    for (const held of this.#held) this.#end(held);
  }

  /** Resolves when one may have a connection; then `#busy` counts it. */
  #turn(source: string): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#busy < this.#options.connections) {
      this.#busy++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        go: () => {
          this.#busy++;
          resolve();
        },
        giveUp: reject,
      };
      this.#queue.push(waiting, { source, known: false })?.giveUp(
        new Error("Too many wait for a connection"),
      );
    });
  }

  async #use<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const failed = new Map<string, string>();
    for (;;) {
      const held = this.#takeIdle(failed) ?? await this.#openAny(failed);
      try {
        const result = await within(this.#options.useMs, use(held.connection));
        this.#giveBack(held);
        return result;
      } catch (error) {
        if (this.#options.isAnswer(error)) {
          this.#giveBack(held);
          throw error;
        }
        this.#end(held);
        if (this.#closed) throw closedError();
        if (held.used && !(error instanceof OverdueError)) continue;
        this.#noteFailure(held.server, error);
        failed.set(held.server, textOf(error));
      }
    }
  }

  #takeIdle(failed: ReadonlyMap<string, string>): Held<Connection> | undefined {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const held = this.#idle[at]!;
      if (failed.has(held.server)) continue;
      this.#idle.splice(at, 1);
      clearTimeout(held.timer);
      if (this.#options.isOpen(held.connection)) return held;
      this.#end(held);
    }
    return undefined;
  }

  /** Opens a connection to the first server that has not failed, in this attempt or lately. */
  async #openAny(failed: Map<string, string>): Promise<Held<Connection>> {
    const { servers, nowMs, retryMs } = this.#options;
    for (const server of servers) {
      const outage = this.#outages.get(server);
      if (failed.has(server)) continue;
      if (outage !== undefined && nowMs() - outage.sinceMs < retryMs) {
        failed.set(server, `${outage.reason} (a moment ago)`);
        continue;
      }
      try {
        return await this.#open(server);
      } catch (error) {
        if (this.#closed) throw closedError();
        this.#noteFailure(server, error);
        failed.set(server, textOf(error));
      }
    }
    throw new Error(Array.from(failed, ([server, reason]) => `${server}: ${reason}`).join("; "));
  }

  async #open(server: string): Promise<Held<Connection>> {
    const opening = this.#options.open(server);
    let connection: Connection;
    try {
      connection = await within(this.#options.openMs, opening);
    } catch (error) {
      // It may yet come to be there, and nobody would end it.
      opening.then((late) => this.#options.end(late), () => {});
      throw error;
    }
    const held: Held<Connection> = { connection, server, used: false, timer: undefined };
    this.#held.add(held);
    if (this.#closed) {
      this.#end(held);
      throw closedError();
    }
    return held;
  }

  #giveBack(held: Held<Connection>): void {
    if (this.#outages.delete(held.server)) {
      logger.info("a directory server answers again", { server: held.server });
    }
    if (this.#closed || !this.#options.isOpen(held.connection)) return this.#end(held);
    held.used = true;
    held.timer = setTimeout(() => this.#end(held), this.#options.idleMs);
    held.timer.unref();
    this.#idle.push(held);
  }

  #end(held: Held<Connection>): void {
    if (!this.#held.delete(held)) return;
    clearTimeout(held.timer);
    const at = this.#idle.indexOf(held);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#options.end(held.connection);
  }

  #noteFailure(server: string, error: unknown): void {
    const reason = textOf(error);
    // Said once; each login that meets it says so anyway.
    if (!this.#outages.has(server)) logger.warn("a directory server fails", { server, reason });
    this.#outages.set(server, { sinceMs: this.#options.nowMs(), reason });
    // What lies idle was to the same server.
    for (const held of this.#idle.filter((idle) => idle.server === server)) this.#end(held);
  }
}

class OverdueError extends Error {
  override readonly name = "OverdueError";
}

/** The promise's outcome, or an Error when its time is up; what comes of it then is dropped. */
function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new OverdueError(`no answer within ${limitMs} ms`)),
      limitMs,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function closedError(): Error {
  return new Error("The directory is closed");
}

/** Some errors, such as those of several addresses tried, have no text of their own. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return error.message === "" ? code : error.message;
}
