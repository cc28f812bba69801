/**
 * Finds a user for commands as a login would: in all directories, in their order, by the rules for names.
 *
 * *Knows*: directories, the rules for names. *Does not know*: passwords, how it is shown.
 */

import type { AccountDirectory, DirectoryEntry } from "../auth/directory.ts";
import { readLoginNames } from "../auth/login_names.ts";
import type { Settings } from "../settings.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { nameRulesOf } from "./login_options.ts";
import { printable } from "./printable.ts";

export interface FoundUser {
  readonly entry: DirectoryEntry;
  /** Which of the directories has the user. */
  readonly index: number;
  /** As it was spelt; undefined where the mailbox itself is meant. */
  readonly folder: string | undefined;
}

/**
 * Undefined if nobody is found by the name alone.
 *
 * @param whose Which user a name stands for that has two in it: who logs in, or whose mailbox is opened.
 *
 * @throws {Failure} If a directory cannot tell now; where a mailbox is meant, also if what it says of the user cannot be
 * understood: the place, the quota or the ages of the user may be what is meant by it.
 */
export async function findUser(
  user: string,
  settings: Settings,
  directories: readonly AccountDirectory[],
  whose: "login" | "mailbox" = "login",
): Promise<FoundUser | undefined> {
  const names = readLoginNames(user, "", nameRulesOf(settings));
  if (names === undefined) return undefined;
  const name = whose === "mailbox" ? names.mailbox ?? names.login : names.login;
  for (const [index, directory] of directories.entries()) {
    if (!directory.findsByName) continue;
    let entry: DirectoryEntry | undefined;
    try {
      entry = await directory.lookUp(name);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(
        ExitCode.temporary,
        `the directory ${directoryName(index, settings)} cannot tell: ${printable(reason)}`,
        { cause: error },
      );
    }
    if (entry === undefined) continue;
    if (whose === "mailbox" && entry.fault !== undefined) {
      const text = `the mailbox of ${entry.account.user}: ${entry.fault}`;
      throw new Failure(ExitCode.inputOutput, printable(text));
    }
    return { entry, index, folder: names.folder };
  }
  return undefined;
}

/** What a directory is called: its kind, and its place where others are of that kind too. */
export function directoryName(index: number, { directories }: Settings): string {
  const kind = directories[index]?.kind ?? "";
  const ofKind = directories.filter((table) => table.kind === kind);
  return ofKind.length > 1 ? `${kind} (directories[${index}])` : kind;
}

/** There is nobody of this name in any directory that finds users by names. */
export function noSuchUser(user: string, settings: Settings): Failure {
  const where = settings.directories.map((table, index) =>
    table.kind === "user_file" ? table.file : directoryName(index, settings)
  );
  return new Failure(
    ExitCode.noUser,
    `there is no user ${printable(user)} in ${printable(where.join(", "))}`,
  );
}

/** A sentence if users can come from elsewhere than the user file; none otherwise. */
export function notListed(settings: Settings): string[] {
  const others = settings.directories.flatMap((table, index) =>
    table.kind === "user_file" && table.file === settings.userFile
      ? []
      : [directoryName(index, settings)]
  );
  if (others.length === 0) return [];
  const noun = others.length === 1 ? "the directory" : "the directories";
  const list = `these are the users of ${printable(settings.userFile)}`;
  return [`${list}; those of ${noun} ${others.join(", ")} are not listed`];
}
