/**
 * What each part of logging in is told, as the settings say.
 *
 * *Knows*: settings, the options of the room auth. *Does not know*: what is made with them, and when.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ClientCertificates,
  type ClientCertificatesOptions,
  openClientCertificates,
} from "../auth/client_certificates/client_certificates.ts";
import type { KerberosOptions } from "../auth/gssapi/kerberos_options.ts";
import type { NameRules } from "../auth/login_names.ts";
import type { TokenValidator, TokenValidatorOptions } from "../auth/oauth/token_validator.ts";
import type { WeakSchemes } from "../auth/password_schemes/scheme.ts";
import { WEAK_SCHEMES, weakSchemesNamed } from "../auth/stored_password.ts";
import type { Settings } from "../settings.ts";
import { SettingFault, settingFaultOf } from "./setting_fault.ts";

/** How the names that clients send are read. */
export function nameRulesOf(settings: Settings): NameRules {
  const { defaultDomain, folderSeparator, masterUserSeparator, delegates, ntlmDomain } = settings;
  return { defaultDomain, folderSeparator, masterUserSeparator, delegates, ntlmDomain };
}

/** @throws {SettingFault} If one is no scheme. */
export function weakSchemesOf({ weakPasswordSchemes }: Settings): WeakSchemes {
  const { weak, unknown } = weakSchemesNamed(weakPasswordSchemes);
  if (unknown.length === 0) return weak;
  throw new SettingFault(
    "weak_password_schemes",
    `there is no weak scheme ${unknown.join(", ")}; allowed are ${WEAK_SCHEMES.join(", ")}`,
  );
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

/** Undefined where no tokens are taken. */
export function tokenOptions(settings: Settings): TokenValidatorOptions | undefined {
  const { oauthJwks, oauthIntrospectionUrl } = settings;
  if (oauthJwks === "" && oauthIntrospectionUrl === "") return undefined;
  return {
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
}

/** @throws {SettingFault} If a file cannot be used, or a URL may not be. */
export async function openTokens(options: TokenValidatorOptions): Promise<TokenValidator> {
  const { openTokenValidator } = await import("../auth/oauth/token_validator.ts");
  try {
    return await openTokenValidator(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const { url, clientSecretFile } = options.introspection ?? {};
    if (clientSecretFile && reason.includes(clientSecretFile)) {
      throw settingFaultOf("oauth_introspection_client_secret_file", error);
    }
    if (url !== undefined && reason.startsWith(url)) {
      throw settingFaultOf("oauth_introspection_url", error);
    }
    throw settingFaultOf("oauth_jwks", error, options.keySet);
  }
}

/**
 * Undefined where clients are asked for no certificate.
 *
 * @throws {SettingFault} If the authorities cannot be read.
 */
export function clientCertificateOptions(
  settings: Settings,
): ClientCertificatesOptions | undefined {
  const { clientCertificateAuthorities: file } = settings;
  if (file === "") return undefined;
  return {
    authorities: readText("client_certificate_authorities", file),
    userName: settings.clientCertificateUser,
    revocationLists: settings.clientCertificateRevocationLists,
  };
}

/** @throws {SettingFault} If the authorities or a list cannot be used. */
export async function openCertificates(
  options: ClientCertificatesOptions,
  settings: Settings,
): Promise<ClientCertificates> {
  try {
    return await openClientCertificates(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const list = settings.clientCertificateRevocationLists.findIndex((file) =>
      reason.includes(`"${file}"`)
    );
    throw list >= 0
      ? settingFaultOf(`client_certificate_revocation_lists[${list}]`, error)
      : settingFaultOf(
        "client_certificate_authorities",
        error,
        settings.clientCertificateAuthorities,
      );
  }
}

/** @throws {SettingFault} If the file cannot be read. */
export function readText(key: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw settingFaultOf(key, error, file);
  }
}
