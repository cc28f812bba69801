/**
 * Header lines that an export puts before a message: its unique-id, which import-uids and other servers read, and for
 * mbox files what Maildir has in names of files, as mutt, Dovecot and c-client read it.
 *
 * *Knows*: header lines. *Does not know*: where they go.
 */

import { Buffer } from "node:buffer";
import type { ListedMessage } from "../maildir/list_messages.ts";

/** Flags of Maildir, and letters of X-Status. */
const X_STATUS = [["R", "A"], ["F", "F"], ["T", "D"], ["D", "T"]] as const;

export interface HeaderChoice {
  readonly xUidl?: boolean;
  readonly status?: boolean;
}

/** The lines, each with its end; "" for none. @param first what the message begins with, which tells line ends. */
export function addedHeader(
  { flags, folder, uniqueId }: ListedMessage,
  first: Uint8Array | undefined,
  { status = false, xUidl = false }: HeaderChoice,
): string {
  const lines: string[] = [];
  if (xUidl && uniqueId !== undefined) lines.push(`X-UIDL: ${uniqueId}`);
  if (status) {
    const letters = `${flags.includes("S") ? "R" : ""}${folder === "cur" ? "O" : ""}`;
    if (letters !== "") lines.push(`Status: ${letters}`);
    const others = X_STATUS.filter(([flag]) => flags.includes(flag)).map(([, letter]) => letter);
    if (others.length > 0) lines.push(`X-Status: ${others.join("")}`);
  }
  const octets = Buffer.from(first ?? []);
  const lineFeed = octets.indexOf(0x0a);
  const end = lineFeed > 0 && octets[lineFeed - 1] === 0x0d ? "\r\n" : "\n";
  return lines.map((line) => line + end).join("");
}
