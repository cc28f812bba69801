/**
 * Makes what logins are decided by, as the settings say: directories, password checks, the guard against
 * guessing, and what each mechanism needs.
 *
 * *Knows*: settings, the room auth. *Does not know*: sockets, sessions, mail.
 */

import { Authenticator } from "../auth/authenticator.ts";
import type { AccountDirectory } from "../auth/directory.ts";
import { Kerberos } from "../auth/gssapi/kerberos.ts";
import { HashPool } from "../auth/hash_pool.ts";
import { NtlmAuthHelpers } from "../auth/ntlm_auth_helper/helper_pool.ts";
import type { WeakSchemes } from "../auth/password_schemes/scheme.ts";
import type { Settings } from "../settings.ts";
import { openDirectory } from "./directories.ts";
import {
  clientCertificateOptions,
  kerberosOptions,
  nameRulesOf,
  openCertificates,
  openTokens,
  tokenOptions,
  weakSchemesOf,
} from "./login_options.ts";
import { LoginWays, type OAuthWay } from "./login_ways.ts";
import type { Parts } from "./parts.ts";
import { type Remembered, rememberedParts } from "./remembered.ts";
import { orBadSetting } from "./setting_fault.ts";

export interface LoginParts {
  readonly authenticator: Authenticator;
  readonly ways: LoginWays;
  readonly remembered: Remembered;
  readonly directories: readonly AccountDirectory[];
}

/**
 * Takes or makes all of them.
 *
 * @param remembered Where another process remembers; without, this one does.
 * @throws {Failure} If a file that the settings name cannot be used, or they name what is not there.
 */
export async function loginParts(
  settings: Settings,
  parts: Parts,
  remembered?: Remembered,
): Promise<LoginParts> {
  const weakSchemes = weakSchemesOf(settings);
  const directories = await openDirectories(settings, parts);
  const { passwordWorkers, passwordMemoryMs } = settings;
  const hashPool = await parts.take(
    "hash pool",
    passwordWorkers,
    () => new HashPool({ workers: passwordWorkers }),
    (pool) => pool.close(),
  );
  const memory = remembered ?? await rememberedParts(settings, parts);
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
      [...memory.madeUpKey],
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
        ...memory,
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
  return { authenticator, ways, remembered: memory, directories };
}

/**
 * Opens the directories, in their order; `parts` closes them.
 *
 * @throws {SettingFault} If one cannot be used as the settings have it; a server need not be there.
 */
export async function openDirectories(
  settings: Settings,
  parts: Parts,
): Promise<readonly AccountDirectory[]> {
  const weakSchemes = weakSchemesOf(settings);
  const made: AccountDirectory[] = [];
  for (const index of settings.directories.keys()) {
    made.push(await openDirectoryAt(index, { settings, weakSchemes, parts }));
  }
  return made;
}

/** Opens one of them. @throws {SettingFault} As `openDirectories`. */
export async function openDirectoryAt(
  index: number,
  { settings, weakSchemes, parts }: {
    readonly settings: Settings;
    readonly weakSchemes: WeakSchemes;
    readonly parts: Parts;
  },
): Promise<AccountDirectory> {
  const table = settings.directories[index]!;
  return await parts.take(
    `directory ${index}`,
    [table, settings.weakPasswordSchemes],
    () => orBadSetting(`directories[${index}]`, () => openDirectory(table, weakSchemes)),
    (directory) => directory.close?.(),
  );
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

async function kerberosOf(settings: Settings, parts: Parts): Promise<Kerberos | undefined> {
  if (settings.gssapiKeytab === "") return undefined;
  const options = kerberosOptions(settings);
  return await parts.take(
    "Kerberos",
    options,
    async () => {
      const kerberos = await orBadSetting("gssapi_user", () => new Kerberos(options));
      await kerberos.check();
      return kerberos;
    },
    (kerberos) => kerberos.close(),
  );
}

async function oauthOf(settings: Settings, parts: Parts): Promise<OAuthWay | undefined> {
  const options = tokenOptions(settings);
  if (options === undefined) return undefined;
  return {
    validator: await parts.take("tokens", options, () => openTokens(options)),
    scope: settings.oauthScopes.join(" "),
    openidConfiguration: settings.oauthOpenidConfigurationUrl,
  };
}

async function clientCertificatesOf(settings: Settings, parts: Parts) {
  const options = clientCertificateOptions(settings);
  if (options === undefined) return undefined;
  return await parts.take(
    "client certificates",
    options,
    () => openCertificates(options, settings),
  );
}
