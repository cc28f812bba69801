/**
 * kill -9 of popkeep, and of one of its workers, while mail comes by LMTP: what was answered 250 is there, whole,
 * nobody ever sees a part of a message, and what was not answered comes again.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { logged } from "../end_to_end/server_log.ts";
import { isRunning, processOf, until } from "../end_to_end/worker_processes.ts";
import { freePort } from "../support/free_port.ts";
import { LmtpClient, type LmtpPlace } from "../support/lmtp_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { randomFrom } from "./chance.ts";

const KILLS = Number(process.env["POPKEEP_KILLS"] ?? 8);
const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const USERS = ["alice", "bob", "carol"];

/** Those who hand over mail at the same time. */
const SENDERS = 4;

/** A kill comes within this time of the first message since the last one, ms. */
const LIFE_MS = 250;

/** What has been handed over: by user and token, whether it was answered 250. */
class Sent {
  readonly accepted = new Set<string>();
  /** Messages that nobody has said anything of. */
  unanswered = 0;
  #last = 0;

  /** A message that can be told from a part of it. */
  message(octets: number): { readonly token: string; readonly text: string } {
    const token = `t${++this.#last}`;
    const body = `${token} ${"x".repeat(70)}\r\n`.repeat(Math.ceil(octets / 75));
    const text = `Subject: ${token}\r\n\r\n${body}`;
    const digest = createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");
    return { token, text: `X-Digest: ${digest}\r\n${text}` };
  }
}

/** The tokens of the whole messages in new/; fails if one is not whole. */
function tokensOf(server: RunningServer, user: string): Set<string> {
  const path = `${server.homeOf(user)}/Maildir/new`;
  if (!existsSync(path)) return new Set();
  return new Set(
    readdirSync(path).map((name) => {
      const stored = readFileSync(`${path}/${name}`, "latin1");
      const [, digest, text = ""] = /^Return-Path: .*\nDelivered-To: .*\nX-Digest: (\w+)\n([^]*)$/
        .exec(stored) ?? [];
      assert.equal(createHash("sha256").update(text).digest("hex"), digest, `${name} is not whole`);
      return /^Subject: (\w+)$/m.exec(text)![1]!;
    }),
  );
}

/** Hands over message after message, until told to stop. What goes wrong is the kill's doing. */
async function handOver(
  place: LmtpPlace,
  { sent, random, stop, begun }: {
    readonly sent: Sent;
    readonly random: () => number;
    readonly stop: { now: boolean };
    readonly begun: () => void;
  },
): Promise<void> {
  while (!stop.now) {
    let client: LmtpClient | undefined;
    try {
      client = (await LmtpClient.greeted(place)).client;
      for (let times = 0; times < 5 && !stop.now; times++) {
        const { token, text } = sent.message(1 + random() * 300_000);
        begun();
        sent.unanswered++;
        const replies = await client.deliver(USERS, text);
        sent.unanswered--;
        for (const [index, user] of USERS.entries()) {
          if (replies[index]!.startsWith("250 ")) sent.accepted.add(`${user} ${token}`);
        }
      }
      await client.quit();
    } catch {
      client?.vanish();
      await sleep(5);
    }
  }
}

async function killed(
  workers: number,
  kill: (server: RunningServer, random: () => number) => Promise<RunningServer>,
) {
  const random = randomFrom(SEED);
  const sent = new Sent();
  const port = await freePort();
  const settings = settingsOf(workers, port);
  let server = await startServer({ users: USERS, settings });
  try {
    for (const user of USERS) mkdirSync(server.homeOf(user), { recursive: true });
    await logged(server, { since: 0, message: "ready" });
    const places: LmtpPlace[] = [{ port }, { path: SOCKET(port) }];
    for (let kills = 0; kills < KILLS; kills++) {
      const stop = { now: false };
      let begun = () => {};
      const first = new Promise<void>((resolve) => begun = resolve);
      const senders = Array.from(
        { length: SENDERS },
        (_, index) => handOver(places[index % places.length]!, { sent, random, stop, begun }),
      );
      await first;
      await sleep(random() * LIFE_MS);
      server = await kill(server, random);
      // Who is still there hands over more.
      await sleep(random() * LIFE_MS);
      stop.now = true;
      await Promise.all(senders);
      for (const user of USERS) {
        const there = tokensOf(server, user);
        for (const one of sent.accepted) {
          const [whose, token = ""] = one.split(" ");
          if (whose === user) assert.ok(there.has(token), `${one} was accepted and is lost`);
        }
      }
    }
    assert.ok(sent.accepted.size > KILLS, `only ${sent.accepted.size} were accepted`);
    assert.ok(sent.unanswered > 0, "no kill came in the middle of a message");
  } finally {
    await server.stop();
  }
}

/** Short, since sockets have short paths. */
const SOCKET = (port: number) => `/tmp/popkeep-lmtp-${port}`;

function settingsOf(workers: number, port: number): string {
  return `workers = ${workers}\nlmtp_bindings = ["127.0.0.1:${port}", "unix:${SOCKET(port)}"]\n`;
}

test(`${KILLS} kills of the server lose nothing that was accepted (POPKEEP_SEED=${SEED})`, () =>
  killed(1, async (server) => {
    await server.halt("SIGKILL");
    const settings =
      /^workers[^]*?\]$/m.exec(readFileSync(`${server.folder}/popkeep.toml`, "utf8"))![0];
    return await startServer({ folder: server.folder, settings });
  }));

test(`${KILLS} kills of a worker lose nothing that was accepted (POPKEEP_SEED=${SEED})`, () =>
  killed(2, async (server, random) => {
    const alive = () => [1, 2].filter((worker) => isRunning(processOf(server, worker)));
    // One that is killed often is started again later each time.
    await until(() => alive().length > 0);
    const [one, other = one] = alive();
    process.kill(processOf(server, (random() < 0.5 ? one : other)!), "SIGKILL");
    return server;
  }));
