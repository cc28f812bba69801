/**
 * Where dialogues are played: the ways to a server, and the mailboxes behind it.
 *
 * In memory it is a session and a store in memory; on the other ways it is popkeep as a child process
 * with Maildirs on disk. All dialogues that ask for the same settings share one server.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "smol-toml";
import type { CheckPassword } from "../../src/auth/login.ts";
import { plainMechanism } from "../../src/auth/mechanisms/plain.ts";
import { BAD_COMMANDS, COMMAND_OCTETS, FAILED_LOGINS } from "../../src/limits.ts";
import type { LoginType } from "../../src/session/services.ts";
import { Session } from "../../src/session/session.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { MemoryWire } from "../support/memory_wire.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import type { RunningServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import type { Way } from "./dialogue.ts";

/** A mailbox as other programs see it. Messages are counted in the order of delivery, from 1. */
export interface Mailbox {
  deliver(content: Uint8Array): void;
  unlink(message: number): void;
  rename(message: number): void;
  left(): number[];
  seen(): number[];
}

export interface Stage {
  readonly way: Way;
  /** Connects; the greeting is not read yet. */
  connect(): Promise<Pop3Client>;
  mailbox(user: string): Mailbox;
  /** Lets the inactivity timer run out. */
  idle(client: Pop3Client): void;
  /** Tries until `check` no longer throws: what happens to files is not told over the wire. */
  eventually(check: () => void): Promise<void>;
}

/** What login_type is here where a dialogue sets none: the ways without TLS need it. */
export const DEFAULT_SETTINGS = 'login_type = "plaintext_login"';

export class MemoryStage implements Stage {
  readonly way = "memory";
  readonly #settings: Readonly<Record<string, unknown>>;
  readonly #checkPassword: CheckPassword;
  readonly #store: MemoryStore;
  readonly #mailboxes = new Map<string, MemoryMailbox>();

