/**
 * The SASL mechanism PLAIN (RFC 4616): one response, `[authzid] NUL authcid NUL passwd`, all UTF-8.
 *
 * Who may act as whom is not decided here: the authzid goes with the credentials. Names and passwords are
 * taken octet by octet, without SASLprep: a user file holds what its owner typed, and older clients send
 * what theirs typed.
 */

import { PASSWORD_OCTETS, USER_NAME_OCTETS } from "../../limits.ts";
import type { CheckPassword, LoginOutcome } from "../login.ts";
import type { Exchange, Mechanism, Step } from "../mechanism.ts";

/** The mechanism over a given check of credentials. */
export function plainMechanism(checkPassword: CheckPassword): Mechanism {
  return {
    name: "PLAIN",
    plaintext: true,
    start: (): Exchange => ({
      next(response) {
        // RFC 5034 §4: a client that sent no initial response is asked by an empty challenge.
        if (response === undefined) return { kind: "challenge", octets: new Uint8Array() };
        const credentials = parsePlain(response);
        return credentials === undefined
          ? { kind: "malformed" }
          : authenticate(credentials, checkPassword);
      },
    }),
  };
}

interface Credentials {
  /** "" where the client wants to be who it logs in as. */
  readonly authzid: string;
  readonly authcid: string;
  readonly password: Uint8Array;
}

/** RFC 4616 §2: exactly two NULs; authcid and passwd are not empty. Undefined for anything else. */
export function parsePlain(response: Uint8Array): Credentials | undefined {
  if (response.length > 2 * USER_NAME_OCTETS + PASSWORD_OCTETS + 2) return undefined;
  const first = response.indexOf(0);
  const second = response.indexOf(0, first + 1);
  if (first < 0 || second < 0 || response.indexOf(0, second + 1) >= 0) return undefined;
  const authzid = decodeUtf8(response.subarray(0, first));
  const authcid = decodeUtf8(response.subarray(first + 1, second));
  const password = response.subarray(second + 1);
  if (authzid === undefined || !authcid || !decodeUtf8(password)) return undefined;
  return { authzid, authcid, password };
}

function authenticate(
  { authzid, authcid, password }: Credentials,
  checkPassword: CheckPassword,
): Step | Promise<Step> {
  const done = (outcome: LoginOutcome): Step => ({ kind: "done", user: authcid, outcome });
  const outcome = checkPassword(authcid, password, authzid);
  return outcome instanceof Promise ? outcome.then(done) : done(outcome);
}

/** Undefined if the octets are no UTF-8. A byte order mark is kept: it is part of what was typed. */
function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
