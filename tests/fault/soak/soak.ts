/**
 * A soak: one popkeep with workers, clients of all sorts, mail that comes, others who rename and remove it,
 * reloads, and kills, for as long as is asked for. Now and then all are held up, and what is on the disk and
 * what a client sees is compared with what was promised.
 *
 * *Knows* who takes part, and how often. *Does not know* how the outcome is told.
 */

import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { isBrokenConnection } from "../broken_connection.ts";
import { oneOf, randomFrom } from "../chance.ts";
import { Figures } from "./figures.ts";
import { Gate } from "./gate.ts";
import { type Finding, type Loss } from "./ledger.ts";
import { SESSIONS, type Visit } from "./sessions.ts";
import { SoakMailbox, tokenIn } from "./soak_mailbox.ts";
import { SoakServer } from "./soak_server.ts";

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly workers: number;
  readonly clients: number;
  readonly mailboxes: number;
  /** Between two comparisons, s. */
  readonly compareEveryS: number;
  /** Between two kills of the whole server, on average, s. */
  readonly killEveryS: number;
  /** Told now and then how it goes. */
  readonly onProgress?: (figures: Figures, findings: readonly Finding[]) => void;
}

export interface SoakOutcome {
  readonly figures: Figures;
  readonly findings: readonly Finding[];
  /** What happened in the mailboxes of the first findings. */
  readonly history: readonly string[];
}

/** Findings whose history is told. */
const TOLD_FINDINGS = 5;

/** A session that is broken off while a comparison is made is tried again so often. */
const MOST_TRIES = 5;

export async function soak(options: SoakOptions): Promise<SoakOutcome> {
  const users = Array.from({ length: options.mailboxes }, (_, at) => `user${at}`);
  const server = await SoakServer.start({ workers: options.workers, users });
  const run = new Soak(options, server, users);
  let left = 0;
  try {
    await run.take();
  } finally {
    left = await server.stop();
  }
  if (left > 0) run.find("answer that nobody expects", `${left} processes did not end`);
  return run.outcome;
}

class Soak {
  readonly #options: SoakOptions;
  readonly #server: SoakServer;
  readonly #mailboxes: readonly SoakMailbox[];
  readonly #random: () => number;
  readonly #gate = new Gate();
  readonly #figures = new Figures();
  readonly #further: Finding[] = [];
  #sessions = 0;

  constructor(options: SoakOptions, server: SoakServer, users: readonly string[]) {
    this.#options = options;
    this.#server = server;
    this.#random = randomFrom(options.seed);
    this.#mailboxes = users.map((user) =>
      new SoakMailbox(user, server.current.maildir(user), this.#random)
    );
  }

  find(loss: Loss, what: string): void {
    this.#further.push({ loss, what });
  }

  get #findings(): Finding[] {
    return [...this.#further, ...this.#mailboxes.flatMap(({ ledger }) => ledger.findings)];
  }

