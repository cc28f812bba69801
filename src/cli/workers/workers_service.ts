/**
 * A running popkeep of several workers, as its supervisor has it: it accepts nobody, and keeps what is there
 * once for all of them: the ports, the counts, the guard against guessing, the protocol log.
 *
 * A reload is tried on one worker first, who takes all of it or nothing. The others follow; one which then
 * cannot is replaced by one that begins with what is in force.
 *
 * *Knows*: what a worker is told. *Does not know*: signals, connections.
 */

import { randomBytes } from "node:crypto";
import { Buffer } from "node:buffer";
import { getLogger } from "@logtape/logtape";
import { configureLog } from "../../admin/log.ts";
import { ProtocolLog } from "../../admin/protocol_log.ts";
import { GuardForWorkers } from "../../auth/guessing/guard_for_workers.ts";
import { GUARD_PAIR_FAILED } from "../../auth/guessing/guard_messages.ts";
import type { GuessingGuard } from "../../auth/guessing/guessing_guard.ts";
import { CLOSE_LINGER_MS } from "../../limits.ts";
import type { Binding } from "../../net/listener.ts";
import { HeldPlaces } from "../../net/workers/held_places.ts";
import { SharedCounts } from "../../net/workers/shared_counts.ts";
import { Supervisor, type WorkerAnswer, WorkerCannotServe } from "../../net/workers/supervisor.ts";
import { ownCommand } from "../../platform/own_command.ts";
import { isSocketPath, type Settings } from "../../settings.ts";
import type { Beginning } from "../beginning.ts";
import { type ExitCode, ExitCode as Code } from "../exit_codes.ts";
import { Failure } from "../failure.ts";
import { guessingOptions } from "../guessing_options.ts";
import { Parts } from "../parts.ts";
import { type Remembered, rememberedParts } from "../remembered.ts";
import { bindingsOf, lmtpAddressesOf, protocolLogOptions } from "../server_options.ts";
import { VERSION } from "../version.ts";
import {
  APP_PASSWORD_USED,
  type AppPasswordUsed,
  BORROW,
  GIVE_BACK,
  HASTEN,
  PROTOCOL_LINES,
  type ProtocolLine,
  RELOAD,
  TAKE_SOCKETS,
  type Task,
  type TaskFault,
} from "./task.ts";
import { WORKER } from "./worker_argument.ts";

const log = getLogger(["popkeep", "cli"]);

/** Time that a worker gets to end beyond that of its sessions, ms: it writes what it remembers. */
const LAST_WORDS_MS = 10_000;

type RememberedHere = Remembered & { readonly guard: GuessingGuard };

/** What workers are told to serve by, and what it takes here. */
interface InForce {
  /** With the ports that are held. */
  readonly settings: Settings;
  /** Where they were read by root; a worker that is started again gets these. */
  readonly certificates?: Beginning["certificates"];
  readonly parts: Parts;
  readonly remembered: RememberedHere;
}

export class WorkersService {
  readonly #places: HeldPlaces;
  readonly #counts: SharedCounts;
  readonly #guard: GuardForWorkers;
  readonly #protocolLog: ProtocolLog;
  readonly #supervisor: Supervisor;
  #inForce: InForce;
  /** Mailboxes that are lent, by their paths. */
  readonly #lent = new Set<string>();
  /** Which worker serves the sockets of this machine, since two cannot listen on one. */
  #socketsOf: number | undefined;

