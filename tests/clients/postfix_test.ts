/**
 * Postfix hands mail to `popkeep deliver`, as docs/delivery.md has it: what it was told is delivered is there,
 * whole, though deliveries are killed meanwhile.
 */

import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { popkeepCommand } from "../support/command_line.ts";
import { MAIL_USER, PostfixServer } from "../support/postfix_server.ts";
import { clientTest, run } from "../support/real_client.ts";
import { idOf } from "../support/root_start.ts";

/** Postfix hands over less at a time to one of them after each failure. */
const USERS = ["alice", "bob", "carol", "dave", "erin"];

/** Messages for each of them, octets of each, and deliveries that are killed. */
const MESSAGES = Number(process.env["POPKEEP_MESSAGES"] ?? 6);
const OCTETS = 20_000;
const KILLS = 5;

/** A delivery is killed within this time of its beginning, ms. */
const KILL_WITHIN_MS = 400;

/** How long it may take until all mail is delivered, ms. */
const PATIENCE_MS = 120_000 + MESSAGES * USERS.length * 1_000;

const COMMANDS = ["postfix", "smtp-source"];

if (process.getuid?.() === 0) {
  clientTest(COMMANDS, "no mail is lost that Postfix hands over, and none is half there", accepted);
  clientTest(COMMANDS, "Postfix gives back what is for nobody, and nothing else", givenBack);
} else test("Postfix hands mail over", { skip: "takes root, as Postfix does" }, () => {});

async function withPostfix(
  folder: string,
  body: (postfix: PostfixServer) => Promise<void>,
): Promise<void> {
  mkdirSync(`${folder}/mail`);
  writeFileSync(`${folder}/users`, USERS.map((user) => `${user}@example.com:{PLAIN}x\n`).join(""));
  for (const path of [`${folder}/mail`, `${folder}/users`]) {
    chmodSync(path, path.endsWith("users") ? 0o600 : 0o700);
    chownSync(path, idOf(MAIL_USER, "-u"), idOf(MAIL_USER, "-g"));
  }
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user_file = "users"
maildir = "${folder}/mail/{domain}/{local}"
folder_separator = "+"
`,
  );
  const postfix = await PostfixServer.start(folder, {
    command: [
      ...[...popkeepCommand(), "deliver", "--config", `${folder}/popkeep.toml`],
      ...["--sender", "${sender}", "--recipient", "${recipient}", "--", "${recipient}"],
    ],
  });
  try {
    await body(postfix);
  } finally {
    await postfix.stop();
  }
}

/** Sends messages through Postfix; it has accepted all of them. */
async function send(postfix: PostfixServer, ...options: readonly string[]): Promise<void> {
  const to = `127.0.0.1:${postfix.port}`;
  const { code, output } = await run(postfix.folder, "smtp-source", ...options, to);
  assert.equal(code, 0, output);
}

/** Waits until Postfix has nothing left; calls `meanwhile` again and again. */
async function untilSent(postfix: PostfixServer, meanwhile = () => {}): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (postfix.queued > 0) {
    assert.ok(performance.now() < giveUpAtMs, postfix.log);
    meanwhile();
    await sleep(20);
  }
}

function messagesOf(user: string, folder: string): string[] {
  const path = `${folder}/mail/example.com/${user}`;
  if (!existsSync(path)) return [];
  assert.deepEqual(readdirSync(path).sort(), ["cur", "new", "tmp"]);
  return readdirSync(`${path}/new`).sort().map((name) =>
    readFileSync(`${path}/new/${name}`, "latin1")
  );
}

async function accepted(folder: string): Promise<void> {
  await withPostfix(folder, async (postfix) => {
    let killed = 0;
    const killAt = new Map<string, number>();
    const kill = () => {
      for (const pid of killed < KILLS ? deliveries(folder) : []) {
        if (killed === KILLS) return;
        const nowMs = performance.now();
        const atMs = killAt.get(pid) ?? nowMs + Math.random() * KILL_WITHIN_MS;
        killAt.set(pid, atMs);
        if (nowMs < atMs) continue;
        process.kill(Number(pid), "SIGKILL");
        killAt.set(pid, Infinity);
        killed++;
      }
    };
    const what = ["-m", String(MESSAGES), "-l", String(OCTETS), "-f", "zoe@example.org"];
    for (const user of USERS) await send(postfix, ...what, "-t", `${user}@example.com`);
    await untilSent(postfix, kill);
    assert.ok(killed > 0, "no delivery was killed");
    assert.match(postfix.log, /status=deferred \(Command died with signal 9/);
    let copies = 0;
    for (const user of USERS) {
      const messages = messagesOf(user, folder);
      const ids = messages.map((text) => /^Message-Id: (.*)$/m.exec(text)?.[1]);
      assert.equal(new Set(ids).size, MESSAGES, user);
      const bodies = new Set(messages.map((text) => text.slice(text.indexOf("\n\n"))));
      assert.equal(bodies.size, 1, "all are one text, and whole");
      assert.ok([...bodies][0]!.length >= OCTETS - 1_000);
      copies += messages.length - MESSAGES;
    }
    // One that was killed between putting its message there and saying so has it come once more.
    assert.ok(copies <= killed, `${copies} messages twice`);
  });
}

/** Process numbers of the deliveries into this folder. */
function deliveries(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, "utf8");
      // Postfix' own pipe(8) has the whole command line behind its name.
      return !line.startsWith("pipe\0") && line.includes("\0deliver\0") &&
        line.includes(`${folder}/popkeep.toml`);
    } catch {
      // It has ended.
      return false;
    }
  });
}

async function givenBack(folder: string): Promise<void> {
  await withPostfix(folder, async (postfix) => {
    for (const sender of ["-x@example.org", '"a<b"@example.org', "<>"]) {
      await send(postfix, "-f", sender, "-t", "alice+Lists@example.com");
    }
    for (const nobody of ["-help@example.com", "nobody@example.com"]) {
      // The null sender gets nothing back, so that the mail need not go anywhere else.
      await send(postfix, "-f", "<>", "-t", nobody);
    }
    await untilSent(postfix);
    const first = messagesOf("alice", folder).map((text) =>
      text.slice(0, text.indexOf("Received: "))
    );
    assert.deepEqual(first.sort(), [
      "Delivered-To: alice+Lists@example.com\n",
      "Return-Path: <-x@example.org>\nDelivered-To: alice+Lists@example.com\n",
      "Return-Path: <>\nDelivered-To: alice+Lists@example.com\n",
    ]);
    const bounced = [...postfix.log.matchAll(/to=<([^>]*)>.* status=bounced \((user unknown)/g)];
    assert.deepEqual(bounced.map(([, to]) => to).sort(), [
      "-help@example.com",
      "nobody@example.com",
    ]);
    assert.doesNotMatch(postfix.log, /status=deferred/);
  });
}
