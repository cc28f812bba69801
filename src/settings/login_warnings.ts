/**
 * Settings about logging in that mean nothing without another one, or more than people think.
 *
 * *Knows*: the settings as a whole. *Does not know*: the disk, users.
 */

import type { Settings } from "./effective.ts";
import type { Warning } from "./warning.ts";

/** What is set and has no effect, and what is open wider than it looks. */
export function loginWarnings(settings: Settings): Warning[] {
  return [...withoutEffect(settings), ...mechanismsThatAreOff(settings)];
}

function withoutEffect(settings: Settings): Warning[] {
  const warnings: Warning[] = [];
  const warn = (key: string, message: string) => warnings.push({ key, message });
  const { clientCertificateRevocationLists: lists, clientCertificateAuthorities } = settings;
  if (lists.length > 0 && clientCertificateAuthorities === "") {
    warn(
      "client_certificate_revocation_lists",
      "the lists have no effect without client_certificate_authorities",
    );
  }
  if (settings.masterUserSeparator !== "" && settings.masterUsers.length === 0) {
    warn("master_user_separator", "it has no effect without master_users");
  }
  if (!settings.enableGssapiAndNtlmAuth) {
    const why = "it has no effect while enable_gssapi_and_ntlm_auth is false";
    if (settings.gssapiKeytab !== "") warn("gssapi_keytab", why);
    if (settings.ntlmAuthProgram !== "") warn("ntlm_auth_program", why);
  }
  return warnings;
}

/** Mechanisms that are asked for by name, and that another setting keeps from being offered. */
function mechanismsThatAreOff(settings: Settings): Warning[] {
  const { enableGssapiAndNtlmAuth, oauthJwks, oauthIntrospectionUrl } = settings;
  const kerberosAndNtlm = enableGssapiAndNtlmAuth
    ? undefined
    : "enable_gssapi_and_ntlm_auth is false";
  const tokens = oauthJwks === "" && oauthIntrospectionUrl === ""
    ? "neither oauth_jwks nor oauth_introspection_url is set"
    : undefined;
  const obstacles: Partial<Record<Settings["mechanisms"][number], string | undefined>> = {
    EXTERNAL: settings.clientCertificateAuthorities === ""
      ? "client_certificate_authorities is not set"
      : undefined,
    GSSAPI: kerberosAndNtlm ??
      (settings.gssapiKeytab === "" ? "gssapi_keytab is not set" : undefined),
    NTLM: kerberosAndNtlm,
    OAUTHBEARER: tokens,
    XOAUTH2: tokens,
  };
  return settings.mechanisms.flatMap((name) => {
    const why = obstacles[name];
    return why === undefined
      ? []
      : [{ key: "mechanisms", message: `${name} is never offered: ${why}` }];
  });
}
