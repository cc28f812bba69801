/**
 * The tests that every client which remembers unique-ids has to pass: all demo messages come octet by
 * octet, none comes twice, a new one comes once, and deleting empties the mailbox.
 *
 * *Knows*: what is wanted of a download. *Does not know*: how a client is run; its test file says that.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DEMO_USERS, type DemoMessage, demoMessages, type DemoUser } from "./demo_mail.ts";
import {
  assertAllDeleted,
  assertAllKept,
  assertDownloaded,
  type DemoServer,
  type Way,
  withDemoServer,
} from "./demo_server.ts";
import { clientTest, Inbox } from "./real_client.ts";

/** One run of a client: it downloads into the inbox what is new to it. */
export interface Visit {
  readonly server: DemoServer;
  /** The client's home, the same for all visits of a test. */
  readonly folder: string;
  readonly user: DemoUser;
  readonly inbox: Inbox;
  readonly mode: "keep" | "delete";
}

export interface RealClient {
  readonly name: string;
  /** Commands that have to be there. */
  readonly commands: readonly string[];
  readonly ways: readonly Way[];
  /** Fails if the client says that anything went wrong. */
  readonly download: (visit: Visit) => Promise<void>;
  /** What the client, by itself, makes of messages: their octets as it delivers them. */
  readonly makes: (canonical: readonly Buffer[], visit: Visit) => Promise<Buffer[]> | Buffer[];
  /** Messages that the client cannot download and keep on the server, and leaves alone. */
  readonly leaves?: (canonical: Buffer) => boolean;
  /** Takes out of a delivered message what the client put in and `makes` cannot foresee. */
  readonly without?: (delivered: Buffer) => Buffer;
}

const LATER = "Subject: one more\n\nHello again.\n";

/** Declares the tests of one client. */
export function testClient(client: RealClient): void {
  for (const way of client.ways) {
    clientTest(
      client.commands,
      `${client.name} over ${way}: every demo message comes octet by octet, none twice, a new one once`,
      (folder) => withDemoServer(way, (server) => keepAndComeBack(client, server, folder)),
    );
  }
  const way = client.ways.includes("STLS") ? "STLS" : "TLS";
  clientTest(
    client.commands,
    `${client.name} over ${way}: messages that it deletes are gone, having come octet by octet`,
    (folder) => withDemoServer(way, (server) => deleteAll(client, server, folder)),
  );
}

async function keepAndComeBack(client: RealClient, server: DemoServer, folder: string) {
  for (const user of DEMO_USERS) {
    const inbox = new Inbox(folder);
    const visit: Visit = { server, folder, user, inbox, mode: "keep" };
    const count = wantedOf(client, visit).length;
    await client.download(visit);
    await assertInbox(client, visit);
    await client.download(visit);
    assert.equal(inbox.messages().length, count, "messages after the second visit");
    assertAllKept(server, user);
    server.deliver(user, LATER);
    await client.download(visit);
    assert.equal(inbox.messages().length, count + 1, "messages after the third visit");
    await assertInbox(client, visit, Buffer.from(LATER.replaceAll("\n", "\r\n")));
  }
}

async function deleteAll(client: RealClient, server: DemoServer, folder: string) {
  for (const user of DEMO_USERS) {
    const visit: Visit = { server, folder, user, inbox: new Inbox(folder), mode: "delete" };
    await client.download(visit);
    await assertInbox(client, visit);
    assertAllDeleted(server, user);
  }
}

/** The demo messages that the visits are to bring. */
function wantedOf(client: RealClient, { user, mode }: Visit): DemoMessage[] {
  const leaves = mode === "keep" ? client.leaves : undefined;
  return demoMessages(user).filter(({ canonical }) => !leaves?.(canonical));
}

/** The inbox holds the user's demo messages and the later ones, in order. */
async function assertInbox(client: RealClient, visit: Visit, ...later: Buffer[]): Promise<void> {
  const demo = wantedOf(client, visit);
  const canonical = [...demo.map((message) => message.canonical), ...later];
  const made = await client.makes(canonical, visit);
  const wanted = made.map((octets, i) => ({ path: demo[i]?.path ?? "the new message", octets }));
  const without = client.without ?? ((delivered: Buffer) => delivered);
  assertDownloaded(visit.inbox.messages().map(without), wanted);
}

/** What a client does that writes local line ends, as the system's mail programs expect them. */
export function withLocalLineEnds(canonical: Buffer): Buffer {
  return Buffer.from(canonical.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
}
