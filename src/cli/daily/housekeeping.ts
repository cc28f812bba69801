/**
 * What a server does besides serving clients: its daily pass, and lending mailboxes to whoever removes old mail.
 *
 * Several servers may have one state folder; each lends at a socket of its own. Whether it still has one is looked at
 * every minute: the folder may be there by then, or another program may have taken the socket away.
 *
 * *Knows*: settings. *Does not know*: what mailboxes are lent for.
 */

import { mkdirSync } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { type Lend, LoanListener } from "../../net/loans/loan_listener.ts";
import { loanSocketPaths } from "../../net/loans/loan_terms.ts";
import { PlaceFailure } from "../../net/place_failure.ts";
import type { Settings } from "../../settings.ts";
import { DailyPass } from "./daily_pass.ts";
import { hasRetention } from "./tidying.ts";

const log = getLogger(["popkeep", "cli"]);

/** How often the socket is looked at, ms. */
const LOOK_MS = 60_000;

export class Housekeeping {
  readonly #lend: Lend;
  readonly #daily: DailyPass;
  #settings: Settings;
  #loans: LoanListener | undefined;
  /** Work on the socket is done one after the other. */
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Why there is none, as it was told. */
  #told: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(settings: Settings, lend: Lend) {
    this.#settings = settings;
    this.#lend = lend;
    this.#daily = new DailyPass(settings, () => this.#loans?.isInPlace === true);
  }

  /**
   * Begins, when clients are served. What cannot be had is said in the log, and no reason not to serve.
   *
   * @param lookMs Tests do not wait as long.
   */
  static async start(settings: Settings, lend: Lend, lookMs = LOOK_MS): Promise<Housekeeping> {
    const housekeeping = new Housekeeping(settings, lend);
    await housekeeping.#haveLoans();
    housekeeping.#look(lookMs);
    return housekeeping;
  }

  async reload(settings: Settings): Promise<void> {
    this.#daily.settings = settings;
    const isElsewhere = settings.stateFolder !== this.#settings.stateFolder;
    this.#settings = settings;
    if (!isElsewhere) return;
    this.#last = this.#last.then(() => this.#closeLoans());
    await this.#haveLoans();
  }

  async stopDaily(): Promise<void> {
    await this.#daily.stop();
  }

  /** Lends nothing any more: no session has a mailbox open. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#closeLoans();
  }

  #closeLoans(): void {
    this.#loans?.close();
    this.#loans = undefined;
  }

  #look(lookMs: number): void {
    this.#timer = setTimeout(() => {
      void this.#haveLoans().then(() => {
        if (!this.#isClosed) this.#look(lookMs);
      });
    }, lookMs);
    this.#timer.unref();
  }

  /** Never rejects. */
  #haveLoans(): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#isClosed || this.#loans?.isInPlace === true) return;
      this.#closeLoans();
      try {
        const loans = await this.#open();
        if (this.#isClosed) return loans.close();
        this.#loans = loans;
        if (this.#told !== undefined) {
          log.info("it can be asked which mailboxes are open", { socket: loans.path });
        }
        this.#told = undefined;
      } catch (error) {
        this.#tell(error instanceof Error ? error.message : String(error));
      }
    });
    return this.#last;
  }

  /** @throws {Error} If none of the places can be had. */
  async #open(): Promise<LoanListener> {
    const { stateFolder } = this.#settings;
    makeFolder(stateFolder);
    let inUse: PlaceFailure | undefined;
    for (const path of loanSocketPaths(stateFolder)) {
      try {
        return await LoanListener.open(path, this.#lend);
      } catch (error) {
        if (!(error instanceof PlaceFailure) || error.code !== "EADDRINUSE") throw error;
        inUse = error;
      }
    }
    throw inUse;
  }

  #tell(reason: string): void {
    if (reason === this.#told) return;
    this.#told = reason;
    const level = hasRetention(this.#settings) ? "warning" : "info";
    const [socket] = loanSocketPaths(this.#settings.stateFolder);
    log[level]("nobody can ask which mailboxes are open", { socket, reason });
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there, or whoever listens in it says what is wrong.
  }
}
