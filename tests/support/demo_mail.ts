/**
 * The demo mail in `maildirs/`: what messages there are, a copy to serve, and what each message is on
 * the wire, worked out here octet by octet so that tests need not believe the code they test.
 *
 * *Knows*: the layout of a Maildir. *Does not know*: anything of `src/`.
 * Invariant: nothing here writes to `maildirs/`.
 */

import { Buffer } from "node:buffer";
import { cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const MAILDIRS = fileURLToPath(new URL("../../maildirs", import.meta.url));

export const DEMO_USERS = ["alice", "bob", "carol"] as const;
export type DemoUser = typeof DEMO_USERS[number];

/** A message file of a demo mailbox, in the order of `demoMessages`. */
export interface DemoMessage {
  /** Path from the user's Maildir: `cur/1712563201.M118203P4101.skerry:2,S`. */
  readonly path: string;
  /** The file's octets. */
  readonly stored: Buffer;
  /** What RETR has to give, before byte-stuffing. */
  readonly canonical: Buffer;
}

/** The messages of a user's maildrop: the files of new/ and cur/ whose names begin with no dot. */
export function demoMessages(user: DemoUser, maildirs = MAILDIRS): DemoMessage[] {
  const messages: DemoMessage[] = [];
  for (const folder of ["new", "cur"]) {
    for (const name of readdirSync(join(maildirs, user, folder)).sort()) {
      if (name.startsWith(".")) continue;
      const stored = readFileSync(join(maildirs, user, folder, name));
      messages.push({ path: `${folder}/${name}`, stored, canonical: canonicalOctets(stored) });
    }
  }
  return messages;
}

/** Copies the demo Maildirs to a new temporary folder and returns its path; the caller removes it. */
export function copyMaildirs(): string {
  const copy = mkdtempSync(join(tmpdir(), "popkeep-demo-mail-"));
  for (const user of DEMO_USERS) {
    cpSync(join(MAILDIRS, user), join(copy, user), { recursive: true });
  }
  return copy;
}

const LF = 0x0a;
const CR = 0x0d;

/**
 * A stored message as it is sent: every line ends with CRLF, the last one too; a CR without LF and a
 * NUL stay as they are; a message of no octets has no lines.
 */
export function canonicalOctets(stored: Uint8Array): Buffer {
  const octets: number[] = [];
  let previous = -1;
  for (const octet of stored) {
    if (octet === LF && previous !== CR) octets.push(CR);
    octets.push(octet);
    previous = octet;
  }
  if (previous !== -1 && previous !== LF) octets.push(CR, LF);
  return Buffer.from(octets);
}
