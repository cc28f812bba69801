/**
 * Delivers one message into one Maildir: makes the folder where it is missing, writes the envelope and the
 * message, and is done when both are on the disk.
 *
 * *Knows* Maildirs and envelopes. *Does not know* users, protocols and quotas.
 */

import { type DeliveredMessage, IncomingMessage } from "../maildir/incoming_message.ts";
import { makeMaildir } from "../maildir/make_maildir.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { removeStaleFiles } from "../maildir/stale_files.ts";
import { type Envelope, envelopeLines } from "./envelope.ts";

export interface Delivery {
  readonly disk: MailboxDisk;
  /** A folder above the Maildir that has to be there already. */
  readonly root: string;
  /** Time that a call to the disk gets, ms. */
  readonly timeoutMs: number;
  /** Asked for when the first octets of the message have come. */
  readonly envelope: () => Envelope;
  readonly message: AsyncIterable<Uint8Array>;
  /** Longest message that is taken, octets in storage, with what is written before it. */
  readonly mostOctets: number;
}

/** The message has more octets than are taken. Nothing of it was delivered. */
export class MessageTooLong extends Error {
  override readonly name = "MessageTooLong";
}

/** There was no octet of a message: whoever was to hand it over did not. Nothing was delivered. */
export class NoMessage extends Error {
  override readonly name = "NoMessage";
}

/**
 * @throws {MessageTooLong}
 * @throws {NoMessage}
 * @throws {StorageFailure} If it could not be made sure that the message is there.
 * @throws What reading the message throws.
 */
export async function deliverMessage(delivery: Delivery): Promise<DeliveredMessage> {
  const { disk, envelope, message, mostOctets } = delivery;
  await makeMaildir(disk, delivery);
  const incoming = await IncomingMessage.begin(disk);
  try {
    let isBegun = false;
    for await (const octets of message) {
      if (!isBegun) await incoming.write(envelopeLines(envelope()));
      isBegun = true;
      await incoming.write(octets);
      if (incoming.storedOctets > mostOctets) {
        throw new MessageTooLong(`a message has at most ${mostOctets} octets here`);
      }
    }
    if (!isBegun) throw new NoMessage("there was no message to deliver, not one octet");
    const delivered = await incoming.deliver();
    await removeStaleFiles(disk).catch(() => {});
    return delivered;
  } catch (error) {
    await incoming.giveUp();
    throw error;
  }
}
