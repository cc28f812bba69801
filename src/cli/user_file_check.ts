/**
 * What in a user file keeps users out, and what there ought to be in it and is not.
 *
 * *Knows*: settings, the user file, its lines. *Does not know*: other directories, how it is shown.
 */

import type { AccountDirectory, DirectoryEntry } from "../auth/directory.ts";
import { openPasswdFile } from "../auth/user_file/passwd_file.ts";
import {
  isHashFault,
  isLocked,
  readStoredPassword,
  weakSchemesNamed,
} from "../auth/stored_password.ts";
import { type ListedUser, listUsers } from "../auth/user_file/user_file_edit.ts";
import { foldedName } from "../auth/user_name.ts";
import type { Settings, Warning } from "../settings.ts";
import { NAMED, usersWithoutDomain, usersWithoutPlace } from "./login_obstacles.ts";
import { printable } from "./printable.ts";
import { isOffered, SECRETS, type StoredSecret } from "./secret_mechanisms.ts";

/** What was found in one user file. */
export interface UserFileFindings {
  readonly warnings: readonly Warning[];
  /** Lines that are skipped or hold what is not honoured. */
  readonly faults: readonly { readonly line: number; readonly reason: string }[];
}

/**
 * Looks at the users of a file.
 *
 * @param key The setting that names it.
 */
export async function checkUserFile(
  key: string,
  file: string,
  settings: Settings,
): Promise<UserFileFindings> {
  const { weak } = weakSchemesNamed(settings.weakPasswordSchemes);
  const { users, faults } = await listUsers(file, weak);
  const directory = await openPasswdFile(file, { weakSchemes: weak });
  const warnings: Warning[] = [];
  const warn = (about: string) => (message: string) => warnings.push({ key: about, message });
  if (users.length === 0) warn(key)(`there are no users in ${file}`);
  usersWithoutDomain(users, settings.defaultDomain).forEach(warn("default_domain"));
  (await usersWithoutPlace(users, directory, settings.maildir)).forEach(warn("maildir"));
  const entries = await entriesOf(users, directory);
  const able = entries.filter((entry) => canLogIn(entry, weak));
  SECRETS.flatMap((secret) => usersWithout(secret, able, settings)).forEach(warn("mechanisms"));
  if (settings.directories.length === 1) {
    mastersNotAmong(users, settings).forEach(warn("master_users"));
  }
  return { warnings, faults };
}

async function entriesOf(users: readonly ListedUser[], directory: AccountDirectory) {
  const entries: DirectoryEntry[] = [];
  for (const { user } of users) {
    const entry = await directory.lookUp(user);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function canLogIn(
  { disabled, storedPassword, secrets }: DirectoryEntry,
  weak: ReadonlySet<string>,
): boolean {
  if (disabled || isLocked(storedPassword)) return false;
  return secrets !== undefined || !isHashFault(readStoredPassword(storedPassword, weak));
}

/** A sentence where a mechanism is offered to all and some cannot use it, or was asked for in vain. */
function usersWithout(
  secret: StoredSecret,
  able: readonly DirectoryEntry[],
  settings: Settings,
): string[] {
  const { kind, what, way, option } = secret;
  if (!isOffered(secret, settings)) return [];
  const lacking = able.filter(({ secrets }) => secrets?.[kind] === undefined);
  if (lacking.length === able.length) {
    const inVain = settings.mechanisms.length > 0 && settings.directories.length === 1;
    return inVain ? [`${way} is not offered, since no user has ${what}`] : [];
  }
  if (lacking.length === 0) return [];
  const named = lacking.slice(0, NAMED).map(({ account }) => printable(account.user)).join(", ");
  const more = lacking.length > NAMED ? ` and ${lacking.length - NAMED} more` : "";
  return [
    `${way} is offered to all, since some users have ${what}, and clients that take it fail for those ` +
    `who have none: ${named}${more}; \`popkeep user passwd ${option}\` makes one, and a list ` +
    `without ${way} in it offers it to nobody`,
  ];
}

function mastersNotAmong(users: readonly ListedUser[], { masterUsers, userFile }: Settings) {
  const known = new Set(users.map(({ user }) => foldedName(user)));
  return masterUsers.filter((name) => !known.has(foldedName(name))).map((name) =>
    `there is no user ${printable(name)} in ${userFile}`
  );
}
