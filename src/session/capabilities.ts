/**
 * CAPA (RFC 2449 §5): what works on this connection now, in both states alike, since clients that ask
 * only once, before or after login, must not miss anything. Turning TLS on is what changes it.
 */

import { fit } from "../wire/reply.ts";
import type { Conversation } from "./conversation.ts";
import { allowedMechanisms, userPassAllowed } from "./login_policy.ts";

/** The lines of the capability list. */
export function capabilities(conversation: Conversation): string[] {
  const lines = ["TOP", "UIDL"];
  if (userPassAllowed(conversation)) lines.push("USER");
  const mechanisms = allowedMechanisms(conversation);
  if (mechanisms.length > 0) lines.push(`SASL ${mechanisms.map(({ name }) => name).join(" ")}`);
  lines.push("RESP-CODES", "AUTH-RESP-CODE", "PIPELINING");
  const { tls, stlsPossible } = conversation.facts;
  if (stlsPossible && !tls) lines.push("STLS");
  // Messages stay until the user removes them. USER: names and passwords may be UTF-8 (RFC 6856 §2.2).
  lines.push("EXPIRE NEVER", "UTF8 USER", "LANG");
  lines.push(`IMPLEMENTATION ${conversation.services.implementation}`);
  return lines.map(fit);
}
