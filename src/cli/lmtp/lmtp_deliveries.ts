/**
 * What LMTP connections reach in a running server: recipients are users of its directories, mail goes where
 * theirs is, and the log tells who handed over what for whom.
 *
 * *Knows*: settings, directories, deliveries. *Does not know*: sockets.
 */

import { getLogger } from "@logtape/logtape";
import type { AccountDirectory } from "../../auth/directory.ts";
import {
  type Copy,
  type CopyOutcome,
  deliverToSeveral,
} from "../../delivery/deliver_to_several.ts";
import { fitsHeader } from "../../delivery/envelope.ts";
import { withoutMboxLine } from "../../delivery/mbox_line.ts";
import { MessageIdWatch } from "../../delivery/message_id.ts";
import { MailboxDisk } from "../../maildir/mailbox_disk.ts";
import type {
  LmtpClient,
  LmtpMessage,
  LmtpReply,
  LmtpServices,
} from "../../net/lmtp/lmtp_services.ts";
import type { Settings } from "../../settings.ts";
import { unquotedAddress } from "../../wire/mail_path.ts";
import { findUserPlace, type UserPlace } from "../delivery_place.ts";
import { deliveryReply, recipientReply } from "./lmtp_replies.ts";

const log = getLogger(["popkeep", "delivery"]);

/** Somebody who gets the message. */
interface Recipient extends UserPlace {
  /** As it was sent. */
  readonly address: string;
}

export class LmtpDeliveries implements LmtpServices<Recipient> {
  readonly #settings: Settings;
  readonly #directories: readonly AccountDirectory[];

  constructor(settings: Settings, directories: readonly AccountDirectory[]) {
    this.#settings = settings;
    this.#directories = directories;
  }

  async recipient(address: string, client: LmtpClient): Promise<Recipient | LmtpReply> {
    try {
      const user = unquotedAddress(address);
      return { address, ...await findUserPlace(user, this.#settings, this.#directories) };
    } catch (error) {
      const reply = recipientReply(error);
      const about = { ...client, recipient: address, reply: inWords(reply) };
      if (reply.code >= 500) log.info("recipient refused", about);
      else log.warning("recipient deferred", { ...about, error });
      return reply;
    }
  }

  async deliver(message: LmtpMessage<Recipient>): Promise<readonly LmtpReply[]> {
    const startedMs = performance.now();
    const { client, sender, recipients, octets } = message;
    const watch = new MessageIdWatch();
    let outcomes: readonly CopyOutcome[];
    try {
      outcomes = await deliverToSeveral(
        recipients.map((recipient) => this.#copyFor(recipient, sender)),
        watched(withoutMboxLine(octets).octets, watch),
      );
    } catch (error) {
      log.warning("message not whole", { ...client, sender, recipients: recipients.length, error });
      throw error;
    }
    const { messageId } = watch;
    const durationMs = Math.round(performance.now() - startedMs);
    return recipients.map(({ account: { user }, address }, index) => {
      const about = { ...client, user, recipient: address, sender, messageId };
      const outcome = outcomes[index]!;
      if ("delivered" in outcome) {
        const { fileName, storedOctets } = outcome.delivered;
        log.info("message delivered", {
          ...about,
          file: fileName,
          octets: storedOctets,
          durationMs,
        });
        return { code: 250, status: "2.0.0", text: `saved as ${fileName}` };
      }
      const reply = deliveryReply(outcome.failure);
      const error = outcome.failure;
      log.warning("message not delivered", { ...about, reply: inWords(reply), error, durationMs });
      return reply;
    });
  }

  #copyFor({ account, address, path, quota, root }: Recipient, sender: string): Copy {
    const { storageTimeoutMs: timeoutMs, maxReceiveOctets: mostOctets } = this.#settings;
    const recipient = fitsHeader(address) ? address : account.user;
    return {
      disk: new MailboxDisk(path, { timeoutMs }),
      root,
      timeoutMs,
      mostOctets,
      quota,
      envelope: { sender, recipient },
    };
  }
}

async function* watched(octets: AsyncIterable<Uint8Array>, watch: MessageIdWatch) {
  for await (const part of octets) {
    watch.push(part);
    yield part;
  }
}

function inWords({ code, status, text }: LmtpReply): string {
  return `${code} ${status} ${text}`;
}
