/**
 * Listing large folders by a thread, which reads what the system has to say of them and no more: the
 * runtime's own listing makes an object and a string a name, all in one step that nobody can interrupt.
 *
 * One thread for all mailboxes of a filesystem, started when it is first needed and ended when it had nothing
 * to do for a while. It lists one folder at a time and is a few pieces ahead of who takes them. Whatever keeps
 * it from listing a folder is no error here: the ordinary way is taken then, which says what is the matter. A
 * folder that hangs stops this thread, and others of its filesystem go the ordinary way after a while.
 *
 * *Knows* threads and pieces. *Does not know* what is in them (listed_names.ts).
 */

import { Worker } from "node:worker_threads";
import { mayHaveFolderRecords } from "../platform/folder_records.ts";
import { workerLocation } from "../platform/worker_location.ts";
import type { ListingAnswer, ListingRequest } from "./listing_worker.ts";

/** Octets of a piece: some 1,500 names, which take about a millisecond. */
const PIECE_OCTETS = 131_072;

/** Pieces that are read ahead, or on their way. */
const PIECES = 3;

/** A thread costs some 30 ms to start and some 7 MiB while it is there. */
const IDLE_LIMIT_MS = 30_000;

/** Another listing is waited for so long: one of a million names takes less. */
const TURN_LIMIT_MS = 3_000;

export interface ListingThreadOptions {
  readonly startWorker?: () => Worker;
  readonly idleLimitMs?: number;
  readonly turnLimitMs?: number;
}

/** Takes a piece of a listing; it is valid until what this returns is done. */
export type TakePiece = (piece: Uint8Array) => void | Promise<void>;

/** Waits for a piece of a listing, which may have to be waited for long: what it throws ends the listing. */
export type AwaitPiece = <T>(piece: Promise<T>) => Promise<T>;

interface Waiting {
  readonly begin: (isFree: boolean) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class ListingThread {
  readonly #startWorker: () => Worker;
  readonly #idleLimitMs: number;
  readonly #turnLimitMs: number;
  #worker: Worker | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Memory for pieces, as long as the thread is there. */
  #spare: ArrayBuffer[] = [];
  /** Questions that are not answered yet, in their order. */
  #asked: ((answer: ListingAnswer | undefined) => void)[] = [];
  #isBusy = false;
  readonly #waiting = new Set<Waiting>();
  #listings = 0;
  #isMissing = !mayHaveFolderRecords;

  constructor(options: ListingThreadOptions = {}) {
    this.#startWorker = options.startWorker ?? startWorker;
    this.#idleLimitMs = options.idleLimitMs ?? IDLE_LIMIT_MS;
    this.#turnLimitMs = options.turnLimitMs ?? TURN_LIMIT_MS;
  }

  /** Whether the thread is there now. */
  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * Hands what is in a folder to `take`, piece by piece. False if it could not be listed to its end: then
   * what was taken is only a part of it, or nothing.
   *
   * @throws What `take` and `awaitPiece` do.
   */
  async list(
    path: string,
    take: TakePiece,
    awaitPiece: AwaitPiece = (piece) => piece,
  ): Promise<boolean> {
    if (this.#isMissing || !await this.#turn()) return false;
    const worker = this.#started();
    if (worker === undefined) {
      this.#letNextBegin();
      return false;
    }
    const listing = { number: ++this.#listings, path };
    const asked = this.#spare.splice(0).map((memory) => this.#ask(worker, listing, memory));
    try {
      for (;;) {
        const answer = await awaitPiece(asked[0]!);
        if (answer === undefined) return false;
        if (answer.octets === "missing") this.#isMissing = true;
        if (typeof answer.octets === "string") return false;
        if (answer.octets === 0) return true;
        await take(new Uint8Array(answer.memory, 0, answer.octets));
        asked.shift();
        asked.push(this.#ask(worker, listing, answer.memory));
      }
    } finally {
      // Says nothing new to a thread that came to the end.
      this.#post(worker, { listing: listing.number, path, memory: undefined });
      void this.#takeBack(asked);
    }
  }

  /** Waits for the memory that is still out, which a thread that hangs has, and lets the next one begin. */
  async #takeBack(asked: readonly Promise<ListingAnswer | undefined>[]): Promise<void> {
    for (const answer of await Promise.all(asked)) this.#keep(answer);
    this.#letNextBegin();
  }

  /** Ends the thread; a listing that is going on has come to nothing. The next one starts another. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#lost(worker);
    await worker.terminate();
  }

  /** The memory of a piece that is not read any more, or was not: whoever lists next takes it. */
  #keep(answer: ListingAnswer | undefined): void {
    if (answer !== undefined && this.#worker !== undefined) this.#spare.push(answer.memory);
  }

  /** Undefined is said when the thread is lost. */
  #ask(
    worker: Worker,
    { number, path }: { readonly number: number; readonly path: string },
    memory: ArrayBuffer,
  ): Promise<ListingAnswer | undefined> {
    return new Promise((settle) => {
      if (worker !== this.#worker) return settle(undefined);
      this.#asked.push(settle);
      this.#post(worker, { listing: number, path, memory });
    });
  }

  #post(worker: Worker, request: ListingRequest): void {
    if (worker !== this.#worker) return;
    worker.postMessage(request, request.memory === undefined ? [] : [request.memory]);
  }

  /** Undefined if no thread can be started. */
  #started(): Worker | undefined {
    clearTimeout(this.#idleTimer);
    // At work it keeps the process alive, since somebody waits for it; idle it does not.
    this.#worker?.ref();
    if (this.#worker !== undefined) return this.#worker;
    let worker: Worker;
    try {
      worker = this.#startWorker();
    } catch {
      return undefined;
    }
    worker.on("message", (answer: ListingAnswer) => this.#asked.shift()?.(answer));
    worker.on("error", () => this.#lost(worker));
    worker.on("exit", () => this.#lost(worker));
    this.#spare = Array.from({ length: PIECES }, () => new ArrayBuffer(PIECE_OCTETS));
    return this.#worker = worker;
  }

  #lost(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#spare = [];
    for (const settle of this.#asked.splice(0)) settle(undefined);
  }

  /** Waits until no other listing is going on; false if that takes too long. */
  #turn(): Promise<boolean> {
    if (!this.#isBusy) {
      this.#isBusy = true;
      return Promise.resolve(true);
    }
    return new Promise((begin) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        begin(false);
      }, this.#turnLimitMs);
      const waiting = { begin, timer };
      this.#waiting.add(waiting);
    });
  }

  #letNextBegin(): void {
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      clearTimeout(waiting.timer);
      return waiting.begin(true);
    }
    this.#isBusy = false;
    this.#worker?.unref();
    this.#idleTimer = setTimeout(() => void this.close(), this.#idleLimitMs);
    this.#idleTimer.unref();
  }
}

function startWorker(): Worker {
  return new Worker(workerLocation("src/maildir/listing_worker.ts", import.meta.url));
}
