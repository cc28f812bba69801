/**
 * The mechanism XOAUTH2, which Google made and Microsoft took over: no RFC, but what most clients have.
 *
 * A failure is refused at once, as Exchange Online does. Google tells of it in a challenge of JSON first,
 * which Thunderbird takes for success: it goes on with STAT and complains that STAT failed
 * (Pop3Client.sys.mjs, _actionAuthResponse). What the challenge would say, clients have by configuration.
 */

import type { Mechanism } from "../mechanism.ts";
import { bearerMechanism, type BearerOptions } from "./bearer_exchange.ts";
import { parseXoauth2 } from "./bearer_message.ts";

export function xoauth2Mechanism(options: BearerOptions): Mechanism {
  return bearerMechanism({ name: "XOAUTH2", parse: parseXoauth2 }, options);
}
