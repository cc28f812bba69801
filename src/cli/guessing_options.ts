/** What the settings say against guessing, as the room auth takes it. */

import type { GuessingOptions } from "../auth/guessing/guessing_guard.ts";
import type { Settings } from "../settings.ts";

/** What the guard is to go by; a reload gives them to one that is kept. */
export function guessingOptions(settings: Settings): GuessingOptions {
  return {
    maxFailuresOfAddress: settings.maxFailedLoginsFromSingleAddress,
    maxFailuresOfAccount: settings.maxFailedLoginsPerUser,
    windowMs: settings.failedLoginWindowMs,
    blockMs: settings.failedLoginBlockMs,
    delayMs: settings.failedLoginDelayMs,
    neverBlocked: settings.neverBlockedAddresses,
  };
}
