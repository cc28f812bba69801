/**
 * Turns of sessions that have much to do, such as long pipelines or large messages.
 *
 * A session that has used up its turn waits in one line with all others that have; a few of them go on in
 * each turn of the event loop. So a command that comes alone waits for those few, and not for everybody who
 * is downloading or sends a hundred thousand commands at once. Files and sockets of a fast machine answer at
 * once: without a line one session could go on for ever, and a thousand would take a turn each before the
 * event loop comes round. So that a thousand who begin in the same moment do not either, what all do together
 * in a turn has a limit as well, beyond which only those go on who have nothing more to do after it.
 *
 * *Knows*: turns of the event loop. *Does not know*: sessions.
 */

import { setImmediate } from "node:timers";
import { SESSIONS_A_TURN, TURN_OCTETS_OF_ALL } from "../limits.ts";
import { FairLine } from "./fair_line.ts";

const line = new FairLine<() => void>();

/** What sessions have done since the event loop last came round, as far as is known, in octets. */
let doneOctets = 0;
let isNextTurnDue = false;

/**
 * Notes work of a session, in octets of output or what takes as long; true if all sessions together have done
 * enough for this turn of the event loop, so that whoever has more to do had better wait for another.
 */
export function haveDoneEnough(octets = 0): boolean {
  doneOctets += octets;
  if (doneOctets < TURN_OCTETS_OF_ALL) return false;
  // Only then, since where little is done nobody need know when the event loop comes round.
  askForNextTurn();
  return true;
}

/** Resolves when a session of a client from `address` may go on. */
export function nextTurn(address: string): Promise<void> {
  return new Promise((goOn) => {
    line.add(address, goOn);
    askForNextTurn();
  });
}

function askForNextTurn(): void {
  if (!isNextTurnDue) setImmediate(letSomeGoOn);
  isNextTurnDue = true;
}

function letSomeGoOn(): void {
  doneOctets = 0;
  isNextTurnDue = false;
  for (let count = 0; count < SESSIONS_A_TURN; count++) line.take()?.();
  if (line.length > 0) askForNextTurn();
}
