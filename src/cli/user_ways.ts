/**
 * In which ways a user would get in under the settings as they are, and why not in the others.
 *
 * Each is tried as far as a password goes: the NT hash and the SCRAM keys are held against it as an
 * exchange would. What needs a ticket, a token or a certificate is told by what would have to be in it.
 *
 * *Knows*: settings, an entry of a directory. *Does not know*: how it is shown, whether the server runs.
 */

import { timingSafeEqual } from "node:crypto";
import type { DirectoryEntry } from "../auth/directory.ts";
import type { SecretKind } from "../auth/login.ts";
import { NT_HASH_OCTETS, ntHash } from "../auth/ntlm/nt_hash.ts";
import { isLocked } from "../auth/stored_password.ts";
import { makeScramKeys } from "../auth/scram/derive_keys.ts";
import type { DirectoryTable, Settings } from "../settings.ts";

export interface Way {
  readonly name: string;
  /** `untried`: it takes more than the password that there was. */
  readonly works: "yes" | "untried" | "no";
  /** Under what condition, or why not. */
  readonly remark: string;
  /** Whether the remark is about this user, and not about all. */
  readonly isOfUser?: boolean;
}

export interface WaysQuestion {
  readonly settings: Settings;
  /** The table of the directory that the entry is from. */
  readonly table: DirectoryTable | undefined;
  /** What a directory has under the user's name; undefined where it is found by a password alone. */
  readonly entry: DirectoryEntry | undefined;
  /** Undefined where none was asked for. */
  readonly password: Uint8Array | undefined;
  /** Whether USER and PASS would take it. */
  readonly passwordIsRight: boolean;
  /** The label, if it is an app password. */
  readonly appPassword: string | undefined;
  /** Why GSSAPI cannot work, if it cannot. */
  readonly kerberosFault: string | undefined;
}

/** Every way that popkeep has, in the order that they are offered. */
export async function waysOf(question: WaysQuestion): Promise<Way[]> {
  const { loginType, certificates } = question.settings;
  const hasTls = certificates.length > 0;
  if (loginType === "secure_login" && !hasTls) {
    const why = "there is no certificate, and login_type is secure_login";
    return WAYS.map((name) => no(name, why));
  }
  const keptOut = whyKeptOut(question.entry);
  if (keptOut !== undefined) {
    return WAYS.map((name) => ({ ...no(name, keptOut), isOfUser: true }));
  }
  const anyway = hasTls ? "with and without TLS" : "without TLS";
  const where = loginType === "secure_login" ? "under TLS" : anyway;
  const ways = [
    external(question),
    gssapi(question, where),
    ntlm(question, where),
    ...await scram(question, where),
    ...bearer(question, where),
    byPassword("PLAIN", question, where),
    byPassword("USER and PASS", question, loginType === "plaintext_login" ? anyway : "under TLS"),
    appPasswords(question),
  ];
  const { mechanisms } = question.settings;
  const isOff = (name: string) =>
    mechanisms.length > 0 && isMechanism(name) && !mechanisms.some((one) => one === name);
  // What is for TLS alone is told why it cannot be, unless something else stands in its way.
  return ways.map((way) =>
    isOff(way.name)
      ? no(way.name, "it is not among the mechanisms of the settings")
      : !hasTls && way.works !== "no" && way.remark.startsWith("under TLS")
      ? no(way.name, "it needs TLS, and there is no certificate")
      : way
  );
}

const WAYS = [
  "EXTERNAL",
  "GSSAPI",
  "NTLM",
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "OAUTHBEARER",
  "XOAUTH2",
  "PLAIN",
  "USER and PASS",
  "app passwords",
] as const;

const isMechanism = (name: string) => name !== "USER and PASS" && name !== "app passwords";

const no = (name: string, remark: string): Way => ({ name, works: "no", remark });

/** Why nothing lets this user in, whatever is proved; undefined if that is not so. */
function whyKeptOut(entry: DirectoryEntry | undefined): string | undefined {
  if (entry === undefined) return undefined;
  if (isLocked(entry.storedPassword)) return "the user is locked";
  return entry.disabled ? "the user is disabled (nologin)" : undefined;
}

const NO_NAME = "no directory finds this user by a name alone";

function external({ settings, entry }: WaysQuestion): Way {
  const name = "EXTERNAL";
  const { clientCertificateAuthorities, clientCertificateUser } = settings;
  if (clientCertificateAuthorities === "") {
    return no(name, "client_certificate_authorities is not set");
  }
  if (entry === undefined) return no(name, NO_NAME);
  const where = {
    email: "an e-mail address",
    upn: "a user principal name",
    dns: "a DNS name",
    common_name: "the common name",
  }[clientCertificateUser];
  const remark = `under TLS, with a certificate whose ${where.replace(/^an? |^the /, "")} is ` +
    entry.account.user;
  return { name, works: "untried", remark };
}

function gssapi({ settings, entry, kerberosFault }: WaysQuestion, where: string): Way {
  const name = "GSSAPI";
  if (!settings.enableGssapiAndNtlmAuth) return no(name, "enable_gssapi_and_ntlm_auth is false");
  if (settings.gssapiKeytab === "") return no(name, "gssapi_keytab is not set");
  if (kerberosFault !== undefined) return no(name, kerberosFault);
  if (entry === undefined) return no(name, NO_NAME);
  const principal = principalOf(entry.account.user, settings);
  if (principal === undefined) {
    return no(
      name,
      `no principal is ${entry.account.user} by gssapi_user = "${settings.gssapiUser}"`,
    );
  }
  return { name, works: "untried", remark: `${where}, with a ticket of ${principal}` };
}