  get outcome(): SoakOutcome {
    const findings = this.#findings;
    const history = findings.slice(0, TOLD_FINDINGS).flatMap(({ loss, what }) => {
      const mailbox = this.#mailboxes.find(({ user }) => what.startsWith(`${user}:`));
      const name = /[0-9]+\.M[0-9]+P1\.test|\b[0-9]{16}\b/.exec(what)?.[0] ?? "";
      return [`--- ${loss}: ${what}`, ...(mailbox?.ledger.historyOf(name) ?? [])];
    });
    return { figures: this.#figures, findings, history };
  }

  /** Goes on for as long as is asked for, and ends with a comparison. */
  async take(): Promise<void> {
    const { seconds, clients, compareEveryS, killEveryS, onProgress } = this.#options;
    const random = this.#random;
    const actors = [
      ...Array.from({ length: clients }, () => this.#again(30, () => this.#session())),
      this.#again(60, () => this.#deliver()),
      this.#again(20, () => this.#act("messages renamed by others", (mailbox) => mailbox.flag())),
      this.#again(500, () => this.#act("messages removed by others", (box) => box.expunge())),
      this.#again(2_000, () => this.#act("messages removed by retention", (box) => box.retain())),
      this.#again(6_000, () => this.#count("reloads", () => this.#server.reload())),
      this.#again(killEveryS * 400, () => {
        if (this.#server.killWorker(random)) this.#figures.count("kills of a worker");
      }),
      this.#again(killEveryS * 2_000, () =>
        this.#count("kills of the server", () => {
          return this.#server.killAll();
        })),
    ];
    const endsMs = performance.now() + seconds * 1_000;
    while (performance.now() < endsMs) {
      await sleep(Math.min(compareEveryS * 1_000, Math.max(0, endsMs - performance.now())));
      await this.#gate.close();
      await this.#compare();
      this.#gate.open();
      onProgress?.(this.#figures, this.#findings);
    }
    this.#gate.end();
    await Promise.all(actors);
    await this.#compare();
    for (const line of new Set(this.#server.faults)) {
      this.find("answer that nobody expects", line);
    }
  }

  /** Does one thing again and again, with pauses of up to twice `pauseMs`. */
  async #again(pauseMs: number, work: () => void | Promise<void>): Promise<void> {
    while (!this.#gate.isOver) {
      await this.#pause(this.#random() * 2 * pauseMs);
      await this.#gate.pass(work);
    }
  }

  /** Shorter where the soak ends before. */
  async #pause(ms: number): Promise<void> {
    for (let left = ms; left > 0 && !this.#gate.isOver; left -= 500) {
      await sleep(Math.min(left, 500));
    }
  }

  async #count(what: string, work: () => void | Promise<void>): Promise<void> {
    await work();
    this.#figures.count(what);
  }

  #act(what: string, work: (mailbox: SoakMailbox) => boolean | number): void {
    this.#figures.count(what, Number(work(oneOf(this.#mailboxes, this.#random))));
  }

  #deliver(): void {
    const mailbox = oneOf(this.#mailboxes, this.#random);
    const folder = this.#random() < 0.7 ? "new" : "cur";
    const count = 1 + Math.floor(this.#random() * 3);
    for (let i = 0; i < count; i++) mailbox.deliver(folder);
    this.#figures.count(`messages delivered into ${folder}/`, count);
  }

  async #session(): Promise<void> {
    const kind = oneOf(Object.keys(SESSIONS), this.#random);
    const mailbox = oneOf(this.#mailboxes, this.#random);
    const who = `${kind} ${++this.#sessions}`;
    const beganMs = performance.now();
    try {
      await SESSIONS[kind]!(this.#visit(mailbox, who));
      this.#figures.count(`sessions: ${kind}`);
    } catch (error) {
      this.#judge(mailbox, who, { beganMs, error });
    }
  }

  #visit(mailbox: SoakMailbox, who: string): Visit {
    const { current } = this.#server;
    return { mailbox, server: current, random: this.#random, figures: this.#figures, who };
  }

  /**
   * A session that a kill may have broken is excused, and no other. Workers whose server was killed say goodbye
   * to their sessions.
   */
  #judge(
    { ledger }: SoakMailbox,
    who: string,
    { beganMs, error }: { readonly beganMs: number; readonly error: unknown },
  ): void {
    const isBroken = isBrokenConnection(error);
    const isToldGoodbye = /shutting down/.test(String(error));
    if ((isBroken || isToldGoodbye) && this.#server.excuses(beganMs)) {
      return this.#figures.count("sessions broken off by a kill");
    }
    const loss = isBroken ? "connection lost without a cause" : "answer that nobody expects";
    ledger.find(loss, `${who}: ${error}`);
  }

  /** While nobody else does anything: what is there, and what a client sees of it. */
  async #compare(): Promise<void> {
    for (const mailbox of this.#mailboxes) {
      const present = mailbox.tokensOnDisk();
      mailbox.ledger.checkDisk(present);
      const shown = await this.#lookAtAll(mailbox);
      for (const token of present) {
        if (shown !== undefined && !shown.has(token)) {
          mailbox.ledger.find("message not shown", token);
        }
      }
    }
    this.#figures.count("comparisons with nobody else there");
  }

  /** The tokens of all that one client is shown, or undefined where that fails, which is a finding. */
  async #lookAtAll(mailbox: SoakMailbox): Promise<Set<string> | undefined> {
    for (let tries = 1;; tries++) {
      const beganMs = performance.now();
      try {
        const client = await this.#server.current.login(mailbox.user);
        const shown = new Set<string>();
        for (const line of await client.listing("UIDL")) {
          const [number, id = ""] = line.split(" ");
          const octets = Buffer.from(await client.retrieve(`RETR ${number}`));
          const token = tokenIn(octets);
          mailbox.ledger.retrieved(id, octets, token);
          shown.add(token ?? id);
        }
        await client.quit();
        return shown;
      } catch (error) {
        const isExcused = isBrokenConnection(error) && this.#server.excuses(beganMs);
        if (isExcused && tries < MOST_TRIES) continue;
        this.#judge(mailbox, "comparison", { beganMs: Infinity, error });
        return undefined;
      }
    }
  }
}
