/** The fields of popkeep's own in a line of the user file. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { makeAppPassword, storeAppPassword } from "../../../src/auth/app_passwords.ts";
import { ntHash } from "../../../src/auth/ntlm/nt_hash.ts";
import { parsePasswdLine, type PasswdEntry } from "../../../src/auth/user_file/passwd_line.ts";
import {
  appPasswordField,
  encodeAppPassword,
  encodeSecrets,
} from "../../../src/auth/user_file/passwd_secrets.ts";
import { makeScramKeys } from "../../../src/auth/scram/derive_keys.ts";
import { APP_PASSWORDS_PER_USER } from "../../../src/limits.ts";

function entry(fields: string, password = "{PLAIN}x"): PasswdEntry {
  const parsed = parsePasswdLine(`alice:${password}::::::${fields}`);
  if (parsed === undefined || "fault" in parsed) throw new Error(parsed?.fault ?? "no entry");
  return parsed;
}

const NT_HASH = "a4f49c406510bdcab6824ee7c30fd852";
const SCRAM = "4096,4D8tyt2NAirnQMrg74jgEw==,pzNHplmWc+im8Ho/bMRqPw82gyXg/NuxnY9WZFEOfVI=," +
  "4/fWfYhRB2eNXJWc4/i9FUztwuMIrnwTIbXHRKUu0Nc=";

test("an NT hash is read, in hexadecimal digits of either case", () => {
  const expected = Uint8Array.from(Buffer.from(NT_HASH, "hex"));
  for (const digits of [NT_HASH, NT_HASH.toUpperCase()]) {
    deepStrictEqual(entry(`popkeep_nt_hash=${digits}`).secrets, { ntHash: expected });
  }
});

test("keys for SCRAM are read, with Dovecot's scheme before them or without", () => {
  for (const keys of [SCRAM, `{SCRAM-SHA-256}${SCRAM}`]) {
    const { secrets } = entry(`popkeep_scram_sha_256=${keys}`);
    strictEqual(secrets?.scramSha256?.iterations, 4_096);
    strictEqual(
      Buffer.from(secrets.scramSha256.salt).toString("base64"),
      "4D8tyt2NAirnQMrg74jgEw==",
    );
  }
});

test("what is written for secrets is read as what they were", async () => {
  const secrets = {
    ntHash: ntHash("pässword"),
    scramSha256: await makeScramKeys(Buffer.from("pässword"), { iterations: 4_096 }),
  };
  const fields = Object.entries(encodeSecrets(secrets)).map(([key, value]) => `${key}=${value}`);
  const read = entry(fields.join(" ")).secrets;
  deepStrictEqual(read?.ntHash, secrets.ntHash);
  for (const key of ["iterations", "salt", "storedKey", "serverKey"] as const) {
    deepStrictEqual(read?.scramSha256?.[key], secrets.scramSha256[key]);
  }
});

test("app passwords are read with their names and when they were made", () => {
  const stored = storeAppPassword(makeAppPassword());
  const madeMs = Date.UTC(2024, 4, 3, 10, 15, 7);
  const written = encodeAppPassword(stored, madeMs + 999);
  strictEqual(written, `${stored},20240503T101507Z`);
  const { appPasswords } = entry(
    `${appPasswordField("phone")}=${written} popkeep_app_password_old-pc=${stored}`,
  );
  deepStrictEqual(appPasswords, [
    { name: "phone", storedPassword: stored, madeMs },
    { name: "old-pc", storedPassword: stored },
  ]);
});

test("delegates are names with commas between them", () => {
  deepStrictEqual(entry("popkeep_delegates=bob,carol@ex.org").delegates, ["bob", "carol@ex.org"]);
  strictEqual(entry("popkeep_delegates=").delegates, undefined);
  const odd = entry("popkeep_delegates=bob,../x");
  strictEqual(odd.delegates, undefined);
  strictEqual(odd.warnings?.length, 1);
});

test("Dovecot's password fields for a mechanism serve that mechanism too", () => {
  deepStrictEqual(
    entry("", `{NTLM}${NT_HASH}`).secrets?.ntHash,
    Uint8Array.from(Buffer.from(NT_HASH, "hex")),
  );
  strictEqual(entry("", `{SCRAM-SHA-256}${SCRAM}`).secrets?.scramSha256?.iterations, 4_096);
  strictEqual(entry("", `{SCRAM-SHA-1}${SCRAM}`).secrets, undefined);
});

test("a field of its own goes before what the password field is good for", () => {
  const other = "0".repeat(32);
  const { secrets } = entry(`popkeep_nt_hash=${NT_HASH}`, `{NTLM}${other}`);
  strictEqual(Buffer.from(secrets?.ntHash ?? []).toString("hex"), NT_HASH);
});

test("a locked entry has no secret and no app password, and its delegates still", () => {
  const stored = storeAppPassword(makeAppPassword());
  const fields =
    `popkeep_nt_hash=${NT_HASH} popkeep_app_password_a=${stored} popkeep_delegates=bob`;
  const locked: [fields: string, password: string][] = [
    [fields, "!"],
    [fields, "*"],
    [fields, "!{ARGON2ID}$argon2id$"],
    [fields, "{ARGON2ID}!$argon2id$"],
    [`fail ${fields}`, "{PLAIN}x"],
  ];
  for (const [text, password] of locked) {
    const { secrets, appPasswords, delegates } = entry(text, password);
    deepStrictEqual([secrets, appPasswords, delegates], [undefined, undefined, ["bob"]], password);
  }
});

test("without a password the other secrets work", () => {
  ok(entry(`popkeep_nt_hash=${NT_HASH}`, "").secrets?.ntHash !== undefined);
});

test("no secret is among the extra fields, whatever its field is called", () => {
  const fields = ["nt_hash", "scram_sha_256", "app_password_a", "delegates", "typo"];
  for (const field of fields) {
    for (const prefix of ["popkeep_", "userdb_popkeep_"]) {
      deepStrictEqual(entry(`${prefix}${field}=hunter2 x=y`).extra, { x: "y" }, prefix + field);
    }
  }
});

test("what is wrong with a field is told without what stands in it, and the rest counts", () => {
  const odd = [
    "popkeep_nt_hash=hunter2",
    `popkeep_nt_hash=${NT_HASH}00`,
    "popkeep_scram_sha_256=hunter2",
    "popkeep_app_password_a={PLAIN}hunter2",
    `popkeep_app_password_B={SSHA256}${"A".repeat(64)}`,
    `popkeep_app_password_a={SSHA256}${"A".repeat(64)},hunter2`,
    `popkeep_app_password_a={SSHA256}${"A".repeat(64)},20249903T101507Z`,
    "popkeep_delegates=/hunter2",
    "popkeep_hunter2!secret",
    "userdb_popkeep_nt_hash=hunter2",
  ];
  for (const field of odd) {
    const { warnings, storedPassword, secrets, appPasswords } = entry(field);
    strictEqual(warnings?.length, 1, field);
    ok(!JSON.stringify(warnings).includes("hunter2"), field);
    strictEqual(storedPassword, "{PLAIN}x");
    deepStrictEqual([secrets, appPasswords], [undefined, undefined], field);
  }
});

test("a percent sign in a field of popkeep's own is no variable", () => {
  strictEqual(entry("popkeep_delegates=a%d").delegates?.[0], "a%d");
});

test("of too many app passwords the first count, and it is told", () => {
  const stored = storeAppPassword(makeAppPassword());
  const fields = Array.from(
    { length: APP_PASSWORDS_PER_USER + 3 },
    (_, at) => `popkeep_app_password_a${at}=${stored}`,
  );
  const { appPasswords, warnings } = entry(fields.join(" "));
  strictEqual(appPasswords?.length, APP_PASSWORDS_PER_USER);
  strictEqual(warnings?.length, 1);
});
