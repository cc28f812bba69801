/** Borrowing a mailbox from the server, over its socket. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { after, before, mock, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { OpenMailboxes } from "../../../src/maildir/open_mailboxes.ts";
import { borrowFromAll, borrowMailbox, CannotBorrow } from "../../../src/net/loans/borrowing.ts";
import { USE_MS } from "../../../src/net/loans/loan_terms.ts";
import { LoanListener } from "../../../src/net/loans/loan_listener.ts";

let folder: string;
let socketPath: string;
const open = new OpenMailboxes();
let listener: LoanListener;

before(async () => {
  folder = mkdtempSync(`${tmpdir()}/popkeep-loans-`);
  socketPath = `${folder}/popkeep.sock`;
  listener = await LoanListener.open(socketPath, (path) => Promise.resolve(open.lend(path)));
});

after(() => {
  listener.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Waits until it is so, which comes after an answer. */
async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    ok(tries < 3_000);
    await sleep(10);
  }
}

test("a mailbox that is open is not lent, and one that is lent comes back", async () => {
  open.begin("/open");
  strictEqual(await borrowMailbox(socketPath, "/open"), undefined);
  const borrowed = await borrowMailbox(socketPath, "/free");
  ok(borrowed !== undefined);
  strictEqual(await borrowMailbox(socketPath, "/free"), undefined);
  await borrowed.giveBack();
  const again = await borrowMailbox(socketPath, "/free");
  ok(again !== undefined);
  await again.giveBack();
});

test("who ends without a word has given it back", async () => {
  const socket = createConnection({ path: socketPath });
  socket.write('{"borrow":"/killed"}\n');
  await until(() => open.untilFree("/killed") !== undefined);
  socket.destroy();
  await until(() => open.untilFree("/killed") === undefined);
});

test("where no server listens, nobody has it open", async () => {
  const nowhere = await borrowMailbox(`${folder}/nothing.sock`, "/a");
  ok(nowhere !== undefined);
  await nowhere.giveBack();
  writeFileSync(`${folder}/file`, "");
  ok(await borrowMailbox(`${folder}/file`, "/a") !== undefined, "a file is no server");
});

test("a server that does not answer as it should is no leave to go on", async () => {
  const path = `${folder}/odd.sock`;
  const server = createServer((socket) => void socket.resume().end());
  await new Promise<void>((listening) => server.listen({ path }, listening));
  await rejects(borrowMailbox(path, "/a"), CannotBorrow);
  await new Promise((closed) => server.close(closed));
});

test("what is no question ends the connection, and the next is served", async () => {
  for (const question of ["nonsense\n", "{}\n", '{"borrow":7}\n', "x".repeat(20_000)]) {
    const socket = createConnection({ path: socketPath });
    socket.on("error", () => {});
    socket.resume();
    socket.write(question);
    await new Promise((closed) => socket.on("close", closed));
  }
  const borrowed = await borrowMailbox(socketPath, "/after");
  await borrowed!.giveBack();
});

test("a path too long for a socket is no leave to go on, and nobody listens there", async () => {
  const path = `${folder}/${"l".repeat(107 - folder.length)}`;
  strictEqual(path.length, 108);
  await rejects(LoanListener.open(path, () => Promise.resolve(undefined)), /107 octets/);
  await rejects(borrowMailbox(path, "/a"), CannotBorrow);
});

test("a mailbox is borrowed from all servers, and from none if one of them has it open", async () => {
  const path = `${folder}/popkeep-2.sock`;
  const second = new OpenMailboxes();
  const other = await LoanListener.open(path, (mailbox) => second.lend(mailbox));
  const all = [socketPath, path, `${folder}/popkeep-3.sock`];
  second.begin("/two");
  strictEqual(await borrowFromAll(all, "/two"), undefined);
  await until(() => open.untilFree("/two") === undefined);
  second.end("/two");
  const borrowed = await borrowFromAll(all, "/two");
  ok(borrowed !== undefined && borrowed.isHeld());
  ok(open.untilFree("/two") !== undefined && second.untilFree("/two") !== undefined);
  other.close();
  // It is the socket's end that tells, and not the clock.
  const nowMs = performance.now();
  const clock = mock.method(performance, "now", () => nowMs);
  await until(() => !borrowed.isHeld());
  clock.mock.restore();
  await borrowed.giveBack();
});

test("who was stopped for long has lost the mailbox before he hears that it was taken back", async () => {
  const borrowed = await borrowMailbox(socketPath, "/stopped");
  ok(borrowed !== undefined && borrowed.isHeld());
  const nowMs = performance.now();
  const clock = mock.method(performance, "now", () => nowMs + USE_MS);
  strictEqual(borrowed.isHeld(), false);
  clock.mock.restore();
  await borrowed.giveBack();
});
