/** A work: something that servers do and that is measured. One file each in works/. */

import type { Server } from "../servers.ts";
import type { Bench, Round } from "./bench.ts";

export interface Work {
  /** As in `TESTS=`. */
  readonly name: string;
  /** What does not drift, or takes long, is measured in the first round only. */
  readonly rounds: "every" | "first";
  takesPart(server: Server): boolean;
  run(bench: Bench, round: Round): Promise<void>;
}
