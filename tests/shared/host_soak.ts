/**
 * A soak of two hosts: clients of all sorts at both, mail that comes and is renamed and removed on a third, while
 * servers are killed, hosts lose their power, and filesystems hang on one of them. Now and then all are held up, and
 * what is in the store and what each host shows is compared with what clients were promised.
 *
 * *Knows* who takes part, and how often. *Does not know* how the outcome is told.
 */

import { Buffer } from "node:buffer";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isBrokenConnection } from "../fault/broken_connection.ts";
import { oneOf, randomFrom } from "../fault/chance.ts";
import { Figures } from "../fault/soak/figures.ts";
import { Gate } from "../fault/soak/gate.ts";
import type { Finding } from "../fault/soak/ledger.ts";
import { SESSIONS } from "../fault/soak/sessions.ts";
import { SoakMailbox, tokenIn } from "../fault/soak/soak_mailbox.ts";
import type { Host } from "../support/host_network.ts";
import { type MailHost, TwoHosts } from "./two_hosts.ts";

export interface HostSoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly clients: number;
  readonly mailboxes: number;
  /** Between two comparisons, s. */
  readonly compareEveryS: number;
  /** Between two faults, on average, s. */
  readonly faultEveryS: number;
  readonly onProgress?: (figures: Figures, findings: readonly Finding[]) => void;
}

export interface HostSoakOutcome {
  readonly figures: Figures;
  readonly findings: readonly Finding[];
  readonly history: readonly string[];
}

/** How far the first host's clock is ahead, s. */
const AHEAD_S = 30;

/** What clients of the filesystem remember is older than this for nobody, ms. */
const REMEMBERED_MS = 2_200;

/** The longest that a filesystem hangs, ms: longer than a lock's limit. */
const LONGEST_HANG_MS = 20_000;

/** What the log says of a message that went while it was read. */
const REMOVED_WHILE_READ = /could not read a message: (?:ESTALE|ENOENT)/;

/** Lines of the log that are told with a finding. */
const TOLD_CAUSES = 6;

/** Findings whose history is told. */
const TOLD_FINDINGS = 5;

/** Lines of each server's log that are told. */
const TOLD_LINES = 40;

/** A login after a fault may have to wait for a lock until it is stale, and fails before that where the disk hung. */
const MOST_TRIES = 6;

export async function hostSoak(options: HostSoakOptions): Promise<HostSoakOutcome> {
  const users = Array.from({ length: options.mailboxes }, (_, at) => `user${at}`);
  const hosts = await TwoHosts.start({
    users,
    settings: 'storage_timeout = "3s"',
    mounts: [{ clockAheadS: AHEAD_S }, {}],
  });
  try {
    const mailHost = await hosts.network.addHost();
    await hosts.shared.mountOn(mailHost);
    const soak = new HostSoak(options, hosts, mailHost, users);
    await soak.take();
    return soak.outcome;
  } finally {
    await hosts.stop();
  }
}

/** One of the two places where clients log in. */
interface Place {
  current: MailHost;
  readonly clockAheadS: number;
  /** Faults that have begun there, and when the last one ended; Infinity while one lasts. */
  faults: number;
  faultEndedMs: number;
}

class HostSoak {
  readonly #options: HostSoakOptions;
  readonly #hosts: TwoHosts;
  readonly #places: readonly Place[];
  readonly #mailboxes: readonly SoakMailbox[];
  readonly #random: () => number;
  readonly #gate = new Gate();
  readonly #figures = new Figures();
  #sessions = 0;

