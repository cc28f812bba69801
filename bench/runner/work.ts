/** A work: something that servers do and that is measured. One file each in works/. */

import type { Server } from "../servers.ts";
import type { Bench, Round } from "./bench.ts";

/** Ends the name of a work that is done right after the start of the server, and then once more. */
export const JUST_STARTED = "-just-started";

export interface Work {
  /** As in `TESTS=`. */
  readonly name: string;
  /** What does not drift, or takes long, is measured in the first round only. */
  readonly rounds: "every" | "first";
  takesPart(server: Server): boolean;
  /**
   * Measures one server. Works that give way (`yield`) are done by turns: all servers run at once, and each
   * measures up to its next yield, so that what is compared was measured within seconds, whatever the machine
   * does over minutes. The others are done by one server after the other.
   */
  run(bench: Bench, round: Round): Promise<void> | AsyncGenerator<void, void>;
}
