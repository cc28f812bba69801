/**
 * Secrets that are made of a password besides the password field, for NTLM and for SCRAM: the options that
 * ask for them, their making, and what is to be said of them.
 *
 * *Knows*: which secrets there are, who has some. *Does not know*: how they are stored.
 */

import type { Command } from "commander";
import type { SecretKind, UserSecrets } from "../auth/login.ts";
import { ntHash } from "../auth/ntlm/nt_hash.ts";
import { PasswordFault } from "../auth/password_schemes/scheme.ts";
import { makeScramKeys } from "../auth/scram/derive_keys.ts";
import { openPasswdFile } from "../auth/user_file/passwd_file.ts";
import { listUsers } from "../auth/user_file/user_file_edit.ts";
import { foldedName } from "../auth/user_name.ts";
import type { Settings } from "../settings.ts";
import { refuseBoth } from "./contradiction.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { isOffered, SECRETS } from "./secret_mechanisms.ts";
import { asClause } from "./user_file.ts";

/** What commander hands over; undefined where nothing was said. */
export interface SecretOptions {
  readonly ntlm?: boolean;
  readonly scram?: boolean;
}

/** What is to be stored once the password has changed, and what becomes of what is stored now. */
export type SecretPlan = Readonly<Record<SecretKind, "make" | "renew" | "remove" | "none">>;

const OPTION: Readonly<Record<SecretKind, keyof SecretOptions>> = {
  ntHash: "ntlm",
  scramSha256: "scram",
};

const KINDS = Object.keys(OPTION) as SecretKind[];

/** What people know them by. */
const NAMES: Readonly<Record<SecretKind, { readonly secret: string; readonly way: string }>> = {
  ntHash: { secret: "the NT hash", way: "NTLM" },
  scramSha256: { secret: "the keys for SCRAM-SHA-256", way: "SCRAM-SHA-256" },
};

/** Adds `--ntlm` and `--scram`, and where there may be such secrets already the options against them. */
export function withSecretOptions(
  command: Command,
  { mayRemove }: { mayRemove: boolean },
): Command {
  command
    .option(
      "--ntlm",
      "store the NT hash as well, for NTLM: as good as the password to who reads it",
    )
    .option("--scram", "store the keys for SCRAM-SHA-256 as well");
  if (!mayRemove) return command;
  command
    .option("--no-ntlm", "remove the NT hash")
    .option("--no-scram", "remove the keys for SCRAM-SHA-256");
  for (const option of Object.values(OPTION)) refuseBoth(command, option);
  return command;
}

/** What to do with each secret: one that is there has to follow the password, or go. */
export function planSecrets(options: SecretOptions, there: ReadonlySet<SecretKind>): SecretPlan {
  const plan = (kind: SecretKind) => {
    const asked = options[OPTION[kind]];
    if (asked === false) return there.has(kind) ? "remove" : "none";
    if (there.has(kind)) return "renew";
    return asked ? "make" : "none";
  };
  return { ntHash: plan("ntHash"), scramSha256: plan("scramSha256") };
}

/** @throws {Failure} If a secret that is to be stored cannot be made of this password. */
export async function makeSecrets(plan: SecretPlan, password: Uint8Array): Promise<UserSecrets> {
  const wants = (kind: SecretKind) => plan[kind] === "make" || plan[kind] === "renew";
  return {
    ...(wants("ntHash") ? { ntHash: await made(plan, "ntHash", () => ntHash(password)) } : {}),
    ...(wants("scramSha256")
      ? { scramSha256: await made(plan, "scramSha256", () => makeScramKeys(password)) }
      : {}),
  };
}

async function made<Secret>(
  plan: SecretPlan,
  kind: SecretKind,
  make: () => Secret | Promise<Secret>,
): Promise<Secret> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof PasswordFault)) throw error;
    const hint = plan[kind] === "renew"
      ? `; --no-${OPTION[kind]} removes ${NAMES[kind].secret}`
      : "";
    throw new Failure(ExitCode.badData, asClause(error.message) + hint, { cause: error });
  }
}

/** A sentence for each secret about what was done; `user` is printable. */
export function secretSentences(plan: SecretPlan, user: string): string[] {
  return KINDS.flatMap((kind) => {
    const { secret, way } = NAMES[kind];
    switch (plan[kind]) {
      case "make":
        return [`Stored ${secret} as well: ${user} can log in by ${way}.`];
      case "renew":
        return [`Renewed ${secret} as well: the old password is no use for ${way} either.`];
      case "remove":
        return [`Removed ${secret}: ${user} cannot log in by ${way} any more.`];
      case "none":
        return [];
    }
  });
}

/**
 * What the first secret of its kind changes for the other users; clauses. To be asked before it is stored.
 */
export async function newlyOffered(
  plan: SecretPlan,
  settings: Settings,
  user: string,
): Promise<string[]> {
  const made = SECRETS.filter((one) => plan[one.kind] === "make" && isOffered(one, settings));
  if (made.length === 0) return [];
  let others: number;
  let there: ReadonlySet<SecretKind>;
  try {
    const { users } = await listUsers(settings.userFile);
    others = users.filter((one) => foldedName(one.user) !== foldedName(user)).length;
    there = (await openPasswdFile(settings.userFile)).secretKinds;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
  if (others === 0) return [];
  return made.filter(({ kind }) => !there.has(kind)).map(({ what, way, option }) =>
    `${way} is offered to all users from now on, since one has ${what}; clients that take it fail for ` +
    `those who have none, until \`popkeep user passwd ${option}\` makes one; the setting mechanisms ` +
    "can leave it out"
  );
}

/** What whoever stores a secret has to know; clauses. */
export function secretWarnings(plan: SecretPlan, userFile: string): string[] {
  if (plan.ntHash !== "make" && plan.ntHash !== "renew") return [];
  return [
    `whoever reads the NT hash in ${userFile} can log in with it as with the password, and can ` +
    "guess the password fast: it is MD4 without salt; keep the file and its copies from others",
  ];
}
