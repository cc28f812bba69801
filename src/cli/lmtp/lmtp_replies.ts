/**
 * How a recipient is answered for what went wrong (RFC 3463). A mail system gives mail back to its sender for
 * 5xx, and tries 4xx again: so only what is the message's or the user's own is 5xx.
 *
 * *Knows*: what delivering throws. *Does not know*: connections.
 */

import { OverQuota } from "../../delivery/mailbox_quota.ts";
import { MessageTooLong } from "../../delivery/message_delivery.ts";
import { errnoOf } from "../../maildir/disk.ts";
import { StorageFailure } from "../../maildrop/store.ts";
import type { LmtpReply } from "../../net/lmtp/lmtp_services.ts";
import { ExitCode } from "../exit_codes.ts";
import { Failure } from "../failure.ts";
import { NO_ROOM, NO_SUCH_USER } from "../refusals.ts";

/** Why somebody is no recipient. */
export function recipientReply(error: unknown): LmtpReply {
  if (error instanceof Failure && error.exitCode === ExitCode.noUser) {
    return { code: 550, status: "5.1.1", text: NO_SUCH_USER };
  }
  return {
    code: 451,
    status: "4.3.0",
    text: "it cannot be told now where mail of this user goes, try again later",
  };
}

/** Why a recipient has not got the message. */
export function deliveryReply(error: unknown): LmtpReply {
  if (error instanceof MessageTooLong) {
    return { code: 552, status: "5.3.4", text: "the message is longer than is taken here" };
  }
  if (error instanceof OverQuota) {
    return {
      code: error.isFinal ? 552 : 452,
      status: error.isFinal ? "5.2.2" : "4.2.2",
      text: NO_ROOM,
    };
  }
  if (error instanceof StorageFailure) {
    const errno = errnoOf(error.cause);
    if (errno === "ENOSPC") return { code: 452, status: "4.3.1", text: "the disk is full" };
    // What the system lets this user have, not popkeep.
    if (errno === "EDQUOT") return { code: 452, status: "4.2.2", text: "there is no more room" };
    return {
      code: 451,
      status: "4.3.0",
      text: "the mailbox cannot be written now, try again later",
    };
  }
  return { code: 451, status: "4.3.0", text: "a fault in popkeep, see its log" };
}
