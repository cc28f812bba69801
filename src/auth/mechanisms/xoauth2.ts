/**
 * The mechanism XOAUTH2, which Google made and Microsoft took over: no RFC, but what most clients have.
 *
 * A failure is told in Google's form, as JSON with an HTTP status. Exchange refuses at once instead;
 * clients that were made for that take the challenge for the refusal, which it is.
 */

import type { Mechanism } from "../mechanism.ts";
import type { TokenFault } from "../oauth/token_check.ts";
import { bearerMechanism, type BearerOptions } from "./bearer_exchange.ts";
import { parseXoauth2 } from "./bearer_message.ts";

/** RFC 6750 §3.1. */
const HTTP_STATUS: Readonly<Record<TokenFault, string>> = {
  invalid_request: "400",
  invalid_token: "401",
  insufficient_scope: "403",
};

export function xoauth2Mechanism(options: BearerOptions): Mechanism {
  return bearerMechanism({
    name: "XOAUTH2",
    parse: parseXoauth2,
    describe: (fault, { scope }) => [
      ["status", HTTP_STATUS[fault]],
      ["schemes", "bearer"],
      ["scope", scope],
    ],
  }, options);
}
