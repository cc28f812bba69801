/**
 * Makes account directories of the settings' tables. What a kind needs is loaded where there is one of it:
 * the clients of LDAP and SQL servers are larger than the rest of popkeep.
 *
 * *Knows*: the kinds of directories, the keys of their tables. *Does not know*: what a directory is asked.
 */

import type { AccountDirectory } from "../auth/directory.ts";
import { openPasswdFile } from "../auth/user_file/passwd_file.ts";
import type { WeakSchemes } from "../auth/password_schemes/scheme.ts";
import type { DirectoryTable } from "../settings.ts";

/**
 * Opens the directory that a table is about. To be closed where it has a `close`.
 *
 * @throws {Error} If a file cannot be read, or the table does not fit together; servers need not be there.
 */
export async function openDirectory(
  table: DirectoryTable,
  weakSchemes: WeakSchemes,
): Promise<AccountDirectory> {
  switch (table.kind) {
    case "user_file":
      return await openPasswdFile(table.file, { weakSchemes });
    case "pam": {
      const { openPamDirectory } = await import("../auth/directories/pam.ts");
      return openPamDirectory({
        service: table.service,
        firstValidUid: table.first_valid_uid,
        timeLimitMs: table.timeout,
      });
    }
    case "checkpassword": {
      const { CheckpasswordDirectory } = await import("../auth/directories/checkpassword.ts");
      return new CheckpasswordDirectory({
        program: table.program,
        processes: table.processes,
        timeLimitMs: table.timeout,
      });
    }
    case "ldap": {
      const { openLdapDirectory } = await import("../auth/directories/ldap.ts");
      const { kind: _, connect_timeout, operation_timeout, ...keys } = table;
      return openLdapDirectory({
        ...inCamelCase(keys),
        connectTimeoutMs: connect_timeout,
        operationTimeoutMs: operation_timeout,
        weakSchemes,
      });
    }
    case "sql": {
      const { openSqlDirectory } = await import("../auth/directories/sql.ts");
      const { kind: _, connect_timeout, query_timeout, ...keys } = table;
      return await openSqlDirectory({
        ...inCamelCase(keys),
        connectTimeoutMs: connect_timeout,
        queryTimeoutMs: query_timeout,
        weakSchemes,
      });
    }
  }
}

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** Keys of the settings file as the program names them. */
function inCamelCase<Keys extends object>(
  keys: Keys,
): { [Name in keyof Keys & string as CamelCase<Name>]: Keys[Name] } {
  return Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [
      key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  ) as { [Name in keyof Keys & string as CamelCase<Name>]: Keys[Name] };
}
