/**
 * One message on its way into one Maildir: the folder is made where it is missing, and the message is there when
 * `finish` has returned, file and name on the disk. Before it nothing of it is seen by anybody.
 *
 * Who begins one finishes it or gives it up. What one that was killed leaves is a file in tmp/, which goes with
 * what is stale there.
 *
 * *Knows* Maildirs and that there are quotas. *Does not know* users, envelopes and protocols.
 */

import { type DeliveredMessage, IncomingMessage } from "../maildir/incoming_message.ts";
import { makeMaildir } from "../maildir/make_maildir.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { removeStaleFiles } from "../maildir/stale_files.ts";
import type { MailboxQuota } from "./mailbox_quota.ts";

const NO_QUOTA: Promise<void> = Promise.resolve();

/** Where a message goes. */
export interface DeliveryPlace {
  readonly disk: MailboxDisk;
  /** A folder above the Maildir that has to be there already. */
  readonly root: string;
  /** Time that a call to the disk gets, ms. */
  readonly timeoutMs: number;
  /** Longest message that is taken, octets in storage, with what is written before it. */
  readonly mostOctets: number;
  /** Whose quota there has to be room in, if any. */
  readonly quota?: MailboxQuota | undefined;
}

/** The message has more octets than are taken. Nothing of it was delivered. */
export class MessageTooLong extends Error {
  override readonly name = "MessageTooLong";
}

export class MessageDelivery {
  readonly #place: DeliveryPlace;
  readonly #incoming: IncomingMessage;

  private constructor(place: DeliveryPlace, incoming: IncomingMessage) {
    this.#place = place;
    this.#incoming = incoming;
  }

  /** @throws {StorageFailure} If nothing can be written there. */
  static async begin(place: DeliveryPlace): Promise<MessageDelivery> {
    await makeMaildir(place.disk, place);
    return new MessageDelivery(place, await IncomingMessage.begin(place.disk));
  }

  /**
   * Takes octets of the message, whose lines may end in LF or CRLF. After a failure it can only be given up.
   *
   * @throws {MessageTooLong}
   * @throws {StorageFailure}
   */
  async write(octets: Uint8Array): Promise<void> {
    const { mostOctets } = this.#place;
    await this.#incoming.write(octets);
    if (this.#incoming.storedOctets > mostOctets) {
      throw new MessageTooLong(`a message has at most ${mostOctets} octets here`);
    }
  }

  /**
   * Ends the message and puts it there. After a failure it is to be given up.
   *
   * @throws {OverQuota}
   * @throws {StorageFailure} If it could not be made sure that the message is there.
   */
  async finish(): Promise<DeliveredMessage> {
    const { quota } = this.#place;
    const delivered = await this.#incoming.deliver((octets) => quota?.check(octets) ?? NO_QUOTA);
    await quota?.delivered(delivered.storedOctets);
    await removeStaleFiles(this.#place.disk).catch(() => {});
    return delivered;
  }

  /** Leaves nothing of the message, where the disk allows. */
  async giveUp(): Promise<void> {
    await this.#incoming.giveUp();
  }
}
