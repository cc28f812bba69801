/**
 * popkeep as a child process, with users, certificate and Maildirs of its own in a folder of its own.
 *
 * It is started from the sources by the runtime that runs the test, or, when POPKEEP_EXECUTABLE names a
 * file, from that executable, so that the same tests prove both.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generate } from "selfsigned";
import { twoFreePorts } from "./free_port.ts";
import { Pop3Client } from "./pop3_client.ts";
import { TestMaildir } from "./test_maildir.ts";
import type { SocketOptions } from "./wire.ts";

/** The password of every user for whom a test asks for no other. */
export const PASSWORD = "secret";

export interface ServerOptions {
  /**
   * Lines of the settings file, besides bindings, certificate, users and Maildir. Failed logins are neither
   * counted nor held up unless one of them is about that.
   */
  readonly settings?: string;
  /** DNS names of further certificates, each for one name; the default is for "localhost". */
  readonly certificates?: readonly string[];
  /** User names, or a name, the second field of its line in the user file, and extra fields. */
  readonly users?: readonly (
    | string
    | readonly [name: string, passwordField: string, extraFields?: string]
  )[];
  /** Variables of its environment besides those of the test. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Keeps the folder of another server that has stopped: its users, Maildirs and settings. */
  readonly folder?: string;
}

/** How long the server may take until it listens, and until it has stopped, ms. */
const PATIENCE_MS = 60_000;

export class RunningServer {
  readonly folder: string;
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly child: ChildProcess;
  readonly #maildirs = new Map<string, TestMaildir>();
  readonly #output: string[];

  constructor(folder: string, ports: readonly [number, number], child: ChildProcess) {
    this.folder = folder;
    [this.plainPort, this.tlsPort] = ports;
    this.child = child;
    this.#output = outputOf(child);
  }

  /** All that the server has written to its outputs so far. */
  get log(): string {
    return this.#output.join("");
  }