  private constructor(workers: number, inForce: InForce, places: HeldPlaces) {
    const { settings, remembered } = inForce;
    this.#inForce = inForce;
    this.#places = places;
    const { counts, fileDescriptor } = SharedCounts.make(workers, randomBytes(32).toString("hex"));
    this.#counts = counts;
    this.#protocolLog = new ProtocolLog(protocolLogOptions(settings));
    this.#supervisor = new Supervisor({
      workers,
      command: [...ownCommand(), WORKER],
      hands: [fileDescriptor],
      task: (worker) => {
        this.#guard.began(worker);
        this.#socketsOf ??= worker;
        return this.#task(this.#inForce, worker);
      },
      asked: (worker, question, value) => this.#asked(worker, question, value),
      told: (worker, event, value) => this.#told(worker, event, value),
      gone: (worker) => {
        this.#guard.gone(worker);
        this.#counts.clear(worker);
        this.#giveSocketsOf(worker);
      },
    });
    this.#guard = new GuardForWorkers(
      remembered.guard,
      (pair) => this.#supervisor.tellAll(GUARD_PAIR_FAILED, pair),
    );
  }

  /**
   * Starts so many workers; resolves when all serve.
   *
   * @throws {PlaceFailure} If a place to listen on cannot be had.
   * @throws {Failure} If a worker cannot serve, as one process alone would fail.
   */
  static async start(
    settings: Settings,
    workers: number,
    { certificates, placesHad }: Beginning = {},
  ): Promise<WorkersService> {
    const parts = new Parts();
    const places = new HeldPlaces();
    try {
      const held = await places.change(allBindingsOf(settings));
      held.keep();
      placesHad?.();
      const remembered = await rememberedParts(settings, parts);
      const inForce = {
        settings: withBindings(settings, held.bindings),
        ...(certificates === undefined ? {} : { certificates }),
        parts,
        remembered,
      };
      const service = new WorkersService(workers, inForce, places);
      await service.#supervisor.start();
      return service;
    } catch (error) {
      places.closeAll();
      await parts.undo();
      throw error instanceof WorkerCannotServe ? failureOf(error.fault) : error;
    }
  }

  /**
   * Goes on with other settings in all workers, or in none. Connections go on.
   *
   * @throws {Error} As `start` does; then everything is as before.
   */
  async reload(settings: Settings): Promise<void> {
    const held = await this.#places.change(allBindingsOf(settings));
    const parts = new Parts(this.#inForce.parts);
    let next: InForce;
    let first: number | undefined;
    try {
      const remembered = await rememberedParts(settings, parts);
      next = { settings: withBindings(settings, held.bindings), parts, remembered };
      first = await this.#reloadOne(next);
    } catch (error) {
      held.undo();
      await parts.undo();
      throw error;
    }
    held.keep();
    this.#inForce = next;
    this.#guard.guard = next.remembered.guard;
    next.remembered.guard.reload(guessingOptions(settings));
    configureLog(settings);
    this.#protocolLog.change(protocolLogOptions(settings));
    await this.#reloadAllBut(first);
    await parts.closeBefore();
  }

  /** Stops; sessions get the settings' time to QUIT. */
  async stop(): Promise<void> {
    const { settings, parts, remembered } = this.#inForce;
    // Nobody who is about to be sent away waits for the answer to a failed login.
    remembered.guard.hasten();
    const mostMs = settings.shutdownGracePeriodMs + CLOSE_LINGER_MS + LAST_WORDS_MS;
    await this.#supervisor.stop(mostMs);
    this.#places.closeAll();
    await parts.closeAllBut();
    await this.#protocolLog.close();
  }

  /** Lends a mailbox that no worker has open; undefined if one has, or it is lent. */
  async borrow(path: string): Promise<(() => void) | undefined> {
    if (this.#lent.has(path)) return undefined;
    this.#lent.add(path);
    const giveBack = () => {
      this.#lent.delete(path);
      this.#supervisor.tellAll(GIVE_BACK, path);
    };
    // One that ended meanwhile has no session any more.
    const answers = await this.#supervisor.askAll(BORROW, path);
    if ([...answers.values()].every((isLent) => isLent === true)) return giveBack;
    giveBack();
    return undefined;
  }

  /** Cuts short the time that `stop` is giving. */
  hasten(): void {
    this.#supervisor.tellAll(HASTEN);
  }

  /** Returns who took it, or undefined if nobody serves at present. @throws {Failure} If it cannot be taken. */
  async #reloadOne(next: InForce): Promise<number | undefined> {
    // Who has the sockets first: nobody else can tell whether they can be had.
    const serving = this.#supervisor.serving;
    const inOrder = serving.toSorted((one, other) =>
      Number(other === this.#socketsOf) - Number(one === this.#socketsOf)
    );
    for (const worker of inOrder) {
      // One that ends meanwhile says nothing about the settings.
      const answer = await this.#askToReload(worker, this.#task(next, worker));
      if (answer?.done === true) return worker;
      if (answer !== undefined) throw failureOf(answer.fault);
    }
    return undefined;
  }

  async #reloadAllBut(first: number | undefined): Promise<void> {
    // Those that are about to serve have begun with what was in force before.
    const others = this.#supervisor.running.filter((worker) => worker !== first);
    await Promise.all(others.map(async (worker) => {
      const answer = await this.#askToReload(worker, this.#task(this.#inForce, worker));
      if (answer === undefined || answer.done) return;
      const reason = failureOf(answer.fault).message;
      log.warning("a worker cannot reload and is replaced", { worker, reason });
      this.#supervisor.replace(worker);
    }));
  }

  async #askToReload(worker: number, task: Task): Promise<WorkerAnswer | undefined> {
    return await this.#supervisor.ask(worker, RELOAD, task).catch(() => undefined) as
      | WorkerAnswer
      | undefined;
  }

  /** Whoever serves is to take the sockets of a worker that is gone; else the next one that begins has them. */
  #giveSocketsOf(worker: number): void {
    if (this.#socketsOf !== worker) return;
    const [next] = this.#supervisor.serving;
    this.#socketsOf = next;
    if (next !== undefined) this.#supervisor.tell(next, TAKE_SOCKETS);
  }

  #task({ settings, certificates, remembered }: InForce, worker: number): Task {
    return {
      version: VERSION,
      settings,
      ...(certificates === undefined ? {} : { certificates }),
      hasSockets: worker === this.#socketsOf,
      lent: [...this.#lent],
      counts: this.#counts.place,
      guard: { ...this.#guard.secrets, key: remembered.guard.key },
      madeUpKey: Buffer.from(remembered.madeUpKey).toString("base64url"),
    };
  }

  #asked(worker: number, question: string, value: unknown): Promise<unknown> {
    if (question === PROTOCOL_LINES) {
      for (const [line, timeMs] of value as readonly ProtocolLine[]) {
        this.#protocolLog.append(line, new Date(timeMs));
      }
      return Promise.resolve();
    }
    return this.#guard.asked(worker, question, value) ??
      Promise.reject(new Error(`"${question}" is no question`));
  }

  #told(worker: number, event: string, value: unknown): void {
    if (event === APP_PASSWORD_USED) {
      const { user, name, address } = value as AppPasswordUsed;
      this.#inForce.remembered.noteAppPassword(user, name, address);
    } else this.#guard.told(worker, event, value);
  }
}

/** All addresses, of whatever protocol. */
function allBindingsOf(settings: Settings): Binding[] {
  return [...bindingsOf(settings), ...lmtpAddressesOf(settings)];
}

function withBindings(settings: Settings, bindings: readonly Binding[]): Settings {
  const those = (isOne: (binding: Binding) => boolean) =>
    bindings.filter(isOne).map(({ address, port }) => ({ address, port }));
  const ofKind = (kind: Binding["security"]) =>
    those(({ security, protocol }) => security === kind && protocol === undefined);
  return {
    ...settings,
    unencryptedOrTlsBindings: ofKind("plain"),
    sslBindings: ofKind("implicit-tls"),
    lmtpBindings: [
      ...those(({ protocol }) => protocol === "lmtp"),
      ...settings.lmtpBindings.filter(isSocketPath),
    ],
  };
}

/** What a worker said of why it cannot serve, as a command would fail for that reason. */
function failureOf(fault: unknown): Failure {
  if (typeof fault !== "object" || fault === null) {
    return new Failure(Code.software, `a worker could not start: ${String(fault)}`);
  }
  const { exitCode, messages } = fault as TaskFault;
  return new Failure(exitCode as ExitCode, messages);
}
