/**
 * A filesystem that several hosts share: GlusterFS, of Debian, with one store and a client on each host, so that
 * each host has caches of its own.
 *
 * The clients are put together as a volume of Gluster's own making is, with what it caches for a second and with
 * times of files that are the writing host's (features/utime); or without all of that.
 *
 * *Knows* GlusterFS. *Does not know* what is stored.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Host, HostedProcess } from "./host_network.ts";
import { noHosts } from "./host_network.ts";

const PORT = 24_007;

/** How long a program may take until it does what it is for, ms. */
const PATIENCE_MS = 20_000;

/** Why there can be no shared filesystem here; false where there can. CI has to have it. */
export const noSharedFilesystem: string | false = noHosts || hasGluster()
  ? noHosts
  : process.env["CI"]
  ? false
  : "needs Debian's glusterfs-client";

function hasGluster(): boolean {
  return spawnSync("glusterfsd", ["--version"]).status === 0;
}

/** What a client remembers: as volumes do that nobody has tuned, or nothing. */
export type Caches = "usual" | "none";

export interface MountOptions {
  readonly caches?: Caches;
  /** How far the host's clock is ahead, s. */
  readonly clockAheadS?: number;
}

export class SharedFilesystem {
  readonly #folder: string;
  readonly #storeAddress: string;

  private constructor(folder: string, storeAddress: string) {
    this.#folder = folder;
    this.#storeAddress = storeAddress;
  }

  /** Starts the store on a host; its files are in `folder`. */
  static async start(store: Host, folder: string): Promise<SharedFilesystem> {
    const shared = new SharedFilesystem(folder, store.address);
    for (const name of ["brick", "mail"]) mkdirSync(`${folder}/${name}`);
    writeFileSync(
      `${folder}/brick.vol`,
      volume("posix", "storage/posix", "", { directory: `${folder}/brick` }) +
        volume("locks", "features/locks", "posix") +
        volume("io", "performance/io-threads", "locks") +
        volume("server", "protocol/server", "io", {
          "transport-type": "tcp",
          "transport.socket.bind-address": store.address,
          "transport.socket.listen-port": String(PORT),
          "auth.addr.io.allow": "*",
        }),
    );
    await store.start([
      "glusterfsd",
      "-N",
      "-f",
      `${folder}/brick.vol`,
      "-l",
      `${folder}/brick.log`,
    ]);
    await until(() => textOf(`${folder}/brick.log`).includes("epoll_worker"));
    return shared;
  }

  /** Where each host has it. */
  get path(): string {
    return `${this.#folder}/mail`;
  }

  /** What is really in the store, seen past all clients. */
  get behind(): string {
    return `${this.#folder}/brick`;
  }

  /** Mounts it on a host. The process serves that host alone: stopped (SIGSTOP), it answers no call. */
  async mountOn(host: Host, options: MountOptions = {}): Promise<HostedProcess> {
    const { caches = "usual", ...clock } = options;
    const file = `${this.#folder}/client-${caches}.vol`;
    writeFileSync(file, clientVolume(this.#storeAddress, caches));
    const log = `${this.#folder}/client-${host.address}.log`;
    const times = caches === "usual" ? "1" : "0";
    const client = await host.start([
      ...["glusterfs", "-N", "-f", file, "-l", log],
      ...[`--attribute-timeout=${times}`, `--entry-timeout=${times}`, this.path],
    ], clock);
    await until(() => {
      if (client.hasEnded) throw new Error(`glusterfs ended: ${textOf(log)}`);
      return host.run("cat", "/proc/mounts").includes(` ${this.path} fuse.glusterfs `);
    });
    return client;
  }
}

function clientVolume(storeAddress: string, caches: Caches): string {
  const store = volume("client", "protocol/client", "", {
    "transport-type": "tcp",
    "remote-host": storeAddress,
    "remote-port": String(PORT),
    "remote-subvolume": "io",
  });
  if (caches === "none") return store;
  return store +
    volume("utime", "features/utime", "client", { noatime: "on" }) +
    volume("write", "performance/write-behind", "utime") +
    volume("list", "performance/readdir-ahead", "write") +
    volume("open", "performance/open-behind", "list") +
    volume("read", "performance/quick-read", "open") +
    volume("look", "performance/md-cache", "read") +
    volume("threads", "performance/io-threads", "look");
}

function volume(
  name: string,
  type: string,
  below: string,
  options: Readonly<Record<string, string>> = {},
): string {
  const lines = Object.entries(options).map(([option, value]) => `  option ${option} ${value}\n`);
  const under = below === "" ? "" : `  subvolumes ${below}\n`;
  return `volume ${name}\n  type ${type}\n${lines.join("")}${under}end-volume\n`;
}

/** What a program has logged so far. */
function textOf(log: string): string {
  return existsSync(log) ? readFileSync(log, "latin1") : "";
}

async function until(isSo: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > giveUpAtMs) throw new Error("GlusterFS did not start");
    await sleep(20);
  }
}