  /** Waits until the log has such text: it comes through a pipe, and so after the answer it is about. */
  async untilLogged(text: RegExp): Promise<void> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    while (!text.test(this.log)) {
      if (performance.now() > giveUpAtMs) {
        throw new Error(`Nothing logged like ${text}:\n${this.log}`);
      }
      await sleep(20);
    }
  }

  /** The user's Maildir, made when first asked for. */
  maildir(user: string): TestMaildir {
    let maildir = this.#maildirs.get(user);
    if (maildir === undefined) {
      maildir = new TestMaildir(`${this.homeOf(user)}/Maildir`);
      this.#maildirs.set(user, maildir);
    }
    return maildir;
  }

  homeOf(user: string): string {
    return `${this.folder}/home/${user}`;
  }

  connect(options: Partial<SocketOptions> = {}): Promise<Pop3Client> {
    const port = options.tls === true ? this.tlsPort : this.plainPort;
    return Pop3Client.connect({ port, ...options });
  }

  /** Connects and logs in with the usual password. */
  async login(user: string, options: Partial<SocketOptions> = {}): Promise<Pop3Client> {
    const client = await this.connect(options);
    await client.login(user, PASSWORD);
    return client;
  }

  /** Sends a signal. By process id: what Deno tells of a child that `kill` was called on is not true. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.child.pid!, signal);
  }

  /** Stops the server and waits for its end; returns its exit code or signal. The folder stays. */
  async halt(signal: NodeJS.Signals = "SIGTERM"): Promise<number | string> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      this.signal(signal);
      const hardStop = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      await gone;
      clearTimeout(hardStop);
    }
    return child.exitCode ?? child.signalCode ?? "unknown";
  }

  /** Stops the server at once and removes its folder. */
  async stop(): Promise<void> {
    await this.halt("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts a server and waits until it listens on both of its ports. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const folder = options.folder ?? mkdtempSync(`${os.tmpdir()}/popkeep-`);
  mkdirSync(`${folder}/home`, { recursive: true });
  if (options.folder === undefined) {
    writeUsers(folder, options.users ?? []);
    await writeCertificate(folder);
  }
  for (const name of options.certificates ?? []) await writeCertificate(folder, name);
  for (let tries = 1;; tries++) {
    const ports = await twoFreePorts();
    writeFileSync(`${folder}/popkeep.toml`, settingsText(ports, options));
    const server = new RunningServer(
      folder,
      ports,
      spawnPopkeep(`${folder}/popkeep.toml`, options.environment),
    );
    if (await isListening(server)) return server;
    await server.halt("SIGKILL");
    // Between choosing a port and using it, somebody else may have taken it.
    if (tries === 3 || !/another program is listening there already/.test(server.log)) {
      throw new Error(`popkeep did not start:\n${server.log}`);
    }
  }
}

/** Writes the user file anew: a line a user, homes in the server's folder. */
export function writeUsers(folder: string, users: NonNullable<ServerOptions["users"]>): void {
  const lines = users.map((user) => {
    const [name, password, extra = ""] = typeof user === "string"
      ? [user, `{PLAIN}${PASSWORD}`]
      : user;
    return `${name}:${password}::::${folder}/home/${name}::${extra}\n`;
  });
  writeFileSync(`${folder}/users`, lines.join(""), { mode: 0o600 });
}

/** The command and leading arguments by which popkeep is run in tests. */
export function popkeepCommand(): [command: string, ...arguments_: string[]] {
  const executable = process.env["POPKEEP_EXECUTABLE"];
  if (executable !== undefined && executable !== "") return [executable];
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  const runtime = process.execPath;
  return "Deno" in globalThis ? [runtime, "run", "-A", "--no-check", main] : [runtime, main];
}

function spawnPopkeep(
  settingsFile: string,
  environment: ServerOptions["environment"] = {},
): ChildProcess {
  const [command, ...before] = popkeepCommand();
  return spawn(command, [...before, "serve", "--config", settingsFile], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function settingsText(
  ports: readonly [number, number],
  { settings = "", certificates = [] }: ServerOptions,
): string {
  return [
    `unencrypted_or_tls_bindings = ["127.0.0.1:${ports[0]}"]`,
    `ssl_bindings = ["127.0.0.1:${ports[1]}"]`,
    `user_file = "users"`,
    ...(/^maildir = /m.test(settings) ? [] : [`maildir = "{home}/Maildir"`]),
    // Where tests run as root, as in a container, so does the server, which has to be told.
    ...(/^user = /m.test(settings) ? [] : ['user = "root"']),
    // All clients of a test come from one address, and most tests are not about guessing.
    ...(/failed_login_|never_blocked/.test(settings)
      ? []
      : ['never_blocked_addresses = ["127.0.0.0/8"]']),
    settings,
    ...["localhost", ...certificates].flatMap((name) => [
      `[[certificates]]`,
      `certificate_file = "${certificateFiles(name).certificate}"`,
      `key_file = "${certificateFiles(name).key}"`,
    ]),
    "",
  ].join("\n");
}

/** Writes a new self-signed certificate for a DNS name, and its key, into a server's folder. */
export async function writeCertificate(folder: string, name = "localhost"): Promise<void> {
  const made = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: name }] }],
  });
  const files = certificateFiles(name);
  writeFileSync(`${folder}/${files.certificate}`, made.cert);
  writeFileSync(`${folder}/${files.key}`, made.private, { mode: 0o600 });
}

function certificateFiles(name: string): { certificate: string; key: string } {
  const prefix = name === "localhost" ? "" : `${name.replace("*", "any")}-`;
  return { certificate: `${prefix}certificate.pem`, key: `${prefix}key.pem` };
}

function outputOf(child: ChildProcess): string[] {
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => output.push(String(chunk)));
  }
  return output;
}

/** Waits until both ports take connections; false when the server ended first. */
async function isListening(server: RunningServer): Promise<boolean> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  for (const port of [server.plainPort, server.tlsPort]) {
    while (!await takesConnections(port)) {
      if (server.child.exitCode !== null || server.child.signalCode !== null) return false;
      if (performance.now() > giveUpAtMs) return false;
      await sleep(20);
    }
  }
  return true;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
