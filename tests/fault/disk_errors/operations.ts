/**
 * What sessions do with the disk, each from a mailbox in a state of its own: the operations that errors of
 * the disk are tried on.
 *
 * *Knows* sessions and mailboxes. *Does not know* errors.
 */

import { spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import type { Pop3Client } from "../../support/pop3_client.ts";
import { PASSWORD } from "../../support/server.ts";
import type { TestMaildir } from "../../support/test_maildir.ts";
import type { Shown } from "./watcher.ts";

export interface Operation {
  readonly name: string;
  /** Messages that are delivered before anybody has looked. */
  readonly messages: number;
  /** Whether the mailbox is looked at before what `prepare` does. */
  readonly isKnown: boolean;
  prepare?(maildir: TestMaildir): void;
  /** Tells `shown` what it is shown, marks and is answered. The client has connected and not logged in. */
  run(client: Pop3Client, user: string, shown: Shown): Promise<void>;
}

/** A message that says which one it is. */
export function messageText(token: string): string {
  return `Subject: ${token}\n\nthe body of ${token}\n.\n`;
}

/** Delivers messages under the same names in each mailbox: a fault is to meet the same file there. */
export function deliver(maildir: TestMaildir, count: number): void {
  const before = maildir.uniqueNames().length;
  for (let n = before; n < before + count; n++) {
    const name = `${1_700_000_000 + n}.M1P1.test`;
    maildir.deliver(messageText(name), name);
  }
}

/** A login and its lists; false if it was refused. */
async function look(client: Pop3Client, user: string, shown: Shown): Promise<boolean> {
  await client.ok(`USER ${user}`);
  const reply = await client.command(`PASS ${PASSWORD}`);
  if (reply.status === "-ERR") {
    shown.refused(reply);
    return false;
  }
  shown.listed(await client.listing("LIST"), await client.listing("UIDL"));
  return true;
}

async function quit(client: Pop3Client, shown: Shown): Promise<void> {
  const reply = await client.command("QUIT");
  shown.quit(reply);
  await client.closed();
}

async function lookOnly(client: Pop3Client, user: string, shown: Shown): Promise<void> {
  await look(client, user, shown);
  await quit(client, shown);
}

/** Everything is fetched, or tells why not. */
async function fetch(client: Pop3Client, user: string, shown: Shown): Promise<void> {
  if (await look(client, user, shown)) {
    for (const number of shown.numbers) {
      for (const command of [`TOP ${number} 0`, `RETR ${number}`]) {
        await client.send([command]);
        const reply = await client.replyOrEnd();
        // What fails half-way ends the connection, so that no part passes for the whole.
        if (reply === undefined) return shown.cut();
        shown.fetched(number, command, reply);
      }
    }
  }
  await quit(client, shown);
}

async function remove(client: Pop3Client, user: string, shown: Shown): Promise<void> {
  if (await look(client, user, shown)) {
    for (const number of shown.numbers.slice(1)) {
      await client.ok(`DELE ${number}`);
      shown.marked(number);
    }
  }
  await quit(client, shown);
}

/** As a crashed holder of this machine leaves it. */
function leaveLock(maildir: TestMaildir): void {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  const namespace = spawnSync("readlink", ["/proc/self/ns/pid"]).stdout.toString();
  const gone = spawnSync("true").pid;
  const kernel = `${boot}/${namespace.replace(/[^0-9]/g, "")}`;
  writeFileSync(`${maildir.sidecar}.lock`, `${kernel} ${gone} 1 aabb\n`);
}

export const OPERATIONS: readonly Operation[] = [
  { name: "the first login", messages: 3, isKnown: false, run: lookOnly },
  {
    name: "a login after a delivery",
    messages: 2,
    isKnown: true,
    prepare: (maildir) => deliver(maildir, 2),
    run: lookOnly,
  },
  {
    name: "a login that takes over a dead holder's lock",
    messages: 1,
    isKnown: true,
    prepare(maildir) {
      leaveLock(maildir);
      deliver(maildir, 1);
    },
    run: lookOnly,
  },
  {
    name: "a login that mends a torn line",
    messages: 2,
    isKnown: true,
    prepare(maildir) {
      appendFileSync(maildir.sidecar, "+ 17");
      deliver(maildir, 1);
    },
    run: lookOnly,
  },
  {
    name: "a login that rewrites a damaged list",
    messages: 2,
    isKnown: true,
    prepare(maildir) {
      appendFileSync(maildir.sidecar, "garbage\n");
      deliver(maildir, 1);
    },
    run: lookOnly,
  },
  { name: "TOP and RETR", messages: 2, isKnown: true, run: fetch },
  { name: "DELE and QUIT", messages: 3, isKnown: true, run: remove },
];
