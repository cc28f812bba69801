/**
 * What a server's row or entry says of a user, made into an entry of an account directory.
 *
 * A user of whom something cannot be understood gets an entry that lets nobody in: were he left out, the
 * next directory might know another user of that name, and a restriction that is not understood must not
 * be dropped.
 *
 * *Knows* what each field means. *Does not know* where it comes from.
 */

import { getLogger } from "@logtape/logtape";
import { parseAllowedNetworks } from "./allowed_networks.ts";
import type { DirectoryEntry } from "./directory.ts";
import type { UserSecrets } from "./login.ts";
import { NT_HASH_OCTETS, parseNtHash } from "./ntlm/nt_hash.ts";
import { isScramKeysFault, parseScramKeys } from "./scram/stored_keys.ts";
import { faultOfUserName } from "./user_name.ts";

const logger = getLogger(["popkeep", "auth"]);

/** "" and undefined both stand for what is not there. */
export interface EntryFields {
  readonly user: string;
  /** With its scheme. */
  readonly storedPassword: string;
  readonly disabled: boolean;
  readonly home?: string | undefined;
  readonly allowNets?: string | undefined;
  /** Hexadecimal digits, or the octets. */
  readonly ntHash?: string | Uint8Array | undefined;
  readonly scramSha256?: string | undefined;
  readonly delegates?: readonly string[] | undefined;
  readonly extra: Readonly<Record<string, string>>;
}

export interface ReadEntry {
  readonly entry: DirectoryEntry;
  /** The entry lets nobody in, since a field of it cannot be understood. */
  readonly faulty: boolean;
}

/** @param kind The directory's, for the log. */
export function readEntry(kind: string, fields: EntryFields): ReadEntry {
  const fault = faultOf(fields);
  if (fault !== undefined) {
    logger.warn("a user cannot log in", { directory: kind, user: fields.user, reason: fault });
    const account = { user: fields.user, extra: {} };
    return { entry: { account, storedPassword: "!", disabled: true, fault }, faulty: true };
  }
  const { user, storedPassword, disabled, home = "", allowNets = "", delegates = [] } = fields;
  const allowedNetworks = allowNets === "" ? undefined : parseAllowedNetworks(allowNets);
  const secrets = isLocked(storedPassword) ? undefined : secretsOf(kind, fields);
  return {
    entry: {
      account: { user, ...(home === "" ? {} : { home }), extra: fields.extra },
      storedPassword,
      disabled,
      ...(allowedNetworks === undefined ? {} : { allowedNetworks }),
      ...(secrets === undefined ? {} : { secrets }),
      ...(delegates.length === 0 ? {} : { delegates }),
    },
    faulty: false,
  };
}

/** Whether a server's field that says yes or no says yes: there are as many ways as databases. */
export function saysYes(value: string): boolean {
  return !["", "0", "f", "false", "n", "no", "off"].includes(value.trim().toLowerCase());
}

function faultOf({ user, home = "", allowNets = "" }: EntryFields): string | undefined {
  const fault = faultOfUserName(user);
  if (fault !== undefined) return `a user name ${fault}`;
  if (home !== "" && !home.startsWith("/")) return "the home is no absolute path";
  if (allowNets !== "" && parseAllowedNetworks(allowNets) === undefined) {
    return "allow_nets is no list of addresses and networks";
  }
  return undefined;
}

/** shadow(5): no password fits, nor does what was made of one. */
function isLocked(storedPassword: string): boolean {
  return /^(?:\{[^}]*\})?[!*]/.test(storedPassword);
}

/** A secret that cannot be read is none; the password still works. */
function secretsOf(kind: string, fields: EntryFields): UserSecrets | undefined {
  const { user, ntHash = "", scramSha256 = "" } = fields;
  const hash = readNtHash(ntHash);
  const keys = scramSha256 === "" ? undefined : parseScramKeys(scramSha256);
  if (ntHash.length > 0 && hash === undefined) {
    logger.warn("a secret cannot be read", { directory: kind, user, secret: "nt_hash" });
  }
  if (keys !== undefined && isScramKeysFault(keys)) {
    logger.warn("a secret cannot be read", { directory: kind, user, reason: keys.reason });
  }
  const scram = keys === undefined || isScramKeysFault(keys) ? undefined : keys;
  if (hash === undefined && scram === undefined) return undefined;
  return {
    ...(hash === undefined ? {} : { ntHash: hash }),
    ...(scram === undefined ? {} : { scramSha256: scram }),
  };
}

function readNtHash(stored: string | Uint8Array): Uint8Array | undefined {
  if (typeof stored === "string") return parseNtHash(stored.trim());
  if (stored.length === NT_HASH_OCTETS) return Uint8Array.from(stored);
  return parseNtHash(new TextDecoder("latin1").decode(stored).trim());
}
