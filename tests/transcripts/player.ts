/**
 * Plays a dialogue on a stage and fails at the first line that differs, with its place in the file.
 *
 * Events:
 *
 *     ! deliver TEXT    a message arrives         ! closed       the server closes, and says nothing more
 *     ! unlink N        somebody removes the      ! disconnect   the client is gone without a word
 *                       message delivered N-th    ! half-close   the client will send no more
 *     ! rename N        somebody reads it         ! stls         the TLS handshake after an accepted STLS
 *     ! left N N ...    exactly these are in      ! log-in       USER and PASS, answered +OK
 *                       the mailbox now           ! reconnect    a new connection, not logged in
 *     ! seen N N ...    exactly these are marked  ! idle         the inactivity timer runs out
 *                       as read                   ! rises A B    the number remembered as B is larger
 *
 * When all is played, the server must still answer QUIT with exactly one line and close, unless the
 * dialogue closed the connection itself: a reply too many or too few cannot hide at the end.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Pop3Client } from "../support/pop3_client.ts";
import { type Cast, type Dialogue, octetsOf, type Sending, type Step } from "./dialogue.ts";
import type { Stage } from "./stage.ts";

export async function play(
  dialogue: Dialogue,
  sending: Sending,
  stage: Stage,
  cast: Cast,
): Promise<void> {
  const mailbox = stage.mailbox(cast.user);
  for (const message of dialogue.messages) mailbox.deliver(octetsOf(message, cast));
  const player = new Player(dialogue, sending, stage, cast);
  try {
    await player.begin();
    for (const step of dialogue.steps) await player.take(step);
    await player.finish();
  } finally {
    player.leave();
  }
}

class Player {
  readonly #dialogue: Dialogue;
  readonly #sending: Sending;
  readonly #stage: Stage;
  readonly #cast: Cast;
  #client: Pop3Client | undefined;
  /** Lines that the server said and no S: line has met yet. */
  #heard: Buffer[] = [];
  readonly #remembered = new Map<string, string>();
  /** Lines to send at once, when the next S: line or event asks for it. */
  #unsent: Buffer[] = [];
  #unmet: (Step & { kind: "server" })[] = [];
  #closed = false;

  constructor(dialogue: Dialogue, sending: Sending, stage: Stage, cast: Cast) {
    this.#dialogue = dialogue;
    this.#sending = sending;
    this.#stage = stage;
    this.#cast = { ...cast, remembered: this.#remembered };
  }

  async begin(): Promise<void> {
    this.#client = await this.#stage.connect();
    if (this.#dialogue.start === "greeting") return;
    await this.#greeted();
    if (this.#dialogue.start === "logged-in") await this.#logIn();
  }

  async take(step: Step): Promise<void> {
    if (step.kind === "client") {
      const octets = octetsOf(step.text, this.#cast);
      if (this.#sending === "whole") return void this.#unsent.push(octets);
      await this.#catchUp();
      await this.#now.send([octets], this.#sending === "octets" ? "octets" : "whole");
    } else if (step.kind === "event") {
      await this.#catchUp();
      await this.#happen(step.what, step.argument, `${this.#dialogue.file}:${step.line}`);
    } else if (this.#isDue(step)) {
      if (this.#sending === "whole") this.#unmet.push(step);
      else await this.#meet(step);
    }
  }

  /** After the last step: nothing was left unsaid, and the session lives. */
  async finish(): Promise<void> {
    await this.#catchUp();
    if (this.#closed) return;
    if (this.#now.wantsTls) await this.#now.startTls();
    const answer = await this.#now.command("QUIT");
    assert.equal(answer.status, "+OK", "QUIT at the end of the dialogue");
    await this.#now.closed();
  }

  leave(): void {
    this.#client?.disconnect();
  }

  get #now(): Pop3Client {
    assert.ok(this.#client !== undefined && !this.#closed, "the connection is over");
    return this.#client;
  }

  /** Sends what was kept back and compares what is said to it, line by line. */
  async #catchUp(): Promise<void> {
    if (this.#unsent.length > 0) await this.#now.send(this.#unsent.splice(0));
    for (const step of this.#unmet.splice(0)) await this.#meet(step);
    assert.deepEqual(
      this.#heard.map((line) => line.toString("latin1")),
      [],
      `${this.#dialogue.file}: ${this.#dialogue.name}: more was said than the dialogue has`,
    );
  }

  async #meet(step: Step & { kind: "server" }): Promise<void> {
    const where = `${this.#dialogue.file}:${step.line}`;
    const line = await this.#nextLine(where);
    const said = line.toString("latin1");
    if (step.isPattern) {
      const match = new RegExp(`^(?:${step.text})$`).exec(said);
      assert.ok(match, `${where}:\n  expected /${step.text}/\n  and came ${show(said)}`);
      for (const [name, value] of Object.entries(match.groups ?? {})) {
        this.#remembered.set(name, value);
      }
      return;
    }
    const expected = octetsOf(step.text, this.#cast).toString("latin1");
    const isOpen = /^(\+OK|-ERR).*\*$/.test(expected);
    const matches = isOpen ? said.startsWith(expected.slice(0, -1)) : said === expected;
    assert.ok(matches, `${where}:\n  expected ${show(expected)}\n  and came ${show(said)}`);
  }

  async #nextLine(where: string): Promise<Buffer> {
    if (this.#heard.length === 0) {
      const reply = await this.#now.replyOrEnd();
      assert.ok(reply !== undefined, `${where}: the server closed instead of answering`);
      this.#heard = reply.wireLines.map((line) => Buffer.from(line));
    }
    return this.#heard.shift()!;
  }

  #isDue(step: Step & { kind: "server" }): boolean {
    return step.ways === undefined || step.ways.includes(this.#stage.way);
  }

  async #greeted(): Promise<void> {
    const greeting = await this.#now.reply();
    assert.equal(greeting.status, "+OK");
  }

  async #logIn(): Promise<void> {
    await this.#now.ok(Buffer.from(`USER ${this.#cast.user}`));
    await this.#now.ok(Buffer.from(`PASS ${this.#cast.password}`));
  }

  async #happen(what: string, argument: string, where: string): Promise<void> {
    const mailbox = this.#stage.mailbox(this.#cast.user);
    const numbers = argument.split(" ").filter((word) => word !== "").map(Number);
    switch (what) {
      case "deliver":
        return mailbox.deliver(octetsOf(argument, this.#cast));
      case "unlink":
        return mailbox.unlink(numbers[0]!);
      case "rename":
        return mailbox.rename(numbers[0]!);
      case "left":
        return await this.#stage.eventually(() =>
          assert.deepEqual(mailbox.left(), numbers, `${where}: these messages are there`)
        );
      case "seen":
        return await this.#stage.eventually(() =>
          assert.deepEqual(mailbox.seen(), numbers, `${where}: these messages are marked as read`)
        );
      case "closed":
        await this.#now.closed();
        this.#closed = true;
        return;
      case "disconnect":
        this.#now.disconnect();
        this.#closed = true;
        return;
      case "half-close":
        return this.#now.wire.halfClose();
      case "stls":
        return await this.#now.startTls();
      case "log-in":
        return await this.#logIn();
      case "reconnect":
        this.#client?.disconnect();
        this.#closed = false;
        this.#client = await this.#stage.connect();
        return await this.#greeted();
      case "rises": {
        const [earlier, later] = argument.split(" ").map((name) =>
          BigInt(this.#remembered.get(name)!)
        );
        return assert.ok(later! > earlier!, `${where}: ${later} is not above ${earlier}`);
      }
      case "idle":
        return this.#stage.idle(this.#now);
      default:
        throw new Error(`${where}: nothing is known of the event "${what}"`);
    }
  }
}

function show(text: string): string {
  return JSON.stringify(text);
}
