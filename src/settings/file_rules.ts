/**
 * What must be true of the files that the settings name: that they are there, can be read or run, and
 * fit together as far as TLS goes. What is in the others is for those who use them.
 *
 * *Knows*: the settings as a whole, the disk with this process's rights. *Does not know*: lines.
 */

import { isUtf8 } from "node:buffer";
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { QUOTA_WARNING_OCTETS } from "../limits.ts";
import { checkCertificateFiles, whyUnreadable } from "./certificate_files.ts";
import { type DirectoryTable, filesOf } from "./directory_tables.ts";
import type { Settings } from "./effective.ts";
import { shownValue } from "./faults.ts";
import type { BrokenRule } from "./rules.ts";

/** The rules about files that the settings name: user file, certificates, keys. Reads them. */
export function brokenFiles(settings: Settings): BrokenRule[] {
  return [
    ...brokenCertificates(settings),
    ...brokenLoginFiles(settings),
    ...brokenTemplates(settings),
  ];
}

/** Those about texts that popkeep puts into messages. */
function brokenTemplates({ quotaWarningFile }: Settings): BrokenRule[] {
  if (quotaWarningFile === "") return [];
  const key = "quota_warning_file";
  const allowed = `a text in UTF-8 of at most ${QUOTA_WARNING_OCTETS} octets`;
  const broken = unreadable(key, quotaWarningFile, allowed);
  if (broken.length > 0) return broken;
  const fault = (why: string) => [{ key, found: `${quotaWarningFile}, which ${why}`, allowed }];
  if (statSync(quotaWarningFile).size > QUOTA_WARNING_OCTETS) return fault("is longer");
  const octets = readFileSync(quotaWarningFile);
  return isUtf8(octets) && !octets.includes(0) ? [] : fault("is none");
}

/** Those about certificates and their keys. */
export function brokenCertificates(settings: Settings): BrokenRule[] {
  return settings.certificates.flatMap((files, index) =>
    checkCertificateFiles(files).map(({ of, found, allowed }): BrokenRule => ({
      key: `certificates[${index}].${of === "keyFile" ? "key_file" : "certificate_file"}`,
      found,
      allowed,
    }))
  );
}

/** Those about what logins need, which is read again and again. */
export function brokenLoginFiles(settings: Settings): BrokenRule[] {
  const broken: BrokenRule[] = [];
  for (const [index, table] of settings.directories.entries()) {
    broken.push(...brokenFilesOf(table, `directories[${index}]`, settings));
  }
  for (const [key, file, allowed] of loginFiles(settings)) {
    if (file !== "") broken.push(...unreadable(key, file, allowed));
  }
  broken.push(...noProgram("ntlm_auth_program", settings.ntlmAuthProgram, "Samba's ntlm_auth"));
  return broken;
}

function brokenFilesOf(table: DirectoryTable, place: string, settings: Settings): BrokenRule[] {
  const broken = filesOf(table).flatMap(({ key, file }) =>
    unreadable(`${place}.${key}`, file, "a file that popkeep can read")
  );
  if (table.kind === "user_file") {
    const key = table.file === settings.userFile ? "user_file" : `${place}.file`;
    broken.push(...unreadable(key, table.file, "a file that `popkeep user add` makes"));
  }
  if (table.kind === "checkpassword") {
    const [program = ""] = table.program;
    const key = `${place}.program`;
    const allowed = "a program by its absolute path, with its arguments";
    if (isAbsolute(program)) broken.push(...noProgram(key, program, allowed));
    else broken.push({ key, found: shownValue(program), allowed });
  }
  return broken;
}

/** The files that ways to log in need: key, path or "", what is allowed. */
function loginFiles(settings: Settings): readonly (readonly [string, string, string])[] {
  const { oauthJwks } = settings;
  return [
    ["gssapi_keytab", settings.gssapiKeytab, "a keytab that popkeep can read"],
    ["oauth_jwks", /^https?:/.test(oauthJwks) ? "" : oauthJwks, "a JSON Web Key Set"],
    [
      "oauth_introspection_client_secret_file",
      settings.oauthIntrospectionClientSecretFile,
      "a file with the secret",
    ],
    [
      "client_certificate_authorities",
      settings.clientCertificateAuthorities,
      "a PEM file with certificates",
    ],
    ...settings.clientCertificateRevocationLists.map((list, index) =>
      [
        `client_certificate_revocation_lists[${index}]`,
        list,
        "a certificate revocation list",
      ] as const
    ),
  ];
}

/** What is wrong with a program that is to be run; "" is none. */
function noProgram(key: string, file: string, allowed: string): BrokenRule[] {
  if (file === "") return [];
  const fault = (why: string) => [{ key, found: `${file}, which ${why}`, allowed }];
  try {
    if (!statSync(file).isFile()) return fault("is no file");
    accessSync(file, constants.X_OK);
    return [];
  } catch (error) {
    const { code } = error as { code?: unknown };
    return fault(code === "EACCES" ? "this user may not run" : whyUnreadable(error));
  }
}

function unreadable(key: string, file: string, allowed: string): BrokenRule[] {
  const fault = (why: string) => [{ key, found: `${file}, which ${why}`, allowed }];
  try {
    // Asked whether it could, Deno judges by the file's mode, and of root it is wrong.
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
    return statSync(file).isDirectory() ? fault("is a folder") : [];
  } catch (error) {
    return fault(whyUnreadable(error));
  }
}
