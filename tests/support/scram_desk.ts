/** A login desk with users who have SCRAM keys, and a record of what a mechanism asked it. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { LoginDesk, LoginOutcome, ScramKeys } from "../../src/auth/login.ts";
import { makeScramKeys } from "../../src/auth/scram/derive_keys.ts";

export interface RecordingDesk extends LoginDesk {
  /** "secretsOf alice", "admit alice", "admit alice as bob", "refuse alice". */
  readonly asked: string[];
}

const SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");

/** The keys of RFC 7677's example: quick to derive, as tests do it often. */
export const PENCIL: ScramKeys = await makeScramKeys(Buffer.from("pencil"), {
  salt: SALT,
  iterations: 4_096,
});

/** Admits whom `outcome` names it for, as itself or as somebody else. */
export function scramDesk(
  keys: Readonly<Record<string, ScramKeys>>,
  outcome: (user: string) => LoginOutcome = granted,
): RecordingDesk {
  const asked: string[] = [];
  const known = new Map(Object.entries(keys));
  return {
    asked,
    checkPassword: () => Promise.reject(new Error("no password is to be checked")),
    secretsOf(user) {
      asked.push(`secretsOf ${user}`);
      const scramSha256 = known.get(user) ?? known.get(user.toLowerCase());
      const secrets = scramSha256 === undefined ? {} : { scramSha256 };
      return Promise.resolve({ kind: "found", secrets });
    },
    admit(user, actAs) {
      asked.push(actAs ? `admit ${user} as ${actAs}` : `admit ${user}`);
      return Promise.resolve(outcome(user));
    },
    refuse(user) {
      asked.push(`refuse ${user}`);
      return Promise.resolve({ kind: "refused" });
    },
    madeUp: (text) => createHash("sha256").update(`secret of the installation ${text}`).digest(),
  };
}

export function granted(user: string): LoginOutcome {
  return { kind: "granted", account: { user, extra: {} } };
}
