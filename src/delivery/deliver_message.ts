/**
 * Delivers one message into one Maildir: writes the envelope and the message, and is done when both are on the
 * disk.
 *
 * *Knows* envelopes. *Does not know* users, protocols and quotas.
 */

import type { DeliveredMessage } from "../maildir/incoming_message.ts";
import { type Envelope, envelopeLines } from "./envelope.ts";
import { type DeliveryPlace, MessageDelivery } from "./message_delivery.ts";
import { withHeaderEnd } from "./missing_header.ts";

export interface Delivery extends DeliveryPlace {
  /** Asked for when the first octets of the message have come. */
  readonly envelope: () => Envelope;
  readonly message: AsyncIterable<Uint8Array>;
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
  const { envelope, message } = delivery;
  const begun = await MessageDelivery.begin(delivery);
  try {
    let hasCome = false;
    for await (const octets of withHeaderEnd(message)) {
      if (!hasCome) await begun.write(envelopeLines(envelope()));
      hasCome = true;
      await begun.write(octets);
    }
    if (!hasCome) throw new NoMessage("there was no message to deliver, not one octet");
    return await begun.finish();
  } catch (error) {
    await begun.giveUp();
    throw error;
  }
}
