/**
 * The keys of a `[[directories]]` table, by its kind: where users and their secrets come from.
 *
 * Directories are asked in the order of the file. The first that knows a user decides; one that cannot
 * tell ends the login with [SYS/TEMP], since a user whom it keeps out must not get in by the next.
 */

import { resolve } from "node:path";
import { z } from "zod";
import { CHECKPASSWORD_PROCESSES, DIRECTORY_TIMEOUT_MS, FIRST_VALID_UID } from "../limits.ts";
import { count, duration, setting, settingDocs, text } from "./kinds.ts";
import { listOf } from "./list_kinds.ts";
import { optionalPath } from "./place_kinds.ts";
import { ldapKeys } from "./ldap_table.ts";
import { sqlKeys } from "./sql_table.ts";
import { formatDuration } from "./units.ts";

/** `kind` itself: which of the tables it is. */
function kind<const Word extends string>(word: Word, about: string) {
  return setting(
    {
      schema: z.literal(word),
      doc: {
        kind: "word",
        default: undefined,
        allowed: DIRECTORY_WORDS.map((known) => `"${known}"`).join(", "),
        choices: DIRECTORY_WORDS,
      },
    },
    about,
  );
}

const DIRECTORY_WORDS = ["user_file", "pam", "checkpassword", "ldap", "sql"] as const;

const timeout = () =>
  setting(
    duration(DIRECTORY_TIMEOUT_MS),
    "How long an answer may take. Without one in time the login is told to come back ([SYS/TEMP]).",
  );

const userFile = z.strictObject({
  kind: kind("user_file", "A file in the form of Dovecot's passwd-file."),
  file: setting(
    optionalPath("takes the setting user_file"),
    "The file. Only the one of the setting user_file is changed by `popkeep user`.",
  ),
});

const pam = z.strictObject({
  kind: kind("pam", "The system's accounts, by its libpam."),
  service: setting(
    text({
      kind: "name of a PAM service",
      pattern: /^[A-Za-z0-9_-]{1,64}$/,
      allowed: "the name of a file in /etc/pam.d",
      default: "popkeep",
    }),
    "The PAM service, which is the name of a file in /etc/pam.d.",
  ),
  first_valid_uid: setting(
    count(FIRST_VALID_UID, "uid"),
    "The lowest uid that may log in, so that accounts of the system's own never can.",
  ),
  timeout: timeout(),
});

const checkpassword = z.strictObject({
  kind: kind("checkpassword", "A program that checks passwords, as for qmail."),
  program: setting(
    listOf({
      kind: "list of texts",
      holds: (text) => text !== "" && !text.includes("\0"),
      least: 1,
      items: "a program with its arguments",
      example: '"/usr/local/bin/checkpassword"',
    }),
    "The program, by its absolute path, and its arguments. No shell is involved.",
  ),
  processes: setting(count(CHECKPASSWORD_PROCESSES, "processes"), "How many may run at once."),
  timeout: timeout(),
});

const ldap = z.strictObject({
  kind: kind("ldap", "An LDAP server: OpenLDAP, Active Directory and others."),
  ...ldapKeys,
});

const sql = z.strictObject({
  kind: kind("sql", "A database: PostgreSQL, MySQL, MariaDB or SQLite."),
  ...sqlKeys,
});

/** The tables by kind. */
export const directoryTables = { user_file: userFile, pam, checkpassword, ldap, sql } as const;

/** One `[[directories]]` table: a path is absolute, a duration in ms, once settings are in force. */
export const directoryTable = z.discriminatedUnion("kind", [
  userFile,
  pam,
  checkpassword,
  ldap,
  sql,
]);

export type DirectoryTable = z.output<typeof directoryTable>;

/** The table with its paths made absolute; "" stays what it means. */
export function withAbsolutePaths<Table extends DirectoryTable>(
  table: Table,
  folder: string,
): Table {
  const shape: Readonly<Record<string, z.ZodType>> = directoryTables[table.kind].shape;
  const entries = Object.entries(table).map(([key, value]) => {
    const doc = shape[key] && settingDocs.get(shape[key]);
    if (typeof value !== "string" || value === "") return [key, value];
    const [, file] = (key === "url" && /^sqlite:(?:\/\/)?(.+)$/s.exec(value)) || [];
    if (file !== undefined) return [key, `sqlite:${resolve(folder, file)}`];
    return [key, doc?.kind.startsWith("path") ? resolve(folder, value) : value];
  });
  return Object.fromEntries(entries) as Table;
}

/** The files that a table names and that have to be readable; paths are as in the table. */
export function filesOf(
  table: DirectoryTable,
): { readonly key: string; readonly file: string; readonly isSecret: boolean }[] {
  const shape: Readonly<Record<string, z.ZodType>> = directoryTables[table.kind].shape;
  return Object.entries(table).flatMap(([key, value]) => {
    const doc = shape[key] && settingDocs.get(shape[key]);
    if (doc?.file === undefined || typeof value !== "string" || value === "") return [];
    return [{ key, file: value, isSecret: doc.file === "secret" }];
  });
}

/** The table as a settings file would have it. */
export function tableValues(
  table: DirectoryTable,
): Record<string, string | number | boolean | string[]> {
  const shape: Readonly<Record<string, z.ZodType>> = directoryTables[table.kind].shape;
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => {
      const doc = shape[key] && settingDocs.get(shape[key]);
      return [key, doc?.kind === "duration" ? formatDuration(Number(value)) : value];
    }),
  );
}
