/**
 * What a work gets to work with: the place, the recorder, and servers that are surely stopped again.
 *
 * *Knows* that one server runs at a time. *Does not know* the works.
 */

import { rmSync } from "node:fs";
import type { Server } from "../servers.ts";
import { load, type LoadOptions } from "./load.ts";
import { calm } from "./processes.ts";
import { type Mail, type Place, USERS_OF } from "./place.ts";
import type { Figures, Recorder } from "./recorder.ts";
import { RunningServer, type StartOptions } from "./running_server.ts";

/** A port for each server of its own, so that none meets another's closing connections. */
const PORTS_A_SERVER = 10;

export interface Round {
  readonly server: Server;
  readonly number: number;
}

export interface ServeOptions extends Partial<StartOptions> {
  /** Messages will be removed: the copy has files of its own. */
  readonly removes?: boolean;
}

export class Bench {
  readonly place: Place;
  readonly recorder: Recorder;
  /** How long a load runs that could run for ever. */
  readonly seconds: number;
  readonly #ports: ReadonlyMap<string, number>;
  #running: RunningServer | undefined;

  constructor(
    place: Place,
    recorder: Recorder,
    options: { seconds: number; firstPort: number; servers: readonly Server[] },
  ) {
    this.place = place;
    this.recorder = recorder;
    this.seconds = options.seconds;
    this.#ports = new Map(
      options.servers.map(({ name }, at) => [name, options.firstPort + at * PORTS_A_SERVER]),
    );
  }

  /** Starts the server on a fresh copy of the mail, calls back, stops it and removes the copy. */
  async serve(
    { server }: Round,
    mail: Mail,
    body: (running: RunningServer, maildirs: string) => Promise<void>,
    { removes = false, ...options }: ServeOptions = {},
  ): Promise<void> {
    const maildirs = this.place.copyOf(mail, server.name, removes);
    await calm();
    const running = new RunningServer(server, this.place, this.#ports.get(server.name)!);
    this.#running = running;
    try {
      await running.start(maildirs, { users: USERS_OF[mail], ...options });
      await body(running, maildirs);
    } finally {
      this.stop();
      rmSync(maildirs, { recursive: true, force: true });
    }
  }

  /** Runs the load generator and records what it says. */
  async measure(
    round: Round,
    running: RunningServer,
    work: string,
    words: string,
    options?: LoadOptions,
  ): Promise<Figures> {
    const figures = await load(this.place, running, words, options);
    this.recorder.add(round.server.name, work, round.number, figures);
    return figures;
  }

  /** Stops the server that runs, if one does; also what a signal calls. */
  stop(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.stop();
  }
}
