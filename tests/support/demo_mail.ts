/**
 * The demo mail in `maildirs/`: what messages there are, and what each is on the wire, worked out here
 * octet by octet so that tests need not believe the code they test.
 *
 * *Knows*: the layout of a Maildir. *Does not know*: anything of `src/`.
 * Invariant: nothing here writes to `maildirs/`.
 */

import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const MAILDIRS = fileURLToPath(new URL("../../maildirs", import.meta.url));

export const DEMO_USERS = ["alice", "bob", "carol"] as const;
export type DemoUser = typeof DEMO_USERS[number];

/** A message file of a Maildir. */
export interface DemoMessage {
  /** Path from the Maildir: `cur/1712563201.M118203P4101.skerry:2,S`. */
  readonly path: string;
  /** The file's octets. */
  readonly stored: Buffer;
  /** What RETR has to give, before byte-stuffing. */
  readonly canonical: Buffer;
}

/** The messages of a demo user's maildrop, oldest first. */
export function demoMessages(user: DemoUser): DemoMessage[] {
  return messagesIn(join(MAILDIRS, user));
}

/**
 * The messages of a Maildir: the files of new/ and cur/ whose names begin with no dot, by time of
 * delivery, which is what their names begin with.
 */
export function messagesIn(maildir: string): DemoMessage[] {
  const paths = ["new", "cur"].flatMap((folder) =>
    readdirSync(join(maildir, folder)).filter((name) => !name.startsWith("."))
      .map((name) => `${folder}/${name}`)
  );
  paths.sort((a, b) => a.slice(4) < b.slice(4) ? -1 : 1);
  return paths.map((path) => {
    const stored = readFileSync(join(maildir, path));
    return { path, stored, canonical: canonicalOctets(stored) };
  });
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
