/**
 * Runs the exchange of a mechanism with responses that may be anything, and holds it to what every mechanism
 * has to do: an end after few steps, challenges that fit on a line, and a login settled once at most.
 */

import assert from "node:assert/strict";
import type { Mechanism, Step } from "../../src/auth/mechanism.ts";
import { SASL_LINE_OCTETS } from "../../src/limits.ts";

/** More than any mechanism needs. */
const MOST_STEPS = 16;

export interface Ended {
  readonly granted: boolean;
  /** It gave up, or broke the rules, when its proof had been found right. */
  readonly provedBeforeItLeft: boolean;
  /** The steps that the exchange gave. */
  readonly steps: readonly Step[];
  /** The responses that it took, the absent one left out. */
  readonly taken: readonly Uint8Array[];
}

export async function runExchange(
  mechanism: Mechanism,
  responses: readonly (Uint8Array | undefined)[],
): Promise<Ended> {
  const exchange = mechanism.start();
  const steps: Step[] = [];
  const taken: Uint8Array[] = [];
  for (const [index, response] of responses.entries()) {
    // Only the initial response may be absent.
    const given = index === 0 || response !== undefined ? response : new Uint8Array();
    // What comes from a socket is lent.
    const lent = given && Uint8Array.from(given);
    if (given !== undefined) taken.push(given);
    const step = await exchange.next(lent);
    lent?.fill(0x55);
    steps.push(step);
    assert.ok(steps.length <= MOST_STEPS, "the exchange has no end");
    if (step.kind !== "challenge") break;
    assert.ok(
      Math.ceil(step.octets.length / 3) * 4 + 4 <= SASL_LINE_OCTETS,
      "a challenge too long",
    );
  }
  const last = steps.at(-1);
  const done = last?.kind === "done" ? last : undefined;
  const abandoned = done === undefined ? exchange.abandon?.() ?? undefined : undefined;
  if (done === undefined) {
    assert.equal(
      exchange.abandon?.() ?? undefined,
      undefined,
      "what is abandoned twice ends twice",
    );
  }
  return {
    granted: done?.outcome.kind === "granted",
    provedBeforeItLeft: abandoned?.outcome.kind === "granted",
    steps,
    taken,
  };
}
