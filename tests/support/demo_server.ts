/**
 * popkeep serving a copy of the demo mail, for clients that come over plain TCP, by STLS or under TLS
 * from the first octet; and what has to be true of the mailboxes and the downloads afterwards.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DEMO_USERS, demoMessages, type DemoUser, MAILDIRS, messagesIn } from "./demo_mail.ts";
import { PASSWORD, type RunningServer, startServer } from "./server.ts";

/** How a client comes to the server. */
export type Way = "plain" | "STLS" | "TLS";

export const WAYS: readonly Way[] = ["plain", "STLS", "TLS"];

export class DemoServer {
  readonly way: Way;
  /** The name in the certificate. */
  readonly host = "localhost";
  readonly port: number;
  readonly password = PASSWORD;
  /** The self-signed certificate, which clients are told to trust and no other. */
  readonly certificateFile: string;
  readonly running: RunningServer;

  constructor(way: Way, running: RunningServer) {
    this.way = way;
    this.running = running;
    this.port = way === "TLS" ? running.tlsPort : running.plainPort;
    this.certificateFile = join(running.folder, "certificate.pem");
  }

  /** The stored octets of a user's messages as they are now, in no order. */
  storedNow(user: DemoUser): string[] {
    const maildir = join(this.running.homeOf(user), "Maildir");
    return messagesIn(maildir).map(({ stored }) => stored.toString("latin1")).sort();
  }

  /** Delivers one more message. */
  deliver(user: DemoUser, content: string): void {
    this.running.maildir(user).deliver(content, "1900000000.M1P1.later");
  }
}

/**
 * Starts a server with the demo mail, for one way of coming. Where TLS is meant, a login without it is
 * refused: a client that gets in has proved that it used TLS.
 */
export async function withDemoServer(
  way: Way,
  use: (server: DemoServer) => Promise<void>,
): Promise<void> {
  const running = await startServer({
    users: DEMO_USERS,
    settings: `login_type = "${way === "plain" ? "plaintext_login" : "secure_login"}"`,
  });
  try {
    for (const user of DEMO_USERS) {
      mkdirSync(running.homeOf(user), { recursive: true });
      cpSync(join(MAILDIRS, user), join(running.homeOf(user), "Maildir"), { recursive: true });
    }
    await use(new DemoServer(way, running));
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nWhat the server logged:\n${running.log}`;
    throw error;
  } finally {
    await running.stop();
  }
}

/** Every message is still there with the octets it had; flags and folders may have changed. */
export function assertAllKept(server: DemoServer, user: DemoUser): void {
  const before = demoMessages(user).map(({ stored }) => stored.toString("latin1")).sort();
  assert.deepEqual(server.storedNow(user), before, `${user}'s mailbox is not what it was`);
}

export function assertAllDeleted(server: DemoServer, user: DemoUser): void {
  assert.deepEqual(server.storedNow(user), [], `${user}'s mailbox is not empty`);
}

/** What a client should have written down for a message of the demo mail. */
export interface Wanted {
  readonly path: string;
  readonly octets: Uint8Array;
}

/** All demo messages of a user, in order, as a client is known to keep them. */
export function wantedBy(user: DemoUser, keep: (canonical: Buffer) => Uint8Array): Wanted[] {
  return demoMessages(user).map(({ path, canonical }) => ({ path, octets: keep(canonical) }));
}

/** The downloads are the wanted ones: as many, in their order, octet by octet. */
export function assertDownloaded(got: readonly Buffer[], wanted: readonly Wanted[]): void {
  for (let i = 0; i < Math.min(got.length, wanted.length); i++) {
    const difference = firstDifference(got[i]!, Buffer.from(wanted[i]!.octets));
    if (difference !== undefined) assert.fail(`${wanted[i]!.path}: ${difference}`);
  }
  assert.equal(got.length, wanted.length, "the number of downloaded messages");
}

function firstDifference(got: Buffer, wanted: Buffer): string | undefined {
  if (got.equals(wanted)) return undefined;
  let at = 0;
  while (at < got.length && got[at] === wanted[at]) at++;
  const excerpt = (octets: Buffer) =>
    JSON.stringify(octets.subarray(Math.max(0, at - 30), at + 50).toString("latin1"));
  return `octet ${at} of ${wanted.length} differs (${got.length} octets came)\n` +
    `  came:   ${excerpt(got)}\n  wanted: ${excerpt(wanted)}`;
}
