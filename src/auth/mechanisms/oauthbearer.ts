/**
 * The SASL mechanism OAUTHBEARER (RFC 7628): a bearer token in one response, and a failure told as JSON.
 *
 * Host and port that a client names are not looked at: nothing here is decided by them.
 */

import type { Mechanism } from "../mechanism.ts";
import { bearerMechanism, type BearerOptions } from "./bearer_exchange.ts";
import { parseOauthBearer } from "./bearer_message.ts";

export function oauthbearerMechanism(options: BearerOptions): Mechanism {
  return bearerMechanism({
    name: "OAUTHBEARER",
    parse: parseOauthBearer,
    // RFC 7628 §3.2.2.
    describe: (fault, { scope, openidConfiguration }) => [
      ["status", fault],
      ["openid-configuration", openidConfiguration],
      ["scope", scope],
    ],
  }, options);
}
