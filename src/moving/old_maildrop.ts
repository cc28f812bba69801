/** The messages of an old server that are known by what is in them, and not by file names. */

import type { Buffer } from "node:buffer";

export interface OldMessage {
  /** As the old server shows it, a character an octet. */
  readonly id: string;
  /** What LIST says of it. */
  readonly octets: number;
}

export interface OldMaildrop {
  /** In the order in which the old server lists them. */
  readonly messages: readonly OldMessage[];
  /** What is odd about it, a clause each. */
  readonly remarks: readonly string[];
  /** One header for each message, in their order; undefined where it cannot be had. To be asked once. */
  headers(): AsyncIterable<Buffer | undefined>;
}
