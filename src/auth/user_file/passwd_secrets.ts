/**
 * What a line of the user file holds for other ways than the password, in extra fields of popkeep's own:
 *
 *     popkeep_nt_hash=<32 hexadecimal digits>
 *     popkeep_scram_sha_256=<iterations>,<salt>,<StoredKey>,<ServerKey>
 *     popkeep_app_password_<name>={SSHA256}<base64>,<when it was made: 20240503T101500Z>
 *     popkeep_delegates=<user>,<user>
 *
 * No other word that begins with `popkeep_` means anything; none of them is ever among the extra fields of
 * an account, so that no secret gets into a log. Variables are not put in.
 *
 * *Knows* the fields. *Does not know* lines or files.
 */

import { faultOfAppPasswordName, isAppPasswordField } from "../app_passwords.ts";
import { APP_PASSWORDS_PER_USER } from "../../limits.ts";
import type { AppPassword } from "../directory.ts";
import type { UserSecrets } from "../login.ts";
import { encodeNtHash, parseNtHash } from "../ntlm/nt_hash.ts";
import { encodeScramKeys, isScramKeysFault, parseScramKeys } from "../scram/stored_keys.ts";
import { isLocked } from "../stored_password.ts";
import { faultOfUserName } from "../user_name.ts";

/** What all of these fields begin with. */
export const OWN_FIELD = "popkeep_";

export const NT_HASH_FIELD = "popkeep_nt_hash";
export const SCRAM_FIELD = "popkeep_scram_sha_256";
export const DELEGATES_FIELD = "popkeep_delegates";
const APP_PASSWORD_FIELD = "popkeep_app_password_";

const SCRAM_SCHEME = "{SCRAM-SHA-256}";

/** An app password as the user file has it. */
export interface KeptAppPassword extends AppPassword {
  /** Ms since 1970; undefined if the field does not say. */
  readonly madeMs?: number;
}

export interface OwnFields {
  readonly secrets?: UserSecrets;
  readonly appPasswords?: readonly KeptAppPassword[];
  readonly delegates?: readonly string[];
  /** What is wrong with the fields, a clause each; never holds anything of a secret. */
  readonly warnings?: readonly string[];
}

/**
 * Reads the fields of an entry. A locked one has no secrets, whatever stands there.
 *
 * @param fields Those that begin with OWN_FIELD.
 */
export function readOwnFields(
  fields: ReadonlyMap<string, string>,
  storedPassword: string,
): OwnFields {
  const warnings: string[] = [];
  const appPasswords: KeptAppPassword[] = [];
  let own: UserSecrets = {};
  let delegates: readonly string[] = [];
  for (const [field, value] of fields) {
    if (field === NT_HASH_FIELD) {
      const ntHash = parseNtHash(value);
      if (ntHash === undefined) warnings.push(`${field} is not 32 hexadecimal digits`);
      else own = { ...own, ntHash };
    } else if (field === SCRAM_FIELD) {
      const keys = parseScramKeys(value.startsWith("{") ? value : SCRAM_SCHEME + value);
      if (isScramKeysFault(keys)) warnings.push(`${field}: ${keys.reason}`);
      else own = { ...own, scramSha256: keys };
    } else if (field === DELEGATES_FIELD) {
      delegates = value.split(",").filter((name) => name !== "");
      if (delegates.some((name) => faultOfUserName(name) !== undefined)) {
        delegates = [];
        warnings.push(`${field} is no list of user names`);
      }
    } else if (field.startsWith(APP_PASSWORD_FIELD)) {
      const kept = readAppPassword(field.slice(APP_PASSWORD_FIELD.length), value);
      if (kept === undefined) warnings.push(`${nameable(field)} is no app password`);
      else appPasswords.push(kept);
    } else warnings.push(`${nameable(field)} is no field that popkeep knows`);
  }
  if (appPasswords.length > APP_PASSWORDS_PER_USER) {
    warnings.push(`of the app passwords only ${APP_PASSWORDS_PER_USER} count`);
    appPasswords.length = APP_PASSWORDS_PER_USER;
  }
  const secrets = { ...secretsInPassword(storedPassword), ...own };
  const hasSecrets = Object.keys(secrets).length > 0 || appPasswords.length > 0;
  const locked = hasSecrets && isLocked(storedPassword);
  return {
    ...(locked || Object.keys(secrets).length === 0 ? {} : { secrets }),
    ...(locked || appPasswords.length === 0 ? {} : { appPasswords }),
    ...(delegates.length === 0 ? {} : { delegates }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** What the password field itself is good for besides, where it is written for a mechanism, as in Dovecot. */
export function secretsInPassword(storedPassword: string): UserSecrets {
  const ntHash = parseNtHash(/^\{NTLM(?:\.HEX)?\}(.*)$/i.exec(storedPassword)?.[1] ?? "");
  if (ntHash !== undefined) return { ntHash };
  const scramSha256 = parseScramKeys(storedPassword);
  return isScramKeysFault(scramSha256) ? {} : { scramSha256 };
}

/** The fields for secrets that are made of the password, by name; undefined for one that is not wanted. */
export function encodeSecrets(
  { ntHash, scramSha256 }: UserSecrets,
): Readonly<Record<string, string | undefined>> {
  return {
    [NT_HASH_FIELD]: ntHash === undefined ? undefined : encodeNtHash(ntHash),
    [SCRAM_FIELD]: scramSha256 === undefined
      ? undefined
      : encodeScramKeys(scramSha256).slice(SCRAM_SCHEME.length),
  };
}

export function appPasswordField(name: string): string {
  return APP_PASSWORD_FIELD + name;
}

export function encodeAppPassword(storedPassword: string, madeMs: number): string {
  return `${storedPassword},${new Date(madeMs).toISOString().replace(/[-:]|\.[0-9]+/g, "")}`;
}

function readAppPassword(name: string, value: string): KeptAppPassword | undefined {
  const [storedPassword = "", made] = value.split(/,(.*)/s);
  if (faultOfAppPasswordName(name) !== undefined || !isAppPasswordField(storedPassword)) {
    return undefined;
  }
  if (made === undefined) return { name, storedPassword };
  const [, year, month, day, hour, minute, second] =
    /^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$/.exec(made) ?? [];
  const madeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(madeMs) ? undefined : { name, storedPassword, madeMs };
}

/** A field's name, as far as it can be one: it may be half of a secret with a blank in it. */
function nameable(field: string): string {
  return /^[a-z0-9_-]{1,64}$/.test(field) ? field : `a field that begins with ${OWN_FIELD}`;
}
