/**
 * The popkeep that is attacked, in a folder of its own: its settings but for one limit are the defaults. What
 * it logs goes to a file, since a flood is a flood of lines as well.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import process from "node:process";
import { twoFreePorts } from "../../tests/support/free_port.ts";
import { popkeepCommand, writeCertificate, writeUsers } from "../../tests/support/server.ts";
import { TestMaildir } from "../../tests/support/test_maildir.ts";
import { greets } from "../runner/greeting.ts";
import { memoryOf } from "../runner/processes.ts";
import { BALANCERS, LARGE_MESSAGE, MOST_CONNECTIONS } from "./attacks.ts";

const USERS = 120;
const SMALL_OCTETS = 20_000;
const LARGE_OCTETS = 2 ** 21;
const LINE = `${"x".repeat(62)}\n`;

/** A file of 2 MiB in each of 120 mailboxes. */
const START_LIMIT_MS = 60_000;

export class AttackedServer {
  readonly folder: string;
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly #child: ChildProcess;

  private constructor(folder: string, ports: readonly [number, number], child: ChildProcess) {
    this.folder = folder;
    [this.plainPort, this.tlsPort] = ports;
    this.#child = child;
  }

  /** @throws {Error} If it does not greet. */
  static async start(workers: number): Promise<AttackedServer> {
    const folder = mkdtempSync(`${os.tmpdir()}/popkeep-hostile-`);
    mkdirSync(`${folder}/home`);
    writeUsers(folder, Array.from({ length: USERS }, (_, user) => `b${user}`));
    await writeCertificate(folder);
    for (let user = 0; user < USERS; user++) fillMailbox(`${folder}/home/b${user}/Maildir`);
    const ports = await twoFreePorts();
    writeFileSync(`${folder}/popkeep.toml`, settingsText(folder, ports, workers));
    const log = openSync(`${folder}/log`, "w");
    const [command, ...before] = popkeepCommand();
    const child = spawn(command, [...before, "serve", "--config", `${folder}/popkeep.toml`], {
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const server = new AttackedServer(folder, ports, child);
    if (await greets(server.plainPort, performance.now() + START_LIMIT_MS)) return server;
    const said = server.log;
    await server.stop();
    throw new Error(`popkeep did not start:\n${said}`);
  }

  get log(): string {
    return readFileSync(`${this.folder}/log`, "utf8");
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Memory of all its processes, pages of files left out, MiB. */
  get ownMib(): number {
    return memoryOf([this.#child.pid!]).ownKib / 1024;
  }

  /** Files and sockets that all its processes have open. */
  get openFiles(): number {
    const pid = this.#child.pid!;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    const all = [String(pid), ...children.split(" ").filter((child) => child !== "")];
    return all.reduce((sum, each) => sum + readdirSync(`/proc/${each}/fd`).length, 0);
  }

  /** What must never stand in the log: a fault of ours, or a worker that ended. */
  get faults(): string[] {
    return this.log.split("\n").filter((line) =>
      /fault in popkeep|worker ended|does not answer|cannot be talked to/.test(line)
    );
  }

  async stop(): Promise<void> {
    if (this.isRunning) {
      const gone = once(this.#child, "exit");
      process.kill(this.#child.pid!, "SIGTERM");
      const hardStop = setTimeout(() => this.#child.kill("SIGKILL"), 60_000);
      await gone;
      clearTimeout(hardStop);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function fillMailbox(path: string): void {
  const maildir = new TestMaildir(path);
  for (let message = 1; message <= LARGE_MESSAGE; message++) {
    const octets = message === LARGE_MESSAGE ? LARGE_OCTETS : SMALL_OCTETS;
    maildir.place(
      `${1_700_000_000 + message}.M${message}P1.test:2,`,
      `Subject: ${message}\n\n${LINE.repeat(octets / LINE.length)}`,
    );
  }
}

function settingsText(
  folder: string,
  [plain, tls]: readonly [number, number],
  workers: number,
): string {
  return `
unencrypted_or_tls_bindings = ["127.0.0.1:${plain}"]
ssl_bindings = ["127.0.0.1:${tls}"]
user_file = "users"
maildir = "{home}/Maildir"
state_folder = "${folder}/state"
login_type = "plaintext_login"
user = "root"
workers = ${workers}
max_connections = ${MOST_CONNECTIONS}
proxy_addresses = ["127.${BALANCERS}.0.0/16"]
[[certificates]]
certificate_file = "certificate.pem"
key_file = "key.pem"
`;
}
