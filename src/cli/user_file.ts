/**
 * What the commands about users share: looking into the user file, making password fields, and telling
 * their refusals in the command line's way.
 *
 * *Knows*: the user file's editor, exit codes. *Does not know*: settings.
 */

import { Option } from "commander";
import { hashPassword, MAKEABLE_SCHEMES } from "../auth/stored_password.ts";
import { PasswordFault } from "../auth/password_schemes/scheme.ts";
import { type ListedUser, listUsers, UserFileError } from "../auth/user_file/user_file_edit.ts";
import { faultOfUserName, foldedName } from "../auth/user_name.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printErrors } from "./output.ts";
import { printable } from "./printable.ts";

/** What commander hands over for commands with `schemeOption`. */
export interface SchemeOptions {
  readonly scheme?: string;
}

/** `--scheme`: how the password is stored. */
export function schemeOption(): Option {
  return new Option(
    "--scheme <scheme>",
    `how to store the password: ${MAKEABLE_SCHEMES.join(", ")} (default: as set)`,
  ).argParser((text) => {
    const scheme = text.toUpperCase();
    if (MAKEABLE_SCHEMES.includes(scheme)) return scheme;
    throw new Failure(
      ExitCode.usage,
      `there is no password scheme ${printable(text)}; take ${MAKEABLE_SCHEMES.join(", ")}`,
    );
  });
}

/**
 * The user of this name, in whatever letter case. Undefined if there is none, or no user file yet.
 *
 * @throws {Error} What `node:fs` says if the file is there and cannot be read.
 */
async function findUser(userFile: string, name: string): Promise<ListedUser | undefined> {
  return (await usersIn(userFile)).find(({ user }) => foldedName(user) === foldedName(name));
}

/** @throws {Failure} If there is a user of this name, in whatever letter case. */
export async function checkIsNew(userFile: string, name: string): Promise<void> {
  const there = await findUser(userFile, name);
  if (there === undefined) return;
  const other = printable(there.user);
  throw new Failure(
    ExitCode.cannotCreate,
    there.user === name
      ? `there is a user ${other} already; \`popkeep user passwd\` changes the password`
      : `there is a user ${other} already, and ${printable(name)} differs in letter case alone`,
  );
}

async function usersIn(userFile: string): Promise<readonly ListedUser[]> {
  try {
    return (await listUsers(userFile)).users;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
}

/** @throws {Failure} If there is no such user. */
export async function existingUser(userFile: string, name: string): Promise<ListedUser> {
  const user = await findUser(userFile, name);
  if (user !== undefined) return user;
  throw new Failure(ExitCode.noUser, `there is no user ${printable(name)} in ${userFile}`);
}

/** @throws {Failure} If a user cannot have this name. */
export function checkUserName(name: string): void {
  const fault = faultOfUserName(name);
  if (fault !== undefined) throw new Failure(ExitCode.badData, `a user name ${fault}`);
  if (name.startsWith("@") || name.endsWith("@")) {
    throw new Failure(ExitCode.badData, "a user name has something before and after its @");
  }
}

/** The password field for the user file. @throws {Failure} If the scheme cannot take the password. */
export async function storedPassword(scheme: string, password: Uint8Array): Promise<string> {
  try {
    return await hashPassword(scheme, password);
  } catch (error) {
    if (!(error instanceof PasswordFault)) throw error;
    throw new Failure(ExitCode.badData, asClause(error.message), { cause: error });
  }
}

/** Runs an edit of the user file; its refusals become failures. */
export async function editing<Result>(edit: Promise<Result>): Promise<Result> {
  try {
    return await edit;
  } catch (error) {
    if (!(error instanceof UserFileError)) throw error;
    throw new Failure(CODES[error.kind], asClause(error.message), { cause: error });
  }
}

const CODES = {
  unfit: ExitCode.badData,
  exists: ExitCode.cannotCreate,
  missing: ExitCode.noUser,
} as const;

/** Faults of a user file that are told one by one; of the rest only the number. */
const FAULTS_TOLD = 20;

/** Tells what is wrong with lines of a user file, on standard error. */
export function printUserFileFaults(
  userFile: string,
  faults: readonly { readonly line: number; readonly reason: string }[],
): Promise<void> {
  const told = faults.slice(0, FAULTS_TOLD).map(({ line, reason }) =>
    `warning: ${userFile}:${line}: ${printable(reason)}`
  );
  const left = faults.length - told.length;
  if (left > 0) told.push(`warning: ${userFile}: ${left} more lines are at fault`);
  return printErrors(told);
}

/** A sentence as it stands after "popkeep: ". A name such as BLF-CRYPT stays as it is. */
export function asClause(sentence: string): string {
  const begin = /^[A-Z](?![A-Z])/.test(sentence)
    ? sentence.charAt(0).toLowerCase()
    : sentence.charAt(0);
  return printable(begin + sentence.slice(1).replace(/\.$/, ""));
}
