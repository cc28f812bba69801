/**
 * Clients of all sorts, each a session from login to its end, which tell the mailbox's ledger what they were
 * told. What breaks is thrown, and judged by who started the session.
 *
 * *Knows* the protocol. *Does not know* who else is at the mailbox.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Pop3Client } from "../../support/pop3_client.ts";
import { PASSWORD, type RunningServer } from "../../support/server.ts";
import { chosen } from "../chance.ts";
import type { Figures } from "./figures.ts";
import { type SoakMailbox, tokenIn } from "./soak_mailbox.ts";

export interface Visit {
  readonly mailbox: SoakMailbox;
  readonly server: Pick<RunningServer, "connect">;
  readonly random: () => number;
  readonly figures: Figures;
  /** Names the session in the history. */
  readonly who: string;
}

type Message = readonly [number: string, id: string];

/** Messages that a session looks at, at most. */
const SOME = 12;

export const SESSIONS: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  poll: (visit) =>
    withClient(visit, async (client) => {
      const listed = await list(visit, client);
      assert.equal((await client.listing("LIST")).length, listed.length);
      const [count] = (await client.ok("STAT")).split(" ");
      assert.equal(Number(count), listed.length, "STAT and UIDL do not agree");
      await client.quit();
    }),
  fetch: (visit) => withClient(visit, (client) => fetchSome(visit, client)),
  tls: (visit) => withClient(visit, (client) => fetchSome(visit, client), { tls: true }),
  delete: (visit) => withClient(visit, (client) => deleteSome(visit, client)),
  stls: async (visit) => {
    const client = await visit.server.connect();
    try {
      await client.stls();
      await client.login(visit.mailbox.user, PASSWORD);
      await deleteSome(visit, client);
    } finally {
      client.disconnect();
    }
  },
  "leave on server": (visit) =>
    withClient(visit, async (client) => {
      const { kept } = visit.mailbox;
      for (const message of await list(visit, client)) {
        if (kept.has(message[1]) || !await retrieve(visit, client, message)) continue;
        kept.add(message[1]);
      }
      await client.quit();
    }),
  top: (visit) =>
    withClient(visit, async (client) => {
      for (const message of chosen(await list(visit, client), SOME, visit.random)) {
        const reply = await client.command(`TOP ${message[0]} 0`);
        if (reply.body === undefined) refused(visit, message);
        else compareToken(visit, message, Buffer.from(reply.body));
      }
      await client.quit();
    }),
  pipeline: (visit) =>
    withClient(visit, async (client) => {
      const some = chosen(await list(visit, client), SOME, visit.random);
      // What is marked has to be known by its token before it may be gone.
      const marked = some.filter(([, id]) =>
        visit.mailbox.ledger.tokenOf(id) !== undefined && visit.random() < 0.3
      );
      const tokens = tokensOf(visit, marked);
      visit.mailbox.ledger.quitSent(tokens, visit.who);
      await client.send([
        ...some.map(([number]) => `RETR ${number}`),
        ...marked.map(([number]) => `DELE ${number}`),
        "QUIT",
      ]);
      for (const message of some) retrieved(visit, message, await client.reply());
      for (const _ of marked) assert.equal((await client.reply()).status, "+OK");
      ended(visit, tokens, await client.reply());
    }),
  "drop in RETR": (visit) =>
    withClient(visit, async (client) => {
      const [first] = chosen(await list(visit, client), 1, visit.random);
      if (first !== undefined) await client.send([`RETR ${first[0]}`]);
    }),
  // Nothing may be removed: the ledger is told of no mark.
  "drop with marks": (visit) =>
    withClient(visit, async (client) => {
      for (const [number] of chosen(await list(visit, client), SOME, visit.random)) {
        await client.ok(`DELE ${number}`);
      }
    }),
};

async function withClient(
  { mailbox, server }: Visit,
  work: (client: Pop3Client) => Promise<void>,
  options: { readonly tls?: boolean } = {},
): Promise<void> {
  const client = await server.connect(options);
  try {
    await client.login(mailbox.user, PASSWORD);
    await work(client);
  } finally {
    client.disconnect();
  }
}

/** The messages by number and id. Messages that a listing misses are counted. */
async function list({ mailbox, figures, who }: Visit, client: Pop3Client): Promise<Message[]> {
  const lines = await client.listing("UIDL");
  const messages = lines.map((line) => line.split(" ") as [string, string]);
  const ids = new Set(messages.map(([, id]) => id));
  assert.equal(ids.size, messages.length, "a unique-id stands twice in one listing");
  for (const id of mailbox.kept) {
    if (ids.has(id) || !mailbox.ledger.isCertain(mailbox.ledger.tokenOf(id) ?? "")) continue;
    mailbox.ledger.note(`${who} is not shown ${id}`);
    figures.count("messages that a listing missed while they were renamed");
  }
  return messages;
}

async function fetchSome(visit: Visit, client: Pop3Client): Promise<void> {
  for (const message of chosen(await list(visit, client), SOME, visit.random)) {
    await retrieve(visit, client, message);
  }
  await client.quit();
}

async function deleteSome(visit: Visit, client: Pop3Client): Promise<void> {
  const marked: Message[] = [];
  for (const message of chosen(await list(visit, client), SOME, visit.random)) {
    if (!await retrieve(visit, client, message)) continue;
    await client.ok(`DELE ${message[0]}`);
    marked.push(message);
  }
  const tokens = tokensOf(visit, marked);
  visit.mailbox.ledger.quitSent(tokens, visit.who);
  ended(visit, tokens, await client.command("QUIT"));
}

/** Of messages that were retrieved at some time. */
function tokensOf({ mailbox }: Visit, messages: readonly Message[]): string[] {
  return messages.flatMap(([, id]) => mailbox.ledger.tokenOf(id) ?? []);
}

function ended(visit: Visit, tokens: readonly string[], reply: { readonly status: string }): void {
  if (reply.status === "+OK") visit.mailbox.ledger.quitAnswered(tokens, visit.who);
  visit.figures.count(
    reply.status === "+OK" ? "messages removed by QUIT" : "QUITs that say some are left",
    reply.status === "+OK" ? tokens.length : 1,
  );
}

type Reply = Awaited<ReturnType<Pop3Client["reply"]>>;

async function retrieve(visit: Visit, client: Pop3Client, message: Message): Promise<boolean> {
  return retrieved(visit, message, await client.command(`RETR ${message[0]}`));
}

function retrieved(visit: Visit, message: Message, reply: Reply): boolean {
  if (reply.body === undefined) {
    refused(visit, message);
    return false;
  }
  const octets = Buffer.from(reply.body);
  visit.mailbox.ledger.retrieved(message[1], octets, tokenIn(octets));
  visit.figures.count("messages retrieved and compared");
  return true;
}

/** Somebody else may have removed it since the login. */
function refused({ mailbox, figures, who }: Visit, [, id]: Message): void {
  const token = mailbox.ledger.tokenOf(id);
  const isThere = token !== undefined && mailbox.ledger.isCertain(token);
  if (isThere) mailbox.ledger.note(`${who} is refused ${id}, ${token}`);
  figures.count(
    isThere
      ? "messages refused while they were renamed"
      : "messages refused since somebody had removed them",
  );
}

function compareToken({ mailbox }: Visit, [, id]: Message, head: Buffer): void {
  const token = mailbox.ledger.tokenOf(id);
  if (token === undefined || token === tokenIn(head)) return;
  mailbox.ledger.find(
    "unique-id of two messages",
    `TOP of ${id} shows ${tokenIn(head)}, not ${token}`,
  );
}
