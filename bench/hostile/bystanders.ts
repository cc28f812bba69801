/**
 * Well-behaved clients, while others are not: one sends a NOOP every 2 ms whether or not the one before was
 * answered, and twenty sessions a second (login, STAT, UIDL, LIST, one RETR, QUIT) come from fifty addresses.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Times in ms. */
export interface Wait {
  readonly median: number;
  readonly p99: number;
  readonly errors: number;
  readonly firstError: string;
}

export interface Waits {
  readonly noop: Wait;
  /** Undefined where nobody could come. */
  readonly session: Wait | undefined;
}

const SESSIONS = "-s fetch -k 1 -R 20 -c 200 -a 50 -u 20";

/** So that their own waiting for a processor is not taken for the server's; noop_probe sees to it itself. */
const BEFORE_OTHERS = ["chrt", "-f", "1"] as const;

export class Bystanders {
  readonly #noop: Program;
  readonly #sessions: Program | undefined;

  private constructor(noop: Program, sessions: Program | undefined) {
    this.#noop = noop;
    this.#sessions = sessions;
  }

  /** @param seconds For how long sessions begin; undefined for none. */
  static async begin(
    programs: string,
    port: number,
    seconds: number | undefined,
  ): Promise<Bystanders> {
    const noop = new Program([`${programs}/noop_probe`, "-p", String(port)]);
    await noop.line;
    const may = spawnSync(BEFORE_OTHERS[0], [...BEFORE_OTHERS.slice(1), "true"]).status === 0;
    const sessions = seconds === undefined ? undefined : new Program([
      ...(may ? BEFORE_OTHERS : []),
      `${programs}/pop3bench`,
      ...SESSIONS.split(" "),
      ...["-p", String(port), "-t", String(seconds)],
    ]);
    return new Bystanders(noop, sessions);
  }

  /** Ends the NOOPs; resolves when all has been answered. */
  async end(): Promise<Waits> {
    const session = await this.#sessions?.result();
    this.#noop.stop();
    const noop = await this.#noop.result();
    return {
      noop: waitOf(noop, "p50", "p99"),
      session: session === undefined ? undefined : waitOf(session, "sess_p50", "sess_p99"),
    };
  }
}

/** A program that prints lines, the last of them a JSON object. */
export class Program {
  readonly #child: ChildProcess;
  /** Resolves with its first line, or at its end. */
  readonly line: Promise<unknown>;
  readonly #closed: Promise<unknown>;
  #last = "";

  constructor([command, ...words]: readonly string[]) {
    this.#child = spawn(command!, words, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: this.#child.stdout! });
    lines.on("line", (line) => this.#last = line);
    this.#closed = once(this.#child, "close");
    this.line = Promise.race([once(lines, "line"), this.#closed]);
  }

  stop(): void {
    this.#child.kill("SIGTERM");
  }

  /** What it printed last, when it has ended. @throws {Error} If that is no object. */
  async result(): Promise<Record<string, unknown>> {
    await this.#closed;
    if (!this.#last.startsWith("{")) {
      throw new Error(`${this.#child.spawnargs.join(" ")} printed "${this.#last}"`);
    }
    return JSON.parse(this.#last);
  }
}

function waitOf(figures: Record<string, unknown>, median: string, p99: string): Wait {
  return {
    median: Number(figures[median]),
    p99: Number(figures[p99]),
    errors: Number(figures["errors"]),
    firstError: String(figures["first_error"]),
  };
}
