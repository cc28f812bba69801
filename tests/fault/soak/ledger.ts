/**
 * What became of every message of one mailbox, as far as those who used it know, for as long as a soak runs:
 * held against what clients are told, and against what is on the disk.
 *
 * Each message carries a token in its content. What does not fit is not thrown but noted, by kind, with
 * the history of the mailbox: a soak goes on and tells of all of it in the end.
 *
 * *Knows* what was done and told. *Does not know* the protocol or the Maildir.
 */

import { createHash } from "node:crypto";

/** What must not happen, each a column of the report. */
export const LOSSES = [
  "message lost",
  "message back that was removed",
  "unique-id of two messages",
  "message of two unique-ids",
  "octets not as delivered",
  "message not shown",
  "connection lost without a cause",
  "answer that nobody expects",
] as const;

export type Loss = (typeof LOSSES)[number];

export interface Finding {
  readonly loss: Loss;
  readonly what: string;
}

interface Known {
  readonly digest: string;
  /** Marked in a session whose QUIT was sent, or removed by others: may be gone. */
  mayBeGone: boolean;
  /** Marked in a session whose QUIT was answered +OK: must be gone. */
  mustBeGone: boolean;
  id?: string;
}

/** Events that are kept of one mailbox. */
const MOST_EVENTS = 5_000;

/** Events that are told of one finding. */
const TOLD_EVENTS = 40;

export class Ledger {
  readonly findings: Finding[] = [];
  readonly #mailbox: string;
  readonly #messages = new Map<string, Known>();
  readonly #tokenOfId = new Map<string, string>();
  readonly #events: string[] = [];

  constructor(mailbox: string) {
    this.#mailbox = mailbox;
  }

  note(event: string): void {
    this.#events.push(`${new Date().toISOString()} ${event}`);
    if (this.#events.length > MOST_EVENTS) this.#events.splice(0, MOST_EVENTS / 2);
  }

  find(loss: Loss, what: string): void {
    this.note(`FOUND ${loss}: ${what}`);
    this.findings.push({ loss, what: `${this.#mailbox}: ${what}` });
  }

  /** What was noted last of a message, or of the whole mailbox. */
  historyOf(text: string): string[] {
    return this.#events.filter((event) => event.includes(text)).slice(-TOLD_EVENTS);
  }

  /** Called before the message can be seen. */
  delivered(token: string, octets: Uint8Array): void {
    this.#messages.set(token, {
      digest: digestOf(octets),
      mayBeGone: false,
      mustBeGone: false,
    });
    this.note(`delivered ${token}`);
  }

  /** Called before others than popkeep remove it. */
  removedByOthers(token: string): void {
    this.note(`removed by others: ${token}`);
    const known = this.#messages.get(token);
    if (known !== undefined) known.mayBeGone = true;
  }

  tokenOf(id: string): string | undefined {
    return this.#tokenOfId.get(id);
  }

  /** Whether nobody has begun to remove a message. */
  isCertain(token: string): boolean {
    return this.#messages.get(token)?.mayBeGone === false;
  }

  /** A client retrieved this under this id. Returns its token. */
  retrieved(id: string, octets: Uint8Array, token: string | undefined): void {
    const known = token === undefined ? undefined : this.#messages.get(token);
    if (token === undefined || known === undefined) {
      return this.find("octets not as delivered", `${id} is no message that was delivered`);
    }
    if (known.digest !== digestOf(octets)) {
      this.find("octets not as delivered", `${token} under ${id}, ${octets.length} octets`);
    }
    const former = this.#tokenOfId.get(id);
    if (former !== undefined && former !== token) {
      this.find("unique-id of two messages", `${id} of ${former} and of ${token}`);
    }
    if (known.id !== undefined && known.id !== id) {
      this.find("message of two unique-ids", `${token} under ${known.id} and ${id}`);
    }
    if (former === undefined) this.note(`${token} is shown as ${id}`);
    this.#tokenOfId.set(id, token);
    known.id = id;
  }

  quitSent(tokens: readonly string[], who: string): void {
    for (const token of tokens) {
      this.note(`${who} says QUIT with ${token} marked`);
      this.#messages.get(token)!.mayBeGone = true;
    }
  }

  quitAnswered(tokens: readonly string[], who: string): void {
    for (const token of tokens) {
      this.note(`${who} is told that ${token} is removed`);
      this.#messages.get(token)!.mustBeGone = true;
    }
  }

  /** Compares with all that is on the disk while nobody does anything. */
  checkDisk(present: ReadonlySet<string>): void {
    for (const [token, known] of this.#messages) {
      if (known.mustBeGone && present.has(token)) {
        this.find("message back that was removed", token);
      }
      if (!known.mayBeGone && !present.has(token)) this.find("message lost", token);
    }
    for (const token of present) {
      if (!this.#messages.has(token)) this.find("octets not as delivered", `what is ${token}?`);
    }
    this.#forget(present);
  }

  /** What is gone and was never told to anybody need not be kept for ever; what was told is. */
  #forget(present: ReadonlySet<string>): void {
    for (const [token, known] of this.#messages) {
      if (known.mayBeGone && known.id === undefined && !present.has(token)) {
        this.#messages.delete(token);
      }
    }
  }
}

function digestOf(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}