  constructor(settings: string, passwords: ReadonlyMap<string, string>) {
    this.#settings = { ...parse(DEFAULT_SETTINGS), ...parse(settings) };
    for (const key of Object.keys(this.#settings)) {
      if (!KNOWN_IN_MEMORY.has(key)) throw new Error(`The way "memory" does not know ${key}`);
    }
    this.#store = new MemoryStore({
      exactSizes: this.#settings["enable_exact_rfc822_size"] === true,
      // So small that nearly every message is sent in several pieces.
      readChunkOctets: 16,
    });
    this.#checkPassword = (user, password, actAs = "") =>
      Promise.resolve(
        passwords.get(user) === Buffer.from(password).toString() &&
          (actAs === "" || actAs === user)
          ? { kind: "granted", account: { user, extra: {} } }
          : { kind: "refused" },
      );
  }

  connect(): Promise<Pop3Client> {
    const settings = this.#settings;
    const session = new Session({
      banner: String(settings["banner"] ?? "popkeep ready"),
      implementation: "popkeep",
      loginType: settings["login_type"] as LoginType,
      checkPassword: this.#checkPassword,
      mechanismsFor: () => [plainMechanism(this.#checkPassword)],
      store: this.#store,
      admitUser: () => ({ release() {} }),
      maxBadCommands: Number(settings["max_bad_commands"] ?? BAD_COMMANDS.default),
      eightBitHeaders: settings["eight_bit_headers"] === "refuse" ? "refuse" : "send",
      maxFailedLogins: Number(settings["max_failed_logins"] ?? FAILED_LOGINS.default),
    }, { tls: false, stlsPossible: true });
    const limit = Number(settings["max_command_size"] ?? COMMAND_OCTETS.default);
    return Promise.resolve(new Pop3Client(new MemoryWire(session, limit)));
  }

  mailbox(user: string): Mailbox {
    let mailbox = this.#mailboxes.get(user);
    if (mailbox === undefined) {
      this.#mailboxes.set(user, mailbox = new MemoryMailbox(this.#store, user));
    }
    return mailbox;
  }

  idle(client: Pop3Client): void {
    (client.wire as MemoryWire).timeOut();
  }

  eventually(check: () => void): Promise<void> {
    check();
    return Promise.resolve();
  }
}

const KNOWN_IN_MEMORY = new Set([
  "banner",
  "eight_bit_headers",
  "enable_exact_rfc822_size",
  "login_type",
  "max_bad_commands",
  "max_command_size",
  "max_failed_logins",
]);

class MemoryMailbox implements Mailbox {
  readonly #store: MemoryStore;
  readonly #user: string;
  readonly #delivered: ReturnType<MemoryStore["deliver"]>[] = [];

  constructor(store: MemoryStore, user: string) {
    this.#store = store;
    this.#user = user;
  }

  deliver(content: Uint8Array): void {
    this.#delivered.push(this.#store.deliver(this.#user, content));
  }

  unlink(message: number): void {
    this.#store.unlink(this.#user, this.#indexOf(message));
  }

  rename(message: number): void {
    this.#store.rename(this.#user, this.#indexOf(message));
  }

  left(): number[] {
    return this.#store.mailbox(this.#user).map((message) => this.#delivered.indexOf(message) + 1);
  }

  seen(): number[] {
    return this.#store.mailbox(this.#user).filter(({ seen }) => seen)
      .map((message) => this.#delivered.indexOf(message) + 1);
  }

  #indexOf(message: number): number {
    return this.#store.mailbox(this.#user).indexOf(this.#delivered[message - 1]!) + 1;
  }
}

export class ServerStage implements Stage {
  readonly way: "tcp" | "tls" | "stls";
  readonly #server: RunningServer;
  readonly #mailboxes = new Map<string, MaildirMailbox>();

  constructor(way: "tcp" | "tls" | "stls", server: RunningServer) {
    this.way = way;
    this.#server = server;
  }

  async connect(): Promise<Pop3Client> {
    const { plainPort, tlsPort } = this.#server;
    const tls = this.way === "tls";
    const wire = await SocketWire.connect({ port: tls ? tlsPort : plainPort, tls });
    if (this.way !== "stls") return new Pop3Client(wire);
    const client = new Pop3Client(wire);
    const greeting = await client.reply();
    await client.stls();
    // The dialogue begins with the greeting on every way; STLS stands between it and the rest.
    client.hearAgain(greeting);
    return client;
  }

  mailbox(user: string): Mailbox {
    let mailbox = this.#mailboxes.get(user);
    if (mailbox === undefined) {
      this.#mailboxes.set(user, mailbox = new MaildirMailbox(this.#server, user));
    }
    return mailbox;
  }

  idle(): void {
    // The server's own timer does it; the dialogue waits for what it says.
  }

  async eventually(check: () => void): Promise<void> {
    for (let tries = 1; tries < 200; tries++) {
      try {
        return check();
      } catch (error) {
        if (!(error instanceof assert.AssertionError)) throw error;
        await sleep(25);
      }
    }
    check();
  }
}

class MaildirMailbox implements Mailbox {
  readonly #maildir: ReturnType<RunningServer["maildir"]>;
  readonly #delivered: string[] = [];

  constructor(server: RunningServer, user: string) {
    this.#maildir = server.maildir(user);
  }

  deliver(content: Uint8Array): void {
    this.#delivered.push(this.#maildir.deliver(content));
  }

  unlink(message: number): void {
    this.#maildir.unlink(this.#delivered[message - 1]!);
  }

  rename(message: number): void {
    this.#maildir.flag(this.#delivered[message - 1]!, "RS");
  }

  left(): number[] {
    return this.#maildir.uniqueNames().map((name) => this.#delivered.indexOf(name) + 1);
  }

  seen(): number[] {
    return this.#maildir.files().filter((file) => /:2,[A-Z]*S/.test(file))
      .map((file) => this.#delivered.indexOf(file.slice(4).replace(/:.*$/, "")) + 1);
  }
}