/** The principal that the template makes this user of; undefined if there is none. */
function principalOf(user: string, { gssapiUser: template, gssapiRealms }: Settings) {
  const known = gssapiRealms.length === 1 ? gssapiRealms[0] : "REALM";
  const [before = "", rest = ""] = template.split("{name}");
  const [between = "", behind] = rest.split("{realm}");
  const pattern = `^${escaped(before)}(.+?)${escaped(between)}` +
    (behind === undefined ? "" : `(.+)${escaped(behind)}`) + "$";
  const found = new RegExp(pattern, "s").exec(user);
  if (found === null) return undefined;
  const [, name = "", realm] = found;
  if (name.includes("@")) return undefined;
  return `${name}@${realm === undefined ? known : realm.toUpperCase()}`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function ntlm(question: WaysQuestion, where: string): Way {
  const { settings, entry, password } = question;
  const name = "NTLM";
  if (!settings.enableGssapiAndNtlmAuth) return no(name, "enable_gssapi_and_ntlm_auth is false");
  if (settings.ntlmAuthProgram !== "") {
    if (entry === undefined) return no(name, NO_NAME);
    return { name, works: "untried", remark: `${where}, if the Windows domain says so` };
  }
  const stored = entry?.secrets?.ntHash;
  if (stored === undefined) {
    return no(name, `there is no NT hash of this user${toMake(question, "ntHash")}`);
  }
  if (password === undefined) return { name, works: "untried", remark: where };
  return timingSafeEqual(ntHashOf(password), stored)
    ? { name, works: "yes", remark: where }
    : no(name, anotherPassword(question, "the NT hash is"));
}

function anotherPassword({ appPassword }: WaysQuestion, whatIs: string): string {
  return appPassword === undefined
    ? `${whatIs} of another password`
    : "an app password is no use for it";
}

/** What no NTLM client can send is of another password, too. */
function ntHashOf(password: Uint8Array): Uint8Array {
  try {
    return ntHash(password);
  } catch {
    return new Uint8Array(NT_HASH_OCTETS);
  }
}

async function scram(question: WaysQuestion, where: string): Promise<Way[]> {
  const { entry, password } = question;
  const names = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"] as const;
  const stored = entry?.secrets?.scramSha256;
  if (stored === undefined) {
    const why = `there are no SCRAM keys of this user${toMake(question, "scramSha256")}`;
    return names.map((name) => no(name, why));
  }
  if (password !== undefined) {
    // What SCRAM cannot take at all is of another password, too.
    const made = await makeScramKeys(password, stored).catch(() => undefined);
    if (made === undefined || !timingSafeEqual(made.storedKey, stored.storedKey)) {
      return names.map((name) => no(name, anotherPassword(question, "the SCRAM keys are")));
    }
  }
  const works = password === undefined ? "untried" : "yes";
  return [
    { name: names[0], works, remark: "under TLS 1.3" },
    { name: names[1], works, remark: where },
  ];
}

/** What makes the secret, or would: the command for our own user file, elsewhere its place. */
function toMake({ settings, table }: WaysQuestion, kind: SecretKind): string {
  const [option, column] = kind === "ntHash"
    ? ["--ntlm", "nt_hash"] as const
    : ["--scram", "scram_sha_256"] as const;
  switch (table?.kind) {
    case "user_file":
      return isOwn(table, settings)
        ? `: \`popkeep user passwd ${option}\``
        : `: its line has no popkeep_${column}`;
    case "sql":
      return `: the query gives no column ${column} with one in it`;
    case "ldap": {
      const attribute = table[`${column}_attribute`];
      return attribute === ""
        ? `: ${column}_attribute is not set`
        : `: the entry has no attribute ${attribute}, or it may not be read`;
    }
    case "pam":
      return ": PAM has none";
    default:
      return "";
  }
}

/** Whether `popkeep user` changes the file. */
function isOwn(table: DirectoryTable | undefined, { userFile }: Settings): boolean {
  return table?.kind === "user_file" && table.file === userFile;
}

function bearer({ settings, entry }: WaysQuestion, where: string): Way[] {
  const names = ["OAUTHBEARER", "XOAUTH2"];
  if (settings.oauthJwks === "" && settings.oauthIntrospectionUrl === "") {
    return names.map((name) => no(name, "neither oauth_jwks nor oauth_introspection_url is set"));
  }
  if (entry === undefined) return names.map((name) => no(name, NO_NAME));
  const remark = `${where}, with a token whose claim ${settings.oauthUserClaim} is ` +
    entry.account.user;
  return names.map((name): Way => ({ name, works: "untried", remark }));
}

function byPassword(
  name: string,
  { password, passwordIsRight }: WaysQuestion,
  remark: string,
): Way {
  if (password === undefined) return { name, works: "untried", remark };
  return passwordIsRight
    ? { name, works: "yes", remark }
    : no(name, "the password is wrong, or the user may not log in");
}

function appPasswords({ settings, entry, table, appPassword }: WaysQuestion): Way {
  const name = "app passwords";
  const labels = entry?.appPasswords?.map((one) => one.name).join(", ") ?? "";
  if (appPassword !== undefined) {
    return { name, works: "yes", remark: `as PLAIN and USER do; this is ${appPassword}` };
  }
  if (labels !== "") {
    return { name, works: "untried", remark: `as PLAIN and USER do; there are: ${labels}` };
  }
  if (table?.kind !== "user_file") return no(name, "only users of a user file have them");
  const hint = isOwn(table, settings) ? ": `popkeep user app-password add`" : "";
  return no(name, `there are none${hint}`);
}
