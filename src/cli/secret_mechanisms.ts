/**
 * The mechanisms that are offered to all users as soon as one of them has the secret for it.
 *
 * *Knows*: settings, which secrets there are. *Does not know*: users.
 */

import type { SecretKind } from "../auth/login.ts";
import type { Settings } from "../settings.ts";

export interface StoredSecret {
  readonly kind: SecretKind;
  /** With its article. */
  readonly what: string;
  /** What people know the mechanism by. */
  readonly way: string;
  readonly mechanisms: readonly Settings["mechanisms"][number][];
  /** Of `popkeep user passwd`. */
  readonly option: string;
}

export const SECRETS: readonly StoredSecret[] = [
  {
    kind: "ntHash",
    what: "an NT hash",
    way: "NTLM",
    mechanisms: ["NTLM"],
    option: "--ntlm",
  },
  {
    kind: "scramSha256",
    what: "SCRAM keys",
    way: "SCRAM-SHA-256",
    mechanisms: ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
    option: "--scram",
  },
];

/** Whether the settings let it be offered where users have the secret. */
export function isOffered({ kind, mechanisms }: StoredSecret, settings: Settings): boolean {
  const { enableGssapiAndNtlmAuth, ntlmAuthProgram } = settings;
  if (kind === "ntHash" && (!enableGssapiAndNtlmAuth || ntlmAuthProgram !== "")) return false;
  return settings.mechanisms.length === 0 ||
    settings.mechanisms.some((name) => mechanisms.includes(name));
}
