/**
 * What a client may log in with on its connection. It depends on the connection and the settings, and
 * never on the mailbox that is asked for ([MS-STANXPOP3] V0008 to V0010): USER is answered alike for
 * names that exist and names that do not.
 *
 * | login type               | without TLS                      | with TLS   |
 * | ------------------------ | -------------------------------- | ---------- |
 * | secure_login             | nothing                          | everything |
 * | plaintext_authentication | all mechanisms, not USER and PASS | everything |
 * | plaintext_login          | everything                       | everything |
 */

import type { Mechanism } from "../auth/mechanism.ts";
import type { Conversation } from "./conversation.ts";

export function userPassAllowed({ facts, services }: Conversation): boolean {
  return facts.tls || services.loginType === "plaintext_login";
}

/** The mechanisms that AUTH takes here and now, in the order that they are offered. */
export function allowedMechanisms({ facts, services }: Conversation): readonly Mechanism[] {
  const allowed = facts.tls || services.loginType !== "secure_login";
  return allowed ? services.mechanismsFor(facts.channel) : [];
}
