/**
 * AUTHENTICATE messages that are damaged in every way: each comes to an answer, and none to a login.
 *
 * A right message with a MIC is right as a whole, so whatever is changed in it must not let anybody in.
 * The seed is printed; POPKEEP_SEED=... in the environment runs the same cases again.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Mechanism } from "../../src/auth/mechanism.ts";
import { ntlmMechanism } from "../../src/auth/mechanisms/ntlm.ts";
import { authenticateMessage, negotiateMessage } from "../support/ntlm_client.ts";
import { NTLM_OPTIONS, NtlmDesk } from "../support/ntlm_desk.ts";

/** Fewer under Deno, whose HMAC takes several times as long; the executable is the other's. */
const MESSAGES = "Deno" in globalThis ? 20_000 : 100_000;

/** Messages between two turns of the event loop. */
const BATCH = 1_000;

const PASSWORD = "SecREt01";
const NEGOTIATE = negotiateMessage();

/** Numbers from 0 up to `below`, the same for the same seed (mulberry32). */
function diceOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Dice = ReturnType<typeof diceOf>;

/** One change of a message; a few of them may undo each other, which the caller has to see. */
function damage(message: Buffer, dice: Dice): Buffer {
  const at = dice(message.length || 1);
  const numbers = [0, 1, 2, 16, 24, 63, 64, 72, 87, 88, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff];
  const number = numbers[dice(numbers.length)]!;
  switch (dice(8)) {
    case 0: // one bit
      if (message.length > 0) message[at]! ^= 1 << dice(8);
      return message;
    case 1: // one octet
      if (message.length > 0) message[at] = dice(256);
      return message;
    case 2: // cut off
      return message.subarray(0, at);
    case 3: // something between
      return Buffer.concat([
        message.subarray(0, at),
        Buffer.alloc(dice(40), dice(256)),
        message.subarray(at),
      ]);
    case 4: // a piece twice
      return Buffer.concat([message, message.subarray(at)]);
    case 5: // the length or the offset of a field
      if (message.length < 64) return message;
      if (dice(2) === 0) message.writeUInt16LE(number & 0xffff, 12 + 8 * dice(6));
      else message.writeUInt32LE(number, 16 + 8 * dice(6));
      return message;
    case 6: // two octets where an AV pair may have its id or its length
      if (at + 2 <= message.length) message.writeUInt16LE(number & 0xffff, at);
      return message;
    default: // a piece lost
      return Buffer.concat([message.subarray(0, at), message.subarray(at + 1 + dice(20))]);
  }
}

async function answerTo(mechanism: Mechanism, message: Uint8Array): Promise<string> {
  const exchange = mechanism.start();
  await exchange.next(NEGOTIATE);
  const step = await exchange.next(message);
  return step.kind === "done" ? step.outcome.kind : step.kind;
}

test(`of ${MESSAGES} damaged messages each is answered and none lets anybody in`, {
  timeout: 120_000,
}, async () => {
  const seed = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const dice = diceOf(seed);
  const desk = new NtlmDesk({ alice: PASSWORD });
  const mechanism = ntlmMechanism(desk, NTLM_OPTIONS)!;
  const challenge = await mechanism.start().next(NEGOTIATE);
  assert.ok(challenge.kind === "challenge");
  const by = (password: string, mic: boolean) =>
    authenticateMessage(
      { user: "alice", password, domain: "EXAMPLE" },
      NEGOTIATE,
      challenge.octets,
      { mic },
    );
  const right = await by(PASSWORD, true);
  const wrong = await by("wrong", false);
  assert.equal(await answerTo(mechanism, right), "granted");

  const answers = new Map<string, number>();
  for (let count = 0; count < MESSAGES; count++) {
    const original = dice(4) === 0 ? wrong : right;
    let message: Buffer = Buffer.from(original);
    for (let changes = 1 + dice(3); changes > 0; changes--) message = damage(message, dice);
    if (message.equals(right)) continue;
    const answer = await answerTo(mechanism, message);
    if (answer !== "malformed" && answer !== "refused") {
      assert.fail(`${answer} to ${message.toString("hex")}`);
    }
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    desk.asked.length = 0;
    if (count % BATCH === 0) await setImmediate();
  }
  // Both happen often: the damage neither stays at the frame nor spares it.
  for (const answer of ["malformed", "refused"]) {
    assert.ok((answers.get(answer) ?? 0) > MESSAGES / 20, JSON.stringify([...answers]));
  }
  assert.equal(await answerTo(mechanism, right), "granted");
});
