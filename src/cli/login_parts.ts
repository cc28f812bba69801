/**
 * Makes what logins are decided by, as the settings say: directories, password checks, the guard against
 * guessing, and what each mechanism needs.
 *
 * *Knows*: settings, the room auth. *Does not know*: sockets, sessions, mail.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllowedNetworks } from "../auth/allowed_networks.ts";
import { openAppPasswordUses } from "../auth/app_password_uses.ts";
import { Authenticator } from "../auth/authenticator.ts";
import { openClientCertificates } from "../auth/client_certificates.ts";
import type { AccountDirectory } from "../auth/directory.ts";
import { Kerberos } from "../auth/gssapi/kerberos.ts";
import type { KerberosOptions } from "../auth/gssapi/kerberos_options.ts";
import {
  type GuessingGuard,
  type GuessingOptions,
  openGuessingGuard,
} from "../auth/guessing/guessing_guard.ts";
import { HashPool } from "../auth/hash_pool.ts";
import { keptKey } from "../auth/kept_key.ts";
import type { NameRules } from "../auth/login_names.ts";
import { NtlmAuthHelpers } from "../auth/ntlm_auth_helper/helper_pool.ts";
import { openTokenValidator } from "../auth/oauth/token_validator.ts";
import type { WeakSchemes } from "../auth/password_schemes/scheme.ts";
import { WEAK_SCHEMES, weakSchemesNamed } from "../auth/stored_password.ts";
import type { Settings } from "../settings.ts";
import { openDirectory } from "./directories.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { LoginWays, type OAuthWay } from "./login_ways.ts";
import type { Parts } from "./parts.ts";
import { printable } from "./printable.ts";

export interface LoginParts {
  readonly authenticator: Authenticator;
  readonly ways: LoginWays;
  readonly guard: GuessingGuard;
  readonly directories: readonly AccountDirectory[];
}

/**
 * Takes or makes all of them.
 *
 * @throws {Failure} If a file that the settings name cannot be used, or they name what is not there.
 */
export async function loginParts(settings: Settings, parts: Parts): Promise<LoginParts> {
  const weakSchemes = weakSchemesOf(settings);
  const directories = await openDirectories(settings, parts);
  const { passwordWorkers, passwordMemoryMs, stateFolder } = settings;
  const hashPool = await parts.take(
    "hash pool",
    passwordWorkers,
    () => new HashPool({ workers: passwordWorkers }),
    (pool) => pool.close(),
  );
  const guard = await guardOf(settings, parts);
  const uses = await parts.take(
    "app password uses",
    stateFolder,
    () => openAppPasswordUses(stateFolder),
    (uses) => uses.flush(),
  );
  const madeUpKey = await parts.take("made-up key", stateFolder, () => keptKey(stateFolder));
  const names = nameRulesOf(settings);
  const { masterUsers, weakPasswordSchemes } = settings;
  const made = ["hash pool", "app password uses", "guard", "made-up key"];
  const authenticator = await parts.take(
    "authenticator",
    // What it is made of is kept, or it is made anew for it.
    [
      names,
      masterUsers,
      weakPasswordSchemes,
      passwordMemoryMs,
      settings.directories,
      ...made.map((name) => parts.identity(name)),
    ],
    () =>
      new Authenticator({
        directories,
        hashPool,
        passwordMemoryMs,
        weakSchemes,
        names,
        masterUsers,
        guard,
        madeUpKey,
        noteAppPassword: (user, name, address) => uses.note(user, name, address, Date.now()),
      }),
  );
  const ways = new LoginWays({
    authenticator,
    mechanisms: settings.mechanisms,
    extendedProtection: settings.extendedProtectionPolicy,
    ntlm: settings.enableGssapiAndNtlmAuth ? await ntlmOf(settings, parts) : undefined,
    kerberos: settings.enableGssapiAndNtlmAuth ? await kerberosOf(settings, parts) : undefined,
    oauth: await oauthOf(settings, parts),
    clientCertificates: await clientCertificatesOf(settings, parts),
  });
  return { authenticator, ways, guard, directories };
}

/** How the names that clients send are read. */
export function nameRulesOf(settings: Settings): NameRules {
  const { defaultDomain, folderSeparator, masterUserSeparator, delegates, ntlmDomain } = settings;
  return { defaultDomain, folderSeparator, masterUserSeparator, delegates, ntlmDomain };
}

/** @throws {Failure} If one is no scheme. */
export function weakSchemesOf({ weakPasswordSchemes }: Settings): WeakSchemes {
  const { weak, unknown } = weakSchemesNamed(weakPasswordSchemes);
  if (unknown.length === 0) return weak;
  throw new Failure(
    ExitCode.badSettings,
    `weak_password_schemes has ${unknown.map(printable).join(", ")}; allowed are ` +
      WEAK_SCHEMES.join(", "),
  );
}

/**
 * Opens the directories, in their order; `parts` closes them.
 *
 * @throws {Failure} If one cannot be used as the settings have it; a server need not be there.
 */
