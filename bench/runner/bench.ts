/**
 * What a work gets to work with: the place, the recorder, and servers that are surely stopped again.
 *
 * *Does not know* the works.
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
  /** How often the set of mailboxes is there, each time for users of their own. */
  readonly times?: number;
}

/** A server that runs, and where its mail is. */
export interface Served extends Disposable {
  readonly running: RunningServer;
  readonly maildirs: string;
}

export class Bench {
  readonly place: Place;
  readonly recorder: Recorder;
  /** How long a load runs that could run for ever. */
  readonly seconds: number;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #running = new Set<RunningServer>();

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

  /** Starts the server on a fresh copy of the mail. Its disposal stops it and removes the copy. */
  async open(
    { server }: Round,
    mail: Mail,
    { removes = false, times = 1, ...options }: ServeOptions = {},
  ): Promise<Served> {
    const maildirs = this.place.copyOf(mail, server.name, { removes, times });
    await calm();
    const running = new RunningServer(server, this.place, this.#ports.get(server.name)!);
    this.#running.add(running);
    const close = () => {
      this.#running.delete(running);
      running.stop();
      rmSync(maildirs, { recursive: true, force: true });
    };
    try {
      await running.start(maildirs, { users: USERS_OF[mail] * times, ...options });
    } catch (error) {
      close();
      throw error;
    }
    return { running, maildirs, [Symbol.dispose]: close };
  }

  /** The same for as long as what it calls back takes. */
  async serve(
    round: Round,
    mail: Mail,
    body: (running: RunningServer, maildirs: string) => Promise<void>,
    options?: ServeOptions,
  ): Promise<void> {
    using served = await this.open(round, mail, options);
    await body(served.running, served.maildirs);
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

  /** Stops the servers that run; what a signal calls. */
  stop(): void {
    for (const running of this.#running) running.stop();
    this.#running.clear();
  }
}
