/**
 * One server, started by its script on a copy of the mail, and stopped.
 *
 * *Knows* the contract of peers/NAME.sh (peers/common.sh): start, stop, the file `pids`. *Does not know*
 * what is measured.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../servers.ts";
import type { Place } from "./place.ts";

/** Starting takes all of them under a second; on a busy machine more. */
const START_LIMIT_MS = 60_000;

export interface StartOptions {
  /** Users b0, b1, ... that it has to know. */
  readonly users: number;
  /** What stands in the password field, if not `{PLAIN}secret`. */
  readonly userSecret?: string;
  /** popkeep only: further lines of its settings. */
  readonly settings?: string;
}

export class RunningServer {
  readonly server: Server;
  /** Where it is driven: over TLS if the server is one of those. */
  readonly port: number;
  readonly #place: Place;
  readonly #basePort: number;
  #roots: readonly number[] = [];

  constructor(server: Server, place: Place, basePort: number) {
    this.server = server;
    this.#place = place;
    this.#basePort = basePort;
    this.port = server.tls ? basePort + 1 : basePort;
  }

  /** The first processes of the server; none while it does not run. */
  get roots(): readonly number[] {
    return this.#roots;
  }

  /** The folder of its configuration and log. */
  get folder(): string {
    return `${this.#place.scratch}/run/${this.server.name}`;
  }

  /** @throws {Error} If it does not answer. */
  async start(maildirs: string, options: StartOptions): Promise<void> {
    if (this.server.kind === "limit") return await this.#startLimit(maildirs);
    this.#runScript(["start", maildirs, String(this.#basePort)], options);
    this.#roots = this.#read("pids").split("\n").filter(Boolean).map(Number);
  }

  /** Ends it, if it runs or has half started. */
  stop(): void {
    if (this.server.kind === "limit") {
      for (const pid of this.#roots) process.kill(pid, "SIGTERM");
    } else {
      this.#runScript(["stop"], { users: 0 });
    }
    this.#roots = [];
  }

  async #startLimit(maildirs: string): Promise<void> {
    const flags = this.server.name === "raw-convert" ? ["-x"] : [];
    const child = spawn(this.#place.program("rawsend"), [...flags, maildirs, String(this.port)], {
      stdio: "ignore",
    });
    await once(child, "spawn");
    this.#roots = [child.pid!];
    await sleep(300);
  }

  /**
   * Waits blockingly: nothing else is to be done meanwhile, and what a signal calls has to be able to stop.
   * Output goes to a file, since a server that keeps a pipe open would keep us waiting.
   */
  #runScript(words: readonly string[], { users, userSecret, settings }: StartOptions): void {
    const log = openSync(`${this.#place.scratch}/run/${words[0]}.log`, "w+");
    const { status } = spawnSync(this.#place.script(this.server.name), words, {
      timeout: START_LIMIT_MS,
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        SCRATCH: this.#place.scratch,
        POPKEEP_EXECUTABLE: this.#place.executable,
        NUSERS: String(users),
        USER_SECRET: userSecret ?? "",
        SETTINGS: settings ?? "",
      },
    });
    closeSync(log);
    if (status === 0) return;
    const said = `${this.#read(`../${words[0]}.log`)}\n${this.#read("log")}`.trim().split("\n").at(
      -1,
    );
    throw new Error(`${this.server.name} could not ${words[0]}: ${said || "it did not say why"}`);
  }

  #read(name: string): string {
    try {
      return readFileSync(`${this.folder}/${name}`, "utf8");
    } catch {
      return "";
    }
  }
}
