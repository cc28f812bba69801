/**
 * All users that directories can list, each as a login would find the name: those of the user files, and those of LDAP
 * servers and databases whose tables say how. The first directory that knows a name decides, as it does for logins.
 *
 * A user of whom a directory says something that cannot be understood, or nothing now, is told as that and as nothing
 * else: what is done for a user by the user's own settings must not be done by half of them. Neither must a list that
 * broke off pass for all users.
 *
 * *Knows*: directories. *Does not know*: what is done for each user.
 */

import type { AccountDirectory, DirectoryEntry, ListedUser } from "../../auth/directory.ts";
import { weakSchemesNamed } from "../../auth/stored_password.ts";
import { listUsers } from "../../auth/user_file/user_file_edit.ts";
import { foldedName } from "../../auth/user_name.ts";
import type { Account } from "../../maildrop/store.ts";
import type { Settings } from "../../settings.ts";
import { directoryName } from "../find_user.ts";

/** A listed user of whom it cannot be told now who that is, or a directory that lists no further. */
export interface Unknown {
  /** Undefined where it is the directory. */
  readonly user: string | undefined;
  readonly reason: string;
}

/** Every listed user once; whom a directory cannot tell of comes as `Unknown`. */
export async function* listedUsers(
  settings: Settings,
  directories: readonly AccountDirectory[],
): AsyncGenerator<Account | Unknown> {
  const seen = new Set<string>();
  for (const index of settings.directories.keys()) {
    const name = directoryName(index, settings);
    let anybody: string | undefined;
    let known = false;
    try {
      for await (const listed of listOf(index, settings, directories)) {
        const found = await accountOf(listed, index, directories);
        anybody ??= listed.user;
        if (found === undefined) continue;
        known = true;
        if ("reason" in found) yield found;
        else if (!seen.has(found.user)) {
          seen.add(found.user);
          yield found;
        }
      }
    } catch (error) {
      yield { user: undefined, reason: `${name} does not list all its users: ${textOf(error)}` };
      continue;
    }
    // One may have gone meanwhile, or be kept from logging in; if it is so of all, the settings do not fit together.
    if (anybody !== undefined && !known) {
      const reason = `${name} lists users, such as "${anybody}", and finds none of them by name`;
      yield { user: undefined, reason };
    }
  }
}

/** A sentence about who was not among those listed. */
export function unknownText({ user, reason }: Unknown): string {
  return user === undefined ? reason : `the mailbox of ${user}: ${reason}`;
}

async function* listOf(
  index: number,
  settings: Settings,
  directories: readonly AccountDirectory[],
): AsyncGenerator<ListedUser> {
  const table = settings.directories[index];
  if (table?.kind !== "user_file") {
    yield* directories[index]?.listUsers?.() ?? [];
    return;
  }
  const { weak } = weakSchemesNamed(settings.weakPasswordSchemes);
  yield* (await listUsers(table.file, weak)).users.map(({ user }) => ({ user }));
}

/** @param index Which of the directories lists the user. */
async function accountOf(
  { user, account, fault }: ListedUser,
  index: number,
  directories: readonly AccountDirectory[],
): Promise<Account | Unknown | undefined> {
  // Those before it may know the name too. They are asked for it as clients' names are made.
  const before = account === undefined && fault === undefined
    ? directories
    : directories.slice(0, index);
  for (const directory of before) {
    if (!directory.findsByName) continue;
    let entry: DirectoryEntry | undefined;
    try {
      entry = await directory.lookUp(foldedName(user));
    } catch (error) {
      return { user, reason: textOf(error) };
    }
    if (entry?.fault !== undefined) return { user, reason: entry.fault };
    if (entry !== undefined) return entry.account;
  }
  return fault === undefined ? account : { user, reason: fault };
}

/** The directories whose users cannot be listed, by their names, with the setting that would help. */
export function unlistedDirectories(settings: Settings): string[] {
  return settings.directories.flatMap((table, index) => {
    const name = directoryName(index, settings);
    switch (table.kind) {
      case "user_file":
        return [];
      case "sql":
        return table.iterate_query === "" ? [`${name} (without iterate_query)`] : [];
      case "ldap":
        if (table.mode === "direct") return [name];
        return table.iterate_filter === "" ? [`${name} (without iterate_filter)`] : [];
      default:
        return [name];
    }
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
