/** How far long work has come, for whoever watches. */

export interface Progress {
  /** Work of so many steps begins; `what` follows the number of those that are done. */
  begin(what: string, steps: number): void;
  /** One more is done. */
  step(): void;
}

export const NO_PROGRESS: Progress = { begin() {}, step() {} };