  constructor(
    options: HostSoakOptions,
    hosts: TwoHosts,
    mailHost: Host,
    users: readonly string[],
  ) {
    this.#options = options;
    this.#hosts = hosts;
    this.#random = randomFrom(options.seed);
    const noFault = { faults: 0, faultEndedMs: -Infinity };
    this.#places = [
      { current: hosts.one, clockAheadS: AHEAD_S, ...noFault },
      { current: hosts.other, clockAheadS: 0, ...noFault },
    ];
    this.#mailboxes = users.map((user) => {
      return new SoakMailbox(user, hosts.maildir({ host: mailHost }, user), this.#random);
    });
  }

  get #findings(): Finding[] {
    return this.#mailboxes.flatMap(({ ledger }) => ledger.findings);
  }

  get outcome(): HostSoakOutcome {
    const findings = this.#findings;
    const history = findings.slice(0, TOLD_FINDINGS).flatMap(({ loss, what }) => {
      const mailbox = this.#mailboxes.find(({ user }) => what.startsWith(`${user}:`));
      const name = /[0-9]+\.M[0-9]+P1\.test|\b[0-9]{16}\b/.exec(what)?.[0] ?? "";
      return [`--- ${loss}: ${what}`, ...(mailbox?.ledger.historyOf(name) ?? [])];
    });
    const logs = this.#places.flatMap(({ current: { host, popkeep } }) => {
      const lines = popkeep.log.split("\n").filter((line) => /"level":"(?:warn|error)/.test(line));
      return lines.slice(-TOLD_LINES).map((line) => `${host.address} ${line}`);
    });
    return { figures: this.#figures, findings, history: [...history, ...logs] };
  }

  async take(): Promise<void> {
    const { seconds, clients, compareEveryS, faultEveryS, onProgress } = this.#options;
    const actors = [
      ...Array.from({ length: clients }, () => this.#again(30, () => this.#session())),
      this.#again(60, () => this.#deliver()),
      this.#again(60, () => this.#act("messages renamed by others", (mailbox) => mailbox.flag())),
      this.#again(500, () => this.#act("messages removed by others", (box) => box.expunge())),
      this.#again(2_000, () => this.#act("messages removed by retention", (box) => box.retain())),
      // Each place has faults of its own, so that now and then both have one.
      ...this.#places.map((place) => this.#again(faultEveryS * 2_000, () => this.#fault(place))),
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
  }

  async #again(pauseMs: number, work: () => void | Promise<void>): Promise<void> {
    while (!this.#gate.isOver) {
      for (let left = this.#random() * 2 * pauseMs; left > 0 && !this.#gate.isOver; left -= 500) {
        await sleep(Math.min(left, 500));
      }
      await this.#gate.pass(work);
    }
  }

  #act(what: string, work: (mailbox: SoakMailbox) => boolean | number): void {
    this.#figures.count(what, Number(work(oneOf(this.#mailboxes, this.#random))));
  }

  #deliver(): void {
    const mailbox = oneOf(this.#mailboxes, this.#random);
    const count = 1 + Math.floor(this.#random() * 3);
    for (let i = 0; i < count; i++) mailbox.deliver(this.#random() < 0.7 ? "new" : "cur");
    this.#figures.count("messages delivered", count);
  }

  async #fault(place: Place): Promise<void> {
    const { clockAheadS, current: { host, mount, popkeep } } = place;
    place.faults++;
    place.faultEndedMs = Infinity;
    const chance = this.#random();
    if (chance < 0.4) {
      this.#figures.count("faults: server killed");
      await popkeep.process.end("SIGKILL");
      const next = await this.#hosts.startPopkeep(host, { clockAheadS });
      place.current = { host, mount, popkeep: next };
    } else if (chance < 0.7) {
      this.#figures.count("faults: host without power");
      await host.switchOff();
      place.current = await this.#hosts.addMailHost({ clockAheadS });
    } else {
      this.#figures.count("faults: filesystem hangs on one host");
      mount.signal("SIGSTOP");
      await sleep(this.#random() * LONGEST_HANG_MS);
      mount.signal("SIGCONT");
    }
    place.faultEndedMs = performance.now();
  }

  async #session(): Promise<void> {
    const kind = oneOf(Object.keys(SESSIONS), this.#random);
    const mailbox = oneOf(this.#mailboxes, this.#random);
    const place = oneOf(this.#places, this.#random);
    const { popkeep: server, host } = place.current;
    const who = `${kind} ${++this.#sessions} at ${host.address}`;
    const beganMs = performance.now();
    const logged = server.log.length;
    const visit = { mailbox, server, random: this.#random, figures: this.#figures, who };
    try {
      await SESSIONS[kind]!(visit);
      this.#figures.count(`sessions: ${kind}`);
    } catch (error) {
      if (this.#isExcused(place, beganMs)) this.#figures.count("sessions broken off by a fault");
      else if (isBrokenConnection(error) && REMOVED_WHILE_READ.test(server.log.slice(logged))) {
        // What has begun to be sent can only be broken off: no part may pass for the whole.
        this.#figures.count("sessions broken off in a message that was removed at the other host");
      } else this.#find(mailbox, who, error, server.log.slice(logged));
    }
  }

  /** Whether a fault of the host may be why a session failed that began then. */
  #isExcused({ faults, faultEndedMs }: Place, beganMs: number): boolean {
    return faults > 0 && faultEndedMs + REMEMBERED_MS > beganMs;
  }

  /** @param log What the server wrote meanwhile. */
  #find({ ledger }: SoakMailbox, who: string, error: unknown, log = ""): void {
    const isBroken = isBrokenConnection(error);
    const loss = isBroken ? "connection lost without a cause" : "answer that nobody expects";
    const causes = log.split("\n").filter((line) => /storage failed|could not/.test(line));
    ledger.find(loss, [`${who}: ${error}`, ...causes.slice(0, TOLD_CAUSES)].join("\n  "));
  }

  /** While nobody else does anything: what is there, and what each host shows of it. */
  async #compare(): Promise<void> {
    await sleep(REMEMBERED_MS);
    for (const mailbox of this.#mailboxes) {
      const present = mailbox.tokensOnDisk();
      mailbox.ledger.checkDisk(present);
      for (const place of this.#places) {
        const shown = await this.#lookAtAll(mailbox, place);
        for (const token of present) {
          if (shown === undefined || shown.has(token)) continue;
          if (this.#isStored(mailbox, token)) {
            mailbox.ledger.find("message not shown", `${token} at ${place.current.host.address}`);
          } else {this.#figures.count(
              "messages that the third host's client showed though they were gone",
            );}
        }
      }
    }
    this.#figures.count("comparisons with nobody else there");
  }

  /** Whether the store itself has a message, whatever clients of the filesystem remember of it. */
  #isStored({ user }: SoakMailbox, token: string): boolean {
    const maildir = this.#hosts.stored(user);
    return ["new", "cur"].some((folder) =>
      readdirSync(`${maildir}/${folder}`).some((name) => name.startsWith(token))
    );
  }

  /** The tokens of all that one client is shown, or undefined where that fails, which is a finding. */
  async #lookAtAll(mailbox: SoakMailbox, place: Place): Promise<Set<string> | undefined> {
    for (let tries = 1;; tries++) {
      const { host, popkeep } = place.current;
      try {
        const client = await popkeep.login(mailbox.user);
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
        if (tries === MOST_TRIES || !/SYS\/TEMP/.test(String(error))) {
          this.#find(mailbox, `comparison at ${host.address}`, error);
          return undefined;
        }
        this.#figures.count("logins that had to be tried again after a fault");
        await sleep(REMEMBERED_MS);
      }
    }
  }
}
