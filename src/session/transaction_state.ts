/** What a session holds from login to its end, beside what holds in every state. */

import type { Marks } from "../maildrop/marks.ts";
import type { MessageNumber } from "../maildrop/message_number.ts";
import type { Maildrop, StoredMessage, UpdateOutcome } from "../maildrop/store.ts";
import type { Conversation } from "./conversation.ts";

export interface Transaction {
  readonly conversation: Conversation;
  readonly maildrop: Maildrop;
  readonly marks: Marks;
  /** Messages that were sent whole at least once: UPDATE makes them seen. */
  readonly retrieved: Set<MessageNumber>;
  readonly sent: { messages: number; octets: number; tops: number; topOctets: number };
  /** The message that is being sent, so that the end of the session closes it. */
  reading: StoredMessage | undefined;
  /** What UPDATE came to; undefined before QUIT, "under way" meanwhile. */
  update: UpdateOutcome | "under way" | undefined;
}
