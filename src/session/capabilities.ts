/**
 * CAPA (RFC 2449 §5): what works on this connection now, in both states alike, since clients that ask
 * only once, before or after login, must not miss anything. Turning TLS on is what changes it, and for EXPIRE the
 * login: users may differ.
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
  const { facts: { tls, stlsPossible }, services } = conversation;
  if (stlsPossible && !tls) lines.push("STLS");
  lines.push(`EXPIRE ${services.expires?.(conversation.account) ?? "NEVER"}`);
  // USER: names and passwords may be UTF-8 (RFC 6856 §2.2).
  lines.push("UTF8 USER", "LANG");
  lines.push(`IMPLEMENTATION ${services.implementation}`);
  return lines.map(fit);
}
