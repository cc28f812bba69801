/**
 * Turns at something scarce that a directory checks passwords with: so many at once, the others wait.
 *
 * Client addresses take turns, so that somebody who floods the directory with passwords waits behind
 * himself and not before everybody else. Nobody waits longer than a limit, which holds for the waiting and
 * the turn together; a turn whose time is over still is one until its work has come to an end.
 *
 * *Knows* time. *Does not know* what a turn is used for.
 */

import { countedAddress } from "../../counted_address.ts";
import { DIRECTORY_TURNS_WAITING } from "../../limits.ts";
import { FairQueue } from "../fair_queue.ts";

export interface TurnsOptions {
  /** Turns at the same time at most. */
  readonly atOnce: number;
  /** From asking for a turn to the end of its work, ms. */
  readonly timeLimitMs: number;
  /** How many may wait. */
  readonly queueLength?: number;
}

/** Work is to have ended itself, and what it started, shortly before its login is told that time is up. */
const WORK_SHARE = 0.98;

interface Waiting {
  begin(): void;
  fail(error: Error): void;
  /** Nobody waits for it any more. */
  over: boolean;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #queue: FairQueue<Waiting>;
  #underWay = 0;
  #closed = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#queue = new FairQueue(options.queueLength ?? DIRECTORY_TURNS_WAITING);
  }

  /**
   * Has some work done when it is its turn.
   *
   * @param address Of the client; undefined where it is not known.
   * @param work Told how much time is left for it, ms; what it throws is thrown.
   * @throws {Error} If too many wait, it takes too long, or there are no more turns.
   */
  run<T>(address: string | undefined, work: (leftMs: number) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error("The directory is closed"));
    const endsMs = performance.now() + this.#options.timeLimitMs * WORK_SHARE;
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        begin: () => {
          work(Math.max(1, endsMs - performance.now())).then(resolve, reject).finally(() => {
            finish();
            this.#underWay--;
            this.#dispatch();
          });
        },
        fail: (error) => {
          finish();
          reject(error);
        },
        over: false,
      };
      const finish = () => {
        waiting.over = true;
        clearTimeout(timer);
      };
      const timer = setTimeout(
        () => waiting.fail(new Error("The directory took too long to answer")),
        this.#options.timeLimitMs,
      );
      const turn = { source: countedAddress(address ?? ""), known: false };
      this.#queue.push(waiting, turn)?.fail(new Error("Too many logins wait for the directory"));
      this.#dispatch();
    });
  }

  /** Whoever waits is told that there will be no turn. */
  close(): void {
    this.#closed = true;
    for (const { fail } of this.#queue.clear()) fail(new Error("The directory is closed"));
  }

  #dispatch(): void {
    while (this.#underWay < this.#options.atOnce) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) return;
      if (waiting.over) continue;
      this.#underWay++;
      waiting.begin();
    }
  }
}
