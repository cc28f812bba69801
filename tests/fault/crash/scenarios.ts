/**
 * What popkeep is doing when it crashes: each a mailbox that is made ready, on a disk where all of that
 * has been synced, and one session.
 *
 * *Knows* the mailbox. *Does not know* what ends the session.
 */

import { spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { takeDotLock } from "../../../src/maildir/dot_lock.ts";
import type { Pop3Client } from "../../support/pop3_client.ts";
import type { CrashMailbox } from "./crash_mailbox.ts";

export interface Scenario {
  readonly name: string;
  /** Whether the server counts exact octets. */
  readonly exactSizes?: boolean;
  /** Several of the same at once. */
  readonly sessions?: number;
  prepare(mailbox: CrashMailbox): Promise<void>;
  act(mailbox: CrashMailbox, client: Pop3Client): Promise<unknown>;
}

/** More than half of them useless, and enough of them that a shorter list is made (sidecar_rewrite.ts). */
const MANY = 70;
const REMOVED = Array.from({ length: 66 }, (_, place) => place);

const looks: Scenario["act"] = (mailbox, client) => mailbox.useBy(client, {});

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "first login",
    async prepare(mailbox) {
      mailbox.deliver(3);
      mailbox.deliver(2, "cur");
      await Promise.resolve();
    },
    act: looks,
  },
  {
    name: "login after a delivery",
    async prepare(mailbox) {
      mailbox.deliver(4);
      await mailbox.look();
      mailbox.deliver(3);
    },
    act: looks,
  },
  {
    name: "several are removed",
    async prepare(mailbox) {
      mailbox.deliver(7);
      await mailbox.look();
    },
    act: (mailbox, client) => mailbox.useBy(client, { marks: [0, 2, 3, 5], quits: true }),
  },
  {
    name: "mail comes, and some is removed",
    async prepare(mailbox) {
      mailbox.deliver(3);
      await mailbox.look();
      mailbox.deliver(2);
    },
    act: (mailbox, client) => mailbox.useBy(client, { marks: [1, 4], quits: true }),
  },
  {
    name: "retrieved mail is moved to cur/",
    async prepare(mailbox) {
      mailbox.deliver(4);
      mailbox.deliver(1, "cur");
      await mailbox.look();
    },
    act: (mailbox, client) => mailbox.useBy(client, { quits: true }),
  },
  {
    name: "exact sizes are learnt",
    exactSizes: true,
    async prepare(mailbox) {
      mailbox.deliver(4);
      await mailbox.look();
    },
    act: looks,
  },
  {
    name: "the list is made shorter at a login",
    async prepare(mailbox) {
      await removeMany(mailbox);
      mailbox.deliver(2);
    },
    act: looks,
  },
  {
    name: "the list is made shorter at QUIT",
    prepare: removeMany,
    act: (mailbox, client) => mailbox.useBy(client, { marks: [1], quits: true }),
  },
  {
    name: "the lock of a process that is gone",
    async prepare(mailbox) {
      mailbox.deliver(3);
      await mailbox.look();
      mailbox.deliver(2);
      await leaveLock(mailbox);
    },
    act: looks,
  },
  {
    name: "a list with a torn last line",
    async prepare(mailbox) {
      mailbox.deliver(3);
      await mailbox.look();
      mailbox.deliver(2);
      appendFileSync(mailbox.maildir.sidecar, "+ 17953851");
    },
    act: looks,
  },
  {
    name: "a damaged list",
    async prepare(mailbox) {
      mailbox.deliver(3);
      await mailbox.look();
      mailbox.deliver(2);
      appendFileSync(mailbox.maildir.sidecar, "what is this\n");
    },
    act: looks,
  },
];

/** Sessions of several workers at once, for the first time and after a delivery. */
export const TOGETHER: readonly Scenario[] = [
  { ...SCENARIOS[0]!, name: "first logins at several workers", sessions: 4 },
  { ...SCENARIOS[1]!, name: "logins at several workers after a delivery", sessions: 4 },
  { ...SCENARIOS[6]!, name: "several workers and a list that is made shorter", sessions: 4 },
];

async function removeMany(mailbox: CrashMailbox): Promise<void> {
  mailbox.deliver(MANY);
  await mailbox.look();
  await mailbox.remove(REMOVED);
}

/** A lock whose holder, a process of this machine, has ended. */
async function leaveLock({ maildir }: CrashMailbox): Promise<void> {
  const path = `${maildir.sidecar}.lock`;
  const held = await takeDotLock(path);
  const [kernel = ""] = readFileSync(path, "latin1").split(" ");
  await held?.release();
  writeFileSync(path, `${kernel} ${spawnSync("true").pid} 123 aabb\n`);
}
