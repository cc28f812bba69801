/**
 * The account directory that is a checkpassword program: a program of the operator's own that is given a
 * name and a password, and says whether they belong together and where the user's home is. The interface
 * is D. J. Bernstein's, with Dovecot's additions: https://cr.yp.to/checkpwd/interface.html
 *
 * The program is run anew for each login, without a shell, with a small environment and no secret in its
 * arguments. So many run at once and no more; one that does not end in time is killed, and its login
 * cannot be decided.
 *
 * *Knows* exit codes. *Does not know* how the program checks anything.
 */

import { getLogger } from "@logtape/logtape";
import { CHECKPASSWORD_PROCESSES, DIRECTORY_TIMEOUT_MS } from "../../limits.ts";
import { readReport, REPORTING_COMMAND } from "../checkpassword/report.ts";
import { environmentOf, requestOf } from "../checkpassword/request.ts";
import { type ProgramResult, runProgram } from "../checkpassword/run_program.ts";
import type { AccountDirectory, DirectoryCheck } from "../directory.ts";
import type { SecretKind } from "../login.ts";
import { faultOfUserName } from "../user_name.ts";
import { Turns } from "./turns.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface CheckpasswordOptions {
  /** The program by its absolute path, and its arguments. */
  readonly program: readonly string[];
  /** Programs that run at the same time at most. */
  readonly processes?: number;
  /** For a turn to come and the program to end. Then it is killed. */
  readonly timeLimitMs?: number;
}

/**
 * The user is not there or the password is wrong: 1 is the interface's, the others are those that
 * vpopmail's vchkpw has for it, as Dovecot takes them.
 */
const WRONG_CODES = new Set([1, 3, 12, 13, 15, 20, 21, 22, 23]);

const WRONG: DirectoryCheck = { kind: "wrong" };

export class CheckpasswordDirectory implements AccountDirectory {
  readonly kind = "checkpassword";
  readonly findsByName = false;
  readonly secretKinds: ReadonlySet<SecretKind> = new Set();
  readonly #command: readonly string[];
  readonly #turns: Turns;
  readonly #closing = new AbortController();

  /** @throws {Error} If the program is named by no absolute path. */
  constructor(options: CheckpasswordOptions) {
    if (!options.program[0]?.startsWith("/")) {
      throw new Error("A checkpassword program is named by its absolute path");
    }
    this.#command = [...options.program, ...REPORTING_COMMAND];
    this.#turns = new Turns({
      atOnce: options.processes ?? CHECKPASSWORD_PROCESSES.default,
      timeLimitMs: options.timeLimitMs ?? DIRECTORY_TIMEOUT_MS.default,
    });
  }

  /** Nobody: the program tells of users to those who know their passwords. */
  lookUp(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async checkPassword(
    user: string,
    password: Uint8Array,
    address: string | undefined,
  ): Promise<DirectoryCheck> {
    const request = requestOf(user, password);
    if (request === undefined || password.length === 0 || faultOfUserName(user) !== undefined) {
      return WRONG;
    }
    const environment = environmentOf(address);
    const result = await this.#turns.run(address, (limitMs) =>
      runProgram({
        command: this.#command,
        environment,
        request,
        password: new Uint8Array(password),
        limitMs,
        signal: this.#closing.signal,
      }));
    return conclude(result, user);
  }

  /** Kills the programs that run. */
  close(): Promise<void> {
    this.#turns.close();
    this.#closing.abort();
    return Promise.resolve();
  }
}

/** @throws {Error} If the program did not say whether the password is right. */
function conclude({ exitCode, report, said }: ProgramResult, user: string): DirectoryCheck {
  if (exitCode === 0) {
    // Whoever wrote a program that only exits has to hear of it, and nobody gets in by a mistake.
    if (report.length === 0) {
      throw new Error(
        "The checkpassword program exited with 0 without running the command that it was given",
      );
    }
    return { kind: "right", entry: readReport(report, user) };
  }
  if (said !== "") logger.warn("a checkpassword program complains", { said });
  if (WRONG_CODES.has(exitCode)) return WRONG;
  const meaning = exitCode === 111
    ? ", a temporary failure"
    : exitCode === 2
    ? ", which says that it is not used as it wants to be"
    : "";
  throw new Error(`The checkpassword program exited with ${exitCode}${meaning}`);
}
