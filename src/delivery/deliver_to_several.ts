/**
 * Delivers one message into several Maildirs as it comes: it is read once, and of each recipient's copy no more
 * is in memory than is written at a time.
 *
 * A recipient whose disk fails, or does not answer in its time, is left behind, and the others go on. So is one
 * whose disk is slow and has held up the others for as long as a call may take, all in all: alone it may take its
 * time, when the mail system tries again. Who has an outcome without a fault has the message on the disk. Where the process is killed some have it and nobody was told: then it comes once more to them.
 *
 * *Knows* envelopes. *Does not know* users, protocols and quotas.
 */

import type { DeliveredMessage } from "../maildir/incoming_message.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { type Envelope, envelopeLines } from "./envelope.ts";
import { type DeliveryPlace, MessageDelivery } from "./message_delivery.ts";
import { withHeaderEnd } from "./missing_header.ts";

export interface Copy extends DeliveryPlace {
  readonly envelope: Envelope;
}

/** What became of one copy. */
export type CopyOutcome =
  | { readonly delivered: DeliveredMessage }
  /** What `MessageDelivery` threw. Nothing is there of it, or nobody can be sure that it is. */
  | { readonly failure: unknown };

/**
 * One outcome for each copy, in their order, when all of the message was read and every copy has one.
 *
 * @throws What reading the message throws; then there is no copy anywhere.
 */
export async function deliverToSeveral(
  copies: readonly Copy[],
  message: AsyncIterable<Uint8Array>,
): Promise<readonly CopyOutcome[]> {
  const all = copies.map((copy) => new CopyUnderWay(copy));
  const each = async (step: (copy: CopyUnderWay) => Promise<void>) => {
    await Promise.all(all.map((copy) => copy.does(() => step(copy))));
  };
  await each((copy) => copy.begin());
  try {
    for await (const octets of withHeaderEnd(message)) {
      await each((copy) => copy.write(octets));
      await leaveBehindSlow(all);
    }
  } catch (error) {
    await each((copy) => copy.giveUp());
    throw error;
  }
  await each((copy) => copy.finish());
  return all.map(({ outcome }) => outcome!);
}

/** Has each answer for how much longer it took than the fastest one. */
async function leaveBehindSlow(all: readonly CopyUnderWay[]): Promise<void> {
  const going = all.filter(({ outcome }) => outcome === undefined);
  const fastestMs = Math.min(...going.map(({ lastStepMs }) => lastStepMs));
  for (const copy of going) await copy.heldUpOthers(copy.lastStepMs - fastestMs);
}

class CopyUnderWay {
  outcome: CopyOutcome | undefined;
  lastStepMs = 0;
  readonly #copy: Copy;
  #delivery: MessageDelivery | undefined;
  #heldUpMs = 0;

  constructor(copy: Copy) {
    this.#copy = copy;
  }

  /** Takes a step, unless it has come to an end already. Never rejects. */
  async does(step: () => Promise<void>): Promise<void> {
    if (this.outcome !== undefined) return;
    const startedMs = performance.now();
    try {
      await step();
      this.lastStepMs = performance.now() - startedMs;
    } catch (failure) {
      this.outcome = { failure };
      await this.#delivery?.giveUp();
    }
  }

  async heldUpOthers(ms: number): Promise<void> {
    this.#heldUpMs += ms;
    const { disk, timeoutMs } = this.#copy;
    if (this.#heldUpMs <= timeoutMs) return;
    const why = `"${disk.path}" has held up the other recipients of a message for ${timeoutMs} ms`;
    await this.does(() => Promise.reject(new StorageFailure("SYS/TEMP", why)));
  }

  async begin(): Promise<void> {
    this.#delivery = await MessageDelivery.begin(this.#copy);
    await this.#delivery.write(envelopeLines(this.#copy.envelope));
  }

  async write(octets: Uint8Array): Promise<void> {
    await this.#delivery!.write(octets);
  }

  async finish(): Promise<void> {
    this.outcome = { delivered: await this.#delivery!.finish() };
  }

  async giveUp(): Promise<void> {
    await this.#delivery?.giveUp();
  }
}
