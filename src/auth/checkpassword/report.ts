/**
 * How a checkpassword program tells whose account it is: it changes its environment and runs the program
 * that it was given, which here writes that environment to a descriptor.
 *
 * `USER` and `HOME` are of the interface. `EXTRA` is Dovecot's: names of further variables, parted by
 * blanks, which are extra fields as in a user file.
 *
 * *Knows* the fields. *Does not know* processes.
 */

import { parseAllowedNetworks } from "../allowed_networks.ts";
import type { DirectoryEntry } from "../directory.ts";
import { faultOfUserName } from "../user_name.ts";

/** The descriptor that the report comes by, which Dovecot's checkpassword-reply writes to as well. */
export const REPORT_DESCRIPTOR = 4;

/**
 * What the program runs when the password is right. `env` writes the environment with a NUL behind each
 * variable, so that line ends in values do no harm; the shell is there for the descriptor, since
 * standard output may have in it what the program said before.
 */
export const REPORTING_COMMAND: readonly string[] = [
  "/bin/sh",
  "-c",
  `exec /usr/bin/env -0 >&${REPORT_DESCRIPTOR}`,
];

/** Of Dovecot's: a password for another server has no use here, and what is not kept cannot leak. */
const NOT_KEPT = new Set(["pass", "password"]);

/**
 * The entry that a report describes.
 *
 * @param user The name that was asked for, where the program says no other.
 * @throws {Error} If it says what no entry can say.
 */
export function readReport(octets: Uint8Array, user: string): DirectoryEntry {
  const variables = variablesOf(octets);
  const extra = extraFields(variables);
  const name = variables.get("USER") ?? user;
  const fault = faultOfUserName(name);
  if (fault !== undefined) throw new Error(`The program's USER is none: a user name ${fault}`);
  const home = extra.mailbox.get("home") ?? variables.get("HOME") ?? "";
  if (home !== "" && !home.startsWith("/")) {
    throw new Error("The program's HOME is no absolute path");
  }
  const nets = extra.login.get("allow_nets");
  const allowedNetworks = nets === undefined ? undefined : parseAllowedNetworks(nets);
  if (nets !== undefined && allowedNetworks === undefined) {
    throw new Error("The program's allow_nets is no list of addresses and networks");
  }
  return {
    account: {
      user: name,
      ...(home === "" ? {} : { home }),
      extra: Object.fromEntries([...extra.login, ...extra.mailbox]),
    },
    storedPassword: "",
    disabled: extra.login.has("nologin"),
    ...(allowedNetworks === undefined ? {} : { allowedNetworks }),
  };
}

function variablesOf(octets: Uint8Array): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of new TextDecoder().decode(octets).split("\0")) {
    const equals = line.indexOf("=");
    if (equals > 0) variables.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return variables;
}

/** The variables that `EXTRA` names, in lower case as Dovecot has them. */
function extraFields(variables: ReadonlyMap<string, string>) {
  const login = new Map<string, string>();
  const mailbox = new Map<string, string>();
  for (const name of variables.get("EXTRA")?.split(" ") ?? []) {
    const value = variables.get(name);
    const key = name.toLowerCase();
    if (value === undefined || NOT_KEPT.has(key)) continue;
    if (key.startsWith("userdb_")) mailbox.set(key.slice("userdb_".length), value);
    else login.set(key, value);
  }
  return { login, mailbox };
}
