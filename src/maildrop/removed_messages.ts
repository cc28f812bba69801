/**
 * What one session, or one pass of retention, removed, as the log tells it: how many messages, how many octets,
 * and the unique-ids of as many of them as a line has room for.
 *
 * *Knows* snapshots. *Does not know* the log.
 */

import type { MessageNumber } from "./message_number.ts";
import type { Snapshot } from "./snapshot.ts";

/** Of a line of at most 4,096 octets, so that the other fields keep their room. */
const MOST_CHARACTERS = 1_024;

export class RemovedMessages {
  messages = 0;
  octets = 0;
  /** The first ones, with a blank between them. */
  uniqueIds = "";
  /** Messages whose unique-id is not told. */
  uniqueIdsLeftOut = 0;

  add(snapshot: Snapshot, number: MessageNumber): void {
    this.addMessage(snapshot.octetsOf(number), snapshot.uniqueIdOf(number));
  }

  /** @param uniqueId undefined where no session ever saw the message. */
  addMessage(octets: number, uniqueId: string | undefined): void {
    this.messages++;
    this.octets += octets;
    if (uniqueId === undefined || this.uniqueIdsLeftOut > 0) {
      this.uniqueIdsLeftOut++;
      return;
    }
    const longer = this.uniqueIds === "" ? uniqueId : `${this.uniqueIds} ${uniqueId}`;
    if (longer.length > MOST_CHARACTERS) this.uniqueIdsLeftOut++;
    else this.uniqueIds = longer;
  }
}
