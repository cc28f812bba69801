/**
 * Files that every user of the machine can read or change, and should not: secrets, and whatever says who
 * is let in.
 *
 * *Knows*: which files the settings name, and their modes. *Does not know*: what is in them. Who owns them,
 * and what their group may, is the operator's choice.
 */

import { whatOthersMay } from "./certificate_files.ts";
import { filesOf } from "./directory_tables.ts";
import type { Settings } from "./effective.ts";
import type { Warning } from "./warning.ts";

/** What is named for it, and "settings" for the settings file itself. */
export function fileWarnings(settings: Settings): Warning[] {
  const secrets = [...secretFiles(settings)].map(({ key, file }) => {
    const doing = file === "" ? undefined : whatOthersMay(file);
    return doing &&
      { key, message: `every user of this machine can ${doing} ${file}; chmod o= it` };
  });
  const others = [...decidingFiles(settings)].map(({ key, file }) => {
    const doing = file === "" ? undefined : whatOthersMay(file);
    if (doing === undefined || doing === "read") return undefined;
    return { key, message: `every user of this machine can change ${file}; chmod o-w it` };
  });
  return [...secrets, ...others].filter((warning) => warning !== undefined);
}

interface NamedFile {
  readonly key: string;
  /** "" is none. */
  readonly file: string;
}

function* secretFiles(settings: Settings): Generator<NamedFile> {
  yield { key: "user_file", file: settings.userFile };
  yield { key: "gssapi_keytab", file: settings.gssapiKeytab };
  yield {
    key: "oauth_introspection_client_secret_file",
    file: settings.oauthIntrospectionClientSecretFile,
  };
  for (const [index, table] of settings.directories.entries()) {
    for (const { key, file, isSecret } of filesOf(table)) {
      if (isSecret) yield { key: `directories[${index}].${key}`, file };
    }
  }
  for (const [index, { keyFile }] of settings.certificates.entries()) {
    yield { key: `certificates[${index}].key_file`, file: keyFile };
  }
}

/** Who changes one of these is let in as anybody, or has programs run as popkeep's user. */
function* decidingFiles(settings: Settings): Generator<NamedFile> {
  yield { key: "settings", file: settings.file };
  yield { key: "client_certificate_authorities", file: settings.clientCertificateAuthorities };
  for (const [index, file] of settings.clientCertificateRevocationLists.entries()) {
    yield { key: `client_certificate_revocation_lists[${index}]`, file };
  }
  if (!/^https?:/.test(settings.oauthJwks)) yield { key: "oauth_jwks", file: settings.oauthJwks };
  yield { key: "ntlm_auth_program", file: settings.ntlmAuthProgram };
  for (const [index, table] of settings.directories.entries()) {
    for (const { key, file, isSecret } of filesOf(table)) {
      if (!isSecret) yield { key: `directories[${index}].${key}`, file };
    }
    if (table.kind === "checkpassword") {
      yield { key: `directories[${index}].program`, file: table.program[0] ?? "" };
    }
  }
  for (const [index, { certificateFile }] of settings.certificates.entries()) {
    yield { key: `certificates[${index}].certificate_file`, file: certificateFile };
  }
}
