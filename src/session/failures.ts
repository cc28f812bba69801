/**
 * The one place that turns failures into replies. Three kinds are told apart by type: a message that is
 * gone (the session goes on), storage that failed (so it does, with a response code of RFC 3206), and
 * an exception that should not be (ours: it ends this one connection).
 */

import { MessageGone, StorageFailure } from "../maildrop/store.ts";
import type { Answer } from "./answer.ts";
import type { Conversation } from "./conversation.ts";
import type { Wording } from "./languages.ts";
import { FAULTS } from "./replies.ts";

/** What a failure is called towards the client, and whether the session can go on. */
export interface FailureReply {
  readonly wording: Wording;
  readonly code?: string;
  readonly fatal: boolean;
}

/**
 * Reports a failure to the operator's side and says what the client is told.
 *
 * @param doing For the log.
 * @param permanent What a failure is called that somebody has to mend.
 */
export function judgeFailure(
  conv: Conversation,
  doing: string,
  error: unknown,
  permanent: Wording = FAULTS.permanent,
): FailureReply {
  if (error instanceof MessageGone) return { wording: FAULTS.messageGone, fatal: false };
  if (error instanceof StorageFailure) {
    conv.events.storageFailed?.(doing, error);
    const wording = error.kind === "SYS/PERM" ? permanent : FAULTS.temporary;
    return { wording, code: error.kind, fatal: false };
  }
  conv.events.erred?.(error);
  return { wording: FAULTS.temporary, code: "SYS/TEMP", fatal: true };
}

/** The -ERR for a failure; as `judgeFailure`. */
export function answerFailure(
  conv: Conversation,
  doing: string,
  error: unknown,
  permanent?: Wording,
): Answer {
  const { wording, code, fatal } = judgeFailure(conv, doing, error, permanent);
  return conv.err(wording, code, fatal ? "close" : "read");
}
