/**
 * Opens an account directory for a moment, asks it for nobody and for its first users: what is wrong with its
 * table, and whether it answers.
 *
 * *Knows*: settings, how directories are opened. *Does not know*: how it is shown.
 */

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { AccountDirectory } from "../auth/directory.ts";
import { foldedName } from "../auth/user_name.ts";
import { isHashFault, readStoredPassword, weakSchemesNamed } from "../auth/stored_password.ts";
import type { Settings, Warning } from "../settings.ts";
import { openDirectoryAt } from "./login_parts.ts";
import type { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { SettingFault } from "./setting_fault.ts";

/** What is wrong somewhere: what keeps the server from starting, and what does not. */
export interface Findings {
  readonly faults: readonly SettingFault[];
  readonly warnings: readonly Warning[];
}

/** Of all users, to see whether they can be listed. */
const SOME_USERS = 10;

/** Where files are that say what a PAM service is. */
const PAM_FOLDERS = ["/etc/pam.d", "/usr/lib/pam.d"];

/** Looks at the directory of this index; `parts` closes it. */
export async function checkDirectory(
  index: number,
  settings: Settings,
  parts: Parts,
): Promise<Findings> {
  const key = `directories[${index}]`;
  const warnings = [...unknownScheme(key, index, settings), ...noService(key, index, settings)];
  const weakSchemes = weakSchemesNamed(settings.weakPasswordSchemes).weak;
  try {
    const directory = await openDirectoryAt(index, { settings, weakSchemes, parts });
    warnings.push(...await askForNobody(key, directory), ...await listSome(key, directory));
    return { faults: [], warnings };
  } catch (error) {
    if (error instanceof SettingFault) return { faults: [error], warnings };
    throw error;
  }
}

/** Looks up a name that nobody has. */
async function askForNobody(key: string, directory: AccountDirectory): Promise<Warning[]> {
  const nobody = `nobody-${randomBytes(8).toString("hex")}`;
  try {
    if (await directory.lookUp(nobody) === undefined) return [];
    return [{ key, message: "it finds somebody by a name that nobody has" }];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // That it failed a moment ago is so because it was tried when it was opened.
    const now = printable(reason.replaceAll(" (a moment ago)", ""));
    return [{ key, message: `cannot be asked now: ${now}` }];
  }
}

/** Has the first users listed, where that can be, and looks for one of them. */
async function listSome(key: string, directory: AccountDirectory): Promise<Warning[]> {
  if (directory.listUsers === undefined) return [];
  const setting = `${key}.${directory.kind === "sql" ? "iterate_query" : "iterate_filter"}`;
  let first: string | undefined;
  let seen = 0;
  try {
    for await (const { user, account, fault } of directory.listUsers(SOME_USERS)) {
      if (account !== undefined || fault !== undefined) return [];
      if (await directory.lookUp(foldedName(user)) !== undefined) return [];
      first ??= user;
      if (++seen >= SOME_USERS) break;
    }
    const message = first === undefined
      ? "lists nobody"
      : `lists users, such as "${printable(first)}", who are not found by their names`;
    return [{ key: setting, message }];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ key: setting, message: `cannot list users now: ${printable(reason)}` }];
  }
}

function noService(key: string, index: number, { directories }: Settings): Warning[] {
  const table = directories[index];
  if (table?.kind !== "pam") return [];
  if (PAM_FOLDERS.some((folder) => existsSync(`${folder}/${table.service}`))) return [];
  return [{
    key: `${key}.service`,
    message: `there is no file ${table.service} in ${PAM_FOLDERS.join(" or ")}, so PAM goes by ` +
      'the service "other", which lets nobody in on most systems',
  }];
}

function unknownScheme(key: string, index: number, settings: Settings): Warning[] {
  const table = settings.directories[index];
  if (table?.kind !== "sql" && (table?.kind !== "ldap" || table.mode !== "stored")) return [];
  const scheme = table.default_password_scheme;
  const { weak } = weakSchemesNamed(settings.weakPasswordSchemes);
  const read = readStoredPassword(`{${scheme}}x`, weak);
  // CRYPT is told by what stands behind it.
  const isKnown = !isHashFault(read) || read.kind !== "unsupported" ||
    scheme.toUpperCase() === "CRYPT";
  if (isKnown) return [];
  return [{
    key: `${key}.default_password_scheme`,
    message: `passwords under ${scheme} are not honoured: ${printable(read.reason)}`,
  }];
}
