/**
 * Names for messages that are delivered: `SECONDS.MmicrosecondsPprocessQnumberRrandom.HOST`, as Maildir's
 * deliverers agree on. Seconds and microseconds are those of Dovecot's names, by which messages are in
 * order; what is random keeps two containers apart that have one host name and one process number.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import process from "node:process";

/** What a name takes at most, octets; the host's name is cut to leave room for sizes and flags. */
const HOST_OCTETS = 64;

const RANDOM_OCTETS = 6;

let delivered = 0;
let lastMicroseconds = 0;

/** A name that no other message has or gets. Later ones of this process sort behind earlier ones. */
export function deliveredName(nowMs = Date.now()): string {
  // The clock may tell the same twice, or go back; order within a process stays.
  lastMicroseconds = Math.max(Math.floor(nowMs * 1_000), lastMicroseconds + 1);
  const seconds = Math.floor(lastMicroseconds / 1_000_000);
  const rest = String(lastMicroseconds % 1_000_000).padStart(6, "0");
  const random = randomBytes(RANDOM_OCTETS).toString("hex");
  return `${seconds}.M${rest}P${process.pid}Q${++delivered}R${random}.${hostPart(hostname())}`;
}

/** A host's name as part of a file's: "/" and ":" mean something there, "," begins a size (maildir(5)). */
export function hostPart(host: string): string {
  const safe = host.replace(/[^A-Za-z0-9._-]/gu, (character) =>
    [...Buffer.from(character, "utf8")]
      .map((octet) => `\\${octet.toString(8).padStart(3, "0")}`).join(""));
  return safe.slice(0, HOST_OCTETS) || "localhost";
}

/** The same name with the sizes that it is to tell: octets of the file, and with CRLF line ends. */
export function withSizes(name: string, storedOctets: number, exactOctets: number): string {
  return `${name},S=${storedOctets},W=${exactOctets}`;
}