export async function openDirectories(
  settings: Settings,
  parts: Parts,
): Promise<readonly AccountDirectory[]> {
  const weakSchemes = weakSchemesOf(settings);
  const made: AccountDirectory[] = [];
  for (const [index, table] of settings.directories.entries()) {
    made.push(
      await parts.take(
        `directory ${index}`,
        [table, settings.weakPasswordSchemes],
        () => orBadSettings(`directories[${index}]`, () => openDirectory(table, weakSchemes)),
        (directory) => directory.close?.(),
      ),
    );
  }
  return made;
}

/** @throws {Failure} If something cannot be made as the settings have it, with the key that is about it. */
async function orBadSettings<Value>(
  key: string,
  make: () => Value | Promise<Value>,
): Promise<Value> {
  try {
    return await make();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(ExitCode.badSettings, `${key}: ${printable(reason)}`, { cause: error });
  }
}

/** Kept over any change but that of its folder: what it has counted must not be forgotten. */
async function guardOf(settings: Settings, parts: Parts): Promise<GuessingGuard> {
  const { stateFolder: folder, neverBlockedAddresses } = settings;
  for (const address of neverBlockedAddresses) {
    if (parseAllowedNetworks(address) !== undefined) continue;
    throw new Failure(
      ExitCode.badSettings,
      `never_blocked_addresses has ${printable(address)}, which is no address or network`,
    );
  }
  return await parts.take(
    "guard",
    folder,
    () => openGuessingGuard(guessingOptions(settings), { folder }),
    (guard) => guard.close(),
  );
}

/** What the guard is to go by; a reload gives them to one that is kept. */
export function guessingOptions(settings: Settings): GuessingOptions {
  return {
    maxFailuresOfAddress: settings.maxFailedLoginsFromSingleAddress,
    maxFailuresOfAccount: settings.maxFailedLoginsPerUser,
    windowMs: settings.failedLoginWindowMs,
    blockMs: settings.failedLoginBlockMs,
    delayMs: settings.failedLoginDelayMs,
    neverBlocked: settings.neverBlockedAddresses,
  };
}

async function ntlmOf(settings: Settings, parts: Parts) {
  const { ntlmDomain, ntlmAuthProgram, ntlmAuthProcesses, serverName, defaultDomain } = settings;
  const helper = ntlmAuthProgram === "" ? undefined : await parts.take(
    "ntlm_auth",
    [ntlmAuthProgram, ntlmAuthProcesses],
    () => new NtlmAuthHelpers({ command: [ntlmAuthProgram], processes: ntlmAuthProcesses }),
    (helpers) => helpers.close(),
  );
  const names = {
    netbiosDomain: ntlmDomain,
    netbiosComputer: ntlmDomain,
    dnsDomain: defaultDomain,
    dnsComputer: serverName,
  };
  return { names, ownDomains: defaultDomain === "" ? [] : [defaultDomain], helper };
}

/** What accepting tickets is set up with. */
export function kerberosOptions(settings: Settings): KerberosOptions {
  return {
    keytab: settings.gssapiKeytab,
    realms: settings.gssapiRealms,
    userTemplate: settings.gssapiUser,
    extendedProtection: settings.extendedProtectionPolicy,
    nameSeparators: [settings.folderSeparator, settings.masterUserSeparator]
      .filter((separator) => separator !== ""),
    replayCache: join(settings.stateFolder, "kerberos_replays"),
  };
}

async function kerberosOf(settings: Settings, parts: Parts): Promise<Kerberos | undefined> {
  if (settings.gssapiKeytab === "") return undefined;
  const options = kerberosOptions(settings);
  return await parts.take(
    "Kerberos",
    options,
    async () => {
      const kerberos = new Kerberos(options);
      await kerberos.check();
      return kerberos;
    },
    (kerberos) => kerberos.close(),
  );
}

async function oauthOf(settings: Settings, parts: Parts): Promise<OAuthWay | undefined> {
  const { oauthJwks, oauthIntrospectionUrl } = settings;
  if (oauthJwks === "" && oauthIntrospectionUrl === "") return undefined;
  const options = {
    keySet: oauthJwks,
    introspection: oauthIntrospectionUrl === "" ? undefined : {
      url: oauthIntrospectionUrl,
      clientId: settings.oauthIntrospectionClientId,
      clientSecretFile: settings.oauthIntrospectionClientSecretFile,
    },
    issuer: settings.oauthIssuer,
    audience: settings.oauthAudience,
    scopes: settings.oauthScopes,
    userClaim: settings.oauthUserClaim,
  };
  return {
    validator: await parts.take(
      "tokens",
      options,
      () => orBadSettings("oauth_jwks", () => openTokenValidator(options)),
    ),
    scope: settings.oauthScopes.join(" "),
    openidConfiguration: settings.oauthOpenidConfigurationUrl,
  };
}

async function clientCertificatesOf(settings: Settings, parts: Parts) {
  const { clientCertificateAuthorities: file } = settings;
  if (file === "") return undefined;
  const options = {
    authorities: await readFile(file, "utf8"),
    userName: settings.clientCertificateUser,
    revocationLists: settings.clientCertificateRevocationLists,
  };
  return await parts.take(
    "client certificates",
    options,
    () => orBadSettings("client_certificate_authorities", () => openClientCertificates(options)),
  );
}
