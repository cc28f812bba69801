/**
 * Messages whose header holds octets above 127, asked for before UTF8 (RFC 6856 §2.1, §4, §5).
 *
 * The RFC lets a server refuse them with [UTF8], or send a rewritten surrogate, and forbids sending
 * them as they are. Here they are sent as they are, unless the settings say "refuse": nearly no client
 * says UTF8, raw 8-bit headers are common in mail, and a refusal hides the message from its owner for
 * good. A surrogate would be deleted in place of the original by any client that leaves nothing on the
 * server, and its size would not be LIST's. Both lose mail, which is worse than octets that every
 * server has sent since before there was an RFC for them.
 */

import { READ_CHUNK_OCTETS } from "../limits.ts";
import type { MessageNumber } from "../maildrop/message_number.ts";
import type { Maildrop } from "../maildrop/store.ts";
import { Canonicaliser } from "../message/canonical.ts";
import { HeaderScan } from "../message/header_scan.ts";
import type { Conversation } from "./conversation.ts";

/** Whether messages with such headers are refused on this connection now. */
export function refusesEightBitHeaders({ utf8, services }: Conversation): boolean {
  return services.eightBitHeaders === "refuse" && !utf8;
}

/**
 * Whether a message's header holds octets above 127. Costs reading the header.
 *
 * @throws What opening and reading the message throws.
 */
export async function hasEightBitHeader(
  maildrop: Maildrop,
  number: MessageNumber,
): Promise<boolean> {
  const stored = await maildrop.open(number);
  const scratch = new Uint8Array(new ArrayBuffer(READ_CHUNK_OCTETS));
  try {
    const canonicaliser = new Canonicaliser();
    const scan = new HeaderScan();
    while (!scan.over) {
      const chunk = await stored.read(scratch);
      if (chunk === undefined) break;
      scan.push(canonicaliser.push(chunk));
    }
    return scan.eightBit;
  } finally {
    await stored.close();
  }
}
