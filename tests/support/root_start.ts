/**
 * popkeep started by root, with a system user of its own for it to become: takes root.
 *
 * Settings, certificate and key are root's, and the key nobody else can read; users and mail are the user's.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import process from "node:process";
import { twoFreePorts } from "./free_port.ts";
import { popkeepCommand, RunningServer, writeCertificate, writeUsers } from "./server.ts";
import { withSystemAccount } from "./system_account.ts";

export interface RootStartOptions {
  /** Lines of the settings file. `USER` and `FOLDER` in them stand for the user and the server's folder. */
  readonly settings: string;
  /** Ports that not everybody may listen on. */
  readonly lowPorts?: boolean;
  /** Groups of the system that the user is in as well. */
  readonly groups?: readonly string[];
  /** What is put before popkeep's command line. */
  readonly as?: readonly string[];
  /** Changes the folder before the server is started. */
  readonly prepare?: (folder: string, user: string) => void;
}

export interface RootStarted {
  readonly server: RunningServer;
  readonly user: string;
  readonly userId: number;
  readonly groupId: number;
}

const USERS = ["alice", "bob"];

/** Runs `work` with a server that is ready; ends it and removes user and folder. */
export async function withRootStart(
  options: RootStartOptions,
  work: (started: RootStarted) => Promise<void>,
): Promise<void> {
  const { groups = [], as = [] } = options;
  await withSystemAccount(["--groups", groups.join(",")], async (user) => {
    const folder = mkdtempSync(`${os.tmpdir()}/popkeep-root-`);
    const ports = options.lowPorts === true ? await twoLowPorts() : await twoFreePorts();
    await prepareFolder(folder, user, ports, options);
    const [command = "", ...before] = [...as, ...popkeepCommand()];
    const child = spawn(command, [...before, "serve", "--config", `${folder}/popkeep.toml`], {
      stdio: ["ignore", "pipe", "pipe"],
      // Another one would be popkeep's own folder, where the user need not be let in.
      cwd: "/",
    });
    const server = new RunningServer(folder, ports, child);
    try {
      await server.untilLogged(/"ready"/);
      await work({ server, user, userId: idOf(user, "-u"), groupId: idOf(user, "-g") });
    } finally {
      await server.halt();
      await server.stop();
    }
  });
}

/** Puts a message into a user's mailbox, as the mail system would that runs as this user. */
export function deliverAs(
  user: string,
  server: RunningServer,
  mailbox: string,
  text: string,
): void {
  server.maildir(mailbox).deliver(text);
  giveTo(user, server.homeOf(mailbox));
}

export function giveTo(user: string, path: string): void {
  // Of a number the system knows no group.
  const owner = /^[0-9]+$/.test(user) ? `${user}:${user}` : `${user}:`;
  const { status, stderr } = spawnSync("chown", ["-R", owner, path], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** What the kernel says of every thread of a process: the fields of proc_pid_status(5), by name. */
export function threadsOf(process: number): ReadonlyMap<string, string>[] {
  return readdirSync(`/proc/${process}/task`).flatMap((thread) => {
    try {
      const status = readFileSync(`/proc/${process}/task/${thread}/status`, "latin1");
      const fields = status.trimEnd().split("\n").map((line) => line.split(/:\s*/, 2));
      return [new Map(fields as [string, string][])];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

export function idOf(user: string, option: "-u" | "-g"): number {
  return Number(spawnSync("id", [option, user], { encoding: "utf8" }).stdout);
}

async function prepareFolder(
  folder: string,
  user: string,
  ports: readonly [number, number],
  { settings, prepare }: RootStartOptions,
): Promise<void> {
  chmodSync(folder, 0o755);
  mkdirSync(`${folder}/home`);
  writeUsers(folder, USERS);
  await writeCertificate(folder);
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:${ports[0]}"]
ssl_bindings = ["127.0.0.1:${ports[1]}"]
never_blocked_addresses = ["127.0.0.0/8"]
${settings.replaceAll("USER", user).replaceAll("FOLDER", folder)}
[[certificates]]
certificate_file = "certificate.pem"
key_file = "key.pem"
`,
  );
  for (const path of [`${folder}/home`, `${folder}/users`]) giveTo(user, path);
  prepare?.(folder, user);
}

/** Two ports of 127.0.0.1 below 1024 that were free a moment ago. */
async function twoLowPorts(): Promise<[number, number]> {
  const found: number[] = [];
  for (let port = 600 + Math.floor(Math.random() * 300); found.length < 2; port++) {
    if (port === 1_024) throw new Error("There are no ports below 1024 left");
    if (await isFree(port)) found.push(port);
  }
  return found as [number, number];
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

export interface EndsOptions extends Pick<RootStartOptions, "as" | "prepare"> {
  /** `serve`, unless given. */
  readonly command?: readonly string[];
}

/** Runs popkeep with what it cannot, or need not, go on with. */
export async function ends(
  settings: string,
  { as = [], prepare, command = ["serve"] }: EndsOptions = {},
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-root-`);
  chmodSync(folder, 0o755);
  try {
    writeFileSync(`${folder}/users`, "");
    writeFileSync(
      `${folder}/popkeep.toml`,
      `unencrypted_or_tls_bindings = ["127.0.0.1:0"]\nssl_bindings = []\n${settings}\n`,
    );
    prepare?.(folder, "");
    const words = [...as, ...popkeepCommand(), ...command, "--config", `${folder}/popkeep.toml`];
    const child = spawn(words[0]!, words.slice(1), {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: "/",
      // A group of its own, so that what `as` starts ends with it.
      detached: true,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.stderr.on("data", (chunk) => stderr += chunk);
    const giveUp = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), 30_000);
    const [exitCode] = await once(child, "close");
    clearTimeout(giveUp);
    return { exitCode, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
