import type { MessageNumber } from "./message_number.ts";
import type { UniqueId } from "./unique_id.ts";

/**
 * The messages of a maildrop as they were at login ([MS-STANXPOP3] 2.1.3, C0004).
 *
 * It never changes, so sessions on one mailbox may share one. Numbers run from 1 to `count` in the
 * order that the settings ask for; ascending order is ascending unique-ids.
 */
export interface Snapshot {
  readonly count: number;
  /** Sum of `octetsOf` over all messages: what STAT says before anything is marked. */
  readonly totalOctets: number;
  /** The figure of LIST and RETR: storage size or exact octets, as set ([MS-STANXPOP3] 2.1.4, 2.1.5). */
  octetsOf(number: MessageNumber): number;
  uniqueIdOf(number: MessageNumber): UniqueId;
  /**
   * Writes the octets of the unique-id at `at` and returns where they end: what `uniqueIdOf` gives, without
   * a text in between. There must be room for UNIQUE_ID_CHARACTERS.
   */
  writeUniqueId(number: MessageNumber, target: Uint8Array, at: number): number;
}
