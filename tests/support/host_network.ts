/**
 * Hosts with addresses, processes and mounts of their own, on one machine: each is a process in a network
 * namespace, a pid namespace and a mount namespace, joined by a switch. Needs root and Debian's util-linux and
 * iproute2.
 *
 * A host that is switched off loses all its processes at once, as in a power cut. When the processes are gone so
 * are the namespaces and the links between them: nothing has to be taken down.
 *
 * *Knows* namespaces and links. *Does not know* what runs on the hosts.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a process may take until it is there, ms. */
const PATIENCE_MS = 20_000;

/** The test's own address, and the first host's. */
const TEST_ADDRESS = 254;
const FIRST_ADDRESS = 1;

/** Debian's library that shifts a program's clock. */
const FAKE_CLOCK =
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/` +
  "libfaketimeMT.so.1";

/** Why there can be no hosts here; false where there can. CI has to have them. */
export const noHosts: string | false = process.env["CI"] || process.getuid?.() === 0 && mayUnshare()
  ? false
  : "needs root and namespaces";

function mayUnshare(): boolean {
  return spawnSync("unshare", ["--net", "--mount", "--pid", "--fork", "ip", "link"]).status === 0;
}

export class HostNetwork {
  /** Of the range that is kept for tests of networks (RFC 2544), a part by chance for each network. */
  readonly #prefix = `198.${randomInt(18, 20)}.${randomInt(256)}`;
  readonly #switch: Host;
  #hosts: Host[] = [];
  #nextAddress = FIRST_ADDRESS;

  private constructor(middle: Host) {
    this.#switch = middle;
  }

  static async make(): Promise<HostNetwork> {
    const network = new HostNetwork(await Host.start(""));
    const middle = network.#switch;
    middle.run("ip", "link", "add", "name", "bridge", "type", "bridge");
    middle.run("ip", "link", "set", "bridge", "up");
    const link = `pk${process.pid % 100_000}x${randomInt(1_000)}`;
    network.#join("outside", ["name", link], []);
    run("ip", "address", "add", `${network.#prefix}.${TEST_ADDRESS}/24`, "dev", link);
    run("ip", "link", "set", link, "up");
    return network;
  }

  /** Where the test itself is seen to come from. */
  get testAddress(): string {
    return `${this.#prefix}.${TEST_ADDRESS}`;
  }

  /** The address range of all hosts. */
  get range(): string {
    return `${this.#prefix}.0/24`;
  }

  /** Switches a new host on. */
  async addHost(): Promise<Host> {
    const number = this.#nextAddress++;
    const host = await Host.start(`${this.#prefix}.${number}`);
    this.#hosts.push(host);
    this.#join(`host${number}`, ["name", "eth0"], ["netns", String(host.firstProcess)]);
    host.run("ip", "link", "set", "lo", "up");
    host.run("ip", "address", "add", `${host.address}/24`, "dev", "eth0");
    host.run("ip", "link", "set", "eth0", "up");
    return host;
  }

  /** A cable from the switch, whose port is `port`, to somewhere. */
  #join(port: string, name: readonly string[], where: readonly string[]): void {
    const middle = String(this.#switch.firstProcess);
    run("ip", "link", "add", ...name, ...where, "type", "veth", "peer", port, "netns", middle);
    this.#switch.run("ip", "link", "set", port, "master", "bridge");
    this.#switch.run("ip", "link", "set", port, "up");
  }

  /** Switches all hosts off. */
  async remove(): Promise<void> {
    for (const host of this.#hosts) await host.switchOff();
    await this.#switch.switchOff();
  }
}

export interface HostedOptions {
  /** How far the program's clock is ahead, s. Its timers are not affected. */
  readonly clockAheadS?: number;
}

export class Host {
  readonly address: string;
  /** Its process 1, by the number that it has here. */
  readonly firstProcess: number;
  readonly #child: ChildProcess;

  private constructor(address: string, child: ChildProcess, firstProcess: number) {
    this.address = address;
    this.#child = child;
    this.firstProcess = firstProcess;
  }

  static async start(address: string): Promise<Host> {
    const child = spawn("unshare", [
      ...["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"],
      ...["sleep", "infinity"],
    ], { stdio: "ignore" });
    process.once("exit", () => child.kill("SIGKILL"));
    return new Host(address, child, await onlyChildOf(child));
  }

  /** The path by which the test reaches a path of the host, with what the host has mounted there. */
  path(path: string): string {
    return `/proc/${this.firstProcess}/root${path}`;
  }

  /** Runs a command on the host to its end. */
  run(...command: readonly string[]): string {
    return run("nsenter", ...this.#into, ...command);
  }

  /** Starts a program on the host. */
  async start(
    command: readonly string[],
    { clockAheadS = 0 }: HostedOptions = {},
  ): Promise<HostedProcess> {
    const clock = clockAheadS === 0 ? {} : {
      LD_PRELOAD: FAKE_CLOCK,
      FAKETIME: `+${clockAheadS}`,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      // Else threads that wait until a time of the monotonic clock do not wait at all, and take a whole processor.
      FAKETIME_FORCE_MONOTONIC_FIX: "0",
      // One process's count of time is not to be shared with others.
      FAKETIME_NO_CACHE: "1",
    };
    const child = spawn("nsenter", [...this.#into, ...command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...clock },
    });
    return new HostedProcess(child, await onlyChildOf(child));
  }

  get #into(): readonly string[] {
    const folder = `--wd=${process.cwd()}`;
    return ["--target", String(this.firstProcess), "--net", "--mount", "--pid", folder, "--"];
  }

  /** Ends all that runs on it, at once. */
  async switchOff(): Promise<void> {
    if (hasEnded(this.#child)) return;
    const gone = once(this.#child, "exit");
    process.kill(this.firstProcess, "SIGKILL");
    await gone;
  }
}

/** A program that runs on a host. */
export class HostedProcess {
  readonly processId: number;
  readonly #child: ChildProcess;
  #output = "";

  constructor(child: ChildProcess, processId: number) {
    this.#child = child;
    this.processId = processId;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (octets) => this.#output += String(octets));
    }
  }

  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return hasEnded(this.#child);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.hasEnded) return;
    process.kill(this.processId, signal);
    // nsenter stops itself when its command is stopped.
    if (signal === "SIGCONT") process.kill(this.#child.pid!, signal);
  }

  /** Ends it and waits until it has ended. */
  async end(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.hasEnded) return;
    const gone = once(this.#child, "exit");
    // What is stopped takes no notice of any other.
    this.signal("SIGCONT");
    this.signal(signal);
    await gone;
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** The process that a starter (unshare, nsenter) has made for the command that it was given. */
async function onlyChildOf(starter: ChildProcess): Promise<number> {
  let failure: Error | undefined;
  starter.once("error", (error) => failure = error);
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (failure === undefined && performance.now() < giveUpAtMs && !hasEnded(starter)) {
    const { pid } = starter;
    const children = pid === undefined ? "" : childrenOf(pid);
    if (/^[0-9]+$/.test(children)) return Number(children);
    await sleep(5);
  }
  throw new Error(`${starter.spawnargs.join(" ")} did not start`, { cause: failure });
}

function childrenOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  } catch {
    return "";
  }
}

function run(command: string, ...values: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, values, { encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${command} ${values.join(" ")}: ${error?.message ?? stderr}`);
}
