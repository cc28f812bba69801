/**
 * The account directory that is the system's: PAM says whether a password is right and whether the account
 * may be used, the system's list of accounts says where the home is.
 *
 * PAM is Linux-PAM's library, called in threads of its own. Client addresses take turns at them. A call
 * that hangs costs its login and its thread: the login cannot be decided, and another thread takes over.
 *
 * *Knows* what an entry is made of. *Does not know* PAM: see ../pam/.
 */

import { getLogger } from "@logtape/logtape";
import {
  DIRECTORY_TIMEOUT_MS,
  FIRST_VALID_UID,
  PAM_PASSWORD_OCTETS,
  PAM_THREADS,
} from "../../limits.ts";
import type { AccountDirectory, DirectoryCheck, DirectoryEntry } from "../directory.ts";
import type { SecretKind } from "../login.ts";
import { openPam } from "../pam/linux_pam.ts";
import { openPamCalls, type PamCalls } from "../pam/pam_calls.ts";
import type { PamJob, PamVerdict } from "../pam/verdict.ts";
import { faultOfUserName } from "../user_name.ts";
import { Turns } from "./turns.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface PamOptions {
  /** The name of a file in /etc/pam.d; "popkeep" unless said. */
  readonly service?: string;
  /** The lowest uid that may log in; root never may. */
  readonly firstValidUid?: number;
  /** For an answer. */
  readonly timeLimitMs?: number;
  /** Where service files are, in the place of /etc/pam.d; for tests. */
  readonly confdir?: string;
  /** Calls at the same time at most. */
  readonly threads?: number;
}

const WRONG: DirectoryCheck = { kind: "wrong" };

/**
 * The directory over the system's PAM.
 *
 * @throws {Error} If the system has none; says what to install.
 */
export function openPamDirectory(options: PamOptions = {}): PamDirectory {
  openPam();
  return new PamDirectory(options);
}

export class PamDirectory implements AccountDirectory {
  readonly kind = "pam";
  readonly findsByName = true;
  readonly secretKinds: ReadonlySet<SecretKind> = new Set();
  readonly #job: Pick<PamJob, "service" | "confdir" | "firstValidUid">;
  readonly #turns: Turns;
  readonly #calls: PamCalls;

  /** Use `openPamDirectory`. */
  constructor(options: PamOptions) {
    const timeLimitMs = options.timeLimitMs ?? DIRECTORY_TIMEOUT_MS.default;
    const threads = options.threads ?? PAM_THREADS;
    this.#job = {
      service: options.service ?? "popkeep",
      ...(options.confdir === undefined ? {} : { confdir: options.confdir }),
      firstValidUid: options.firstValidUid ?? FIRST_VALID_UID.default,
    };
    this.#turns = new Turns({ atOnce: threads, timeLimitMs });
    this.#calls = openPamCalls(threads, timeLimitMs);
  }

  /** System accounts, whoever is behind them; none below the lowest uid. */
  async lookUp(user: string, address?: string): Promise<DirectoryEntry | undefined> {
    if (faultOfUserName(user) !== undefined) return undefined;
    return entryOf(await this.#ask({ ...this.#job, kind: "look-up", user }, address));
  }

  async checkPassword(
    user: string,
    password: Uint8Array,
    address: string | undefined,
  ): Promise<DirectoryCheck> {
    const length = password.length;
    if (length === 0 || length > PAM_PASSWORD_OCTETS || password.includes(0)) return WRONG;
    if (faultOfUserName(user) !== undefined) return WRONG;
    const verdict = await this.#ask({
      ...this.#job,
      kind: "check",
      user,
      password: new Uint8Array(password),
      ...(address === undefined ? {} : { address }),
    }, address);
    const entry = entryOf(verdict);
    return entry === undefined ? WRONG : { kind: "right", entry };
  }

  /** Ends the threads, as far as they can be ended. */
  async close(): Promise<void> {
    this.#turns.close();
    await this.#calls.close();
  }

  async #ask(job: PamJob, address: string | undefined): Promise<PamVerdict> {
    const verdict = await this.#turns.run(address, () => this.#calls.call(job));
    job.password?.fill(0);
    if (verdict === undefined) throw new Error("PAM did not answer");
    if (verdict.kind === "failed") throw new Error(`PAM cannot tell: ${verdict.reason}`);
    return verdict;
  }
}

/** @throws {Error} If a module has made something of the user that cannot be one. */
function entryOf(verdict: PamVerdict): DirectoryEntry | undefined {
  if (verdict.kind !== "right") return undefined;
  const { user, home, keptOut } = verdict;
  const fault = faultOfUserName(user);
  if (fault !== undefined) throw new Error(`PAM's user is none: a user name ${fault}`);
  if (keptOut !== undefined) logger.info("PAM keeps a user out", { user, reason: keptOut });
  return {
    account: { user, ...(home.startsWith("/") ? { home } : {}), extra: {} },
    storedPassword: "",
    disabled: keptOut !== undefined,
  };
}
