/**
 * A mailbox that nobody may get into: it lies beside the folder that all mail is in, and whatever a server
 * does with a file in it is seen.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Pop3Client } from "./pop3_client.ts";
import { PASSWORD, type RunningServer } from "./server.ts";
import { tracedDuring } from "./system_calls.ts";
import { TestMaildir } from "./test_maildir.ts";

/** Stands in the message that nobody may see, and nowhere else. */
const SONG = "the canary sings";

export class Canary {
  readonly base: string;
  /** What all mail is in. */
  readonly mail: string;
  readonly maildir: TestMaildir;

  constructor() {
    // Without links, so that a path tells where a file is.
    this.base = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-paths-`));
    this.mail = `${this.base}/mail`;
    mkdirSync(this.mail);
    this.maildir = new TestMaildir(`${this.base}/canary/Maildir`);
    this.maildir.deliver(`Subject: ${SONG}\n\n${SONG}\n`);
  }

  /** What the server did with files of the canary's while `work` ran: lines of strace. */
  async touchedDuring(server: RunningServer, work: () => Promise<void>): Promise<string[]> {
    // With the places of open files, so that a way in by links is seen as well.
    const trace = await tracedDuring(
      server.child.pid!,
      ["-y", "-e", "trace=%file,getdents64"],
      work,
    );
    return trace.split("\n").filter((line) => line.includes("/canary/"));
  }

  delete(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** How many look around at once. */
const WIDTH = 8;

/** Lets everybody look around, several at once: refusals may wait for the next second. */
export async function allLookAround(
  server: RunningServer,
  users: readonly string[],
): Promise<void> {
  const left = [...users];
  await Promise.all(Array.from({ length: WIDTH }, async () => {
    for (let user = left.pop(); user !== undefined; user = left.pop()) {
      await looksAround(server, user);
    }
  }));
}

/** Logs in by a name in every way that sends a password, and looks at all that there is then. */
export async function looksAround(server: RunningServer, user: string): Promise<string[]> {
  const outcomes: string[] = [];
  for (const login of [byUserAndPass, byPlain, byPlainFor]) {
    const client = await server.connect();
    const outcome = await login(client, user);
    if (outcome !== undefined) outcomes.push(outcome);
    if (outcome === "+OK") await readsAll(client, user);
    await client.quit();
  }
  return outcomes;
}

/** Fetches all that there is, which must not be the canary's message. */
export async function readsAll(client: Pop3Client, user: string): Promise<void> {
  const [count = "0"] = (await client.ok("STAT")).split(" ");
  for (let n = 1; n <= Number(count); n++) {
    assert.ok(!(await client.retrieve(`RETR ${n}`)).includes(SONG), `${user} sees the canary`);
  }
}

/** "+OK", or the response code. Undefined for a name that cannot be sent so. */
type Login = (client: Pop3Client, user: string) => Promise<string | undefined>;

const byUserAndPass: Login = async (client, user) => {
  // What cannot be in a line.
  if (/[\0\r\n]/.test(user) || Buffer.byteLength(user) > 500) return undefined;
  const { status } = await client.command(`USER ${user}`);
  if (status !== "+OK") return "USER";
  return await outcomeOf(client, `PASS ${PASSWORD}`);
};

const byPlain: Login = (client, user) => plain(client, `\0${user}\0${PASSWORD}`);

/** As another user who may act for anybody. */
const byPlainFor: Login = (client, user) => plain(client, `${user}\0master\0${PASSWORD}`);

async function plain(client: Pop3Client, message: string): Promise<string | undefined> {
  const response = Buffer.from(message).toString("base64");
  // The limit of a command line.
  if (response.length > 480) return undefined;
  return await outcomeOf(client, `AUTH PLAIN ${response}`);
}

async function outcomeOf(client: Pop3Client, line: string): Promise<string> {
  const { status, code } = await client.command(line);
  return status === "+OK" ? status : String(code);
}
