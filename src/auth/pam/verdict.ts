/**
 * What PAM and the system's list of accounts say of a user together. Blocks.
 *
 * Nothing that PAM says before the password has been found right is told apart from a wrong password:
 * some modules know of a locked account before they have looked at the password. An account below the
 * lowest uid is not asked about at all, since a password that is guessed here would be root's; a name that
 * nobody has is asked about in its place, so that this takes as long as it does for who is not there.
 *
 * *Knows* what PAM's codes mean for a login. *Does not know* threads.
 */

import { PAM_CODES } from "./linux_pam.ts";
import { findSystemAccount, type SystemAccount } from "./system_account.ts";
import { type SystemFunctions, Transaction } from "./transaction.ts";

export interface PamJob {
  /** "check": whether the password is right. "look-up": whether the account is there and may be used. */
  readonly kind: "check" | "look-up";
  readonly service: string;
  readonly confdir?: string;
  readonly user: string;
  /** Of a check. */
  readonly password?: Uint8Array;
  readonly address?: string;
  /** The lowest uid that may log in. */
  readonly firstValidUid: number;
}

export type PamVerdict =
  | {
    readonly kind: "right";
    readonly user: string;
    readonly home: string;
    /** Why the account may not be used all the same, in PAM's words. */
    readonly keptOut?: string;
  }
  /** The reason is for the log: it tells who is there. */
  | { readonly kind: "wrong"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

/** A name that no system has, for PAM to spend its time on. */
const NOBODYS_NAME = "popkeep.nobody.has.this.name";

/** Codes of `pam_authenticate` that mean a wrong password, or may be said without looking at it. */
const WRONG = new Set<number>([
  PAM_CODES.AUTH_ERR,
  PAM_CODES.USER_UNKNOWN,
  PAM_CODES.MAXTRIES,
  PAM_CODES.PERM_DENIED,
  PAM_CODES.ACCT_EXPIRED,
  PAM_CODES.NEW_AUTHTOK_REQD,
  PAM_CODES.AUTHTOK_EXPIRED,
  PAM_CODES.CRED_EXPIRED,
]);

/** Codes of `pam_acct_mgmt` that keep out a user who is there; with others nothing was found out. */
const KEPT_OUT = WRONG;

const TOO_LOW: PamVerdict = { kind: "wrong", reason: "the uid is too low" };

export function pamVerdict(system: SystemFunctions, job: PamJob): PamVerdict {
  const account = findSystemAccount(system.c, job.user);
  const tooLow = isTooLow(account, job);
  if (job.kind === "look-up") {
    if (account === undefined) return { kind: "wrong", reason: "there is no such account" };
    if (tooLow) return TOO_LOW;
  }
  const transaction = new Transaction(system, {
    service: job.service,
    ...(job.confdir === undefined ? {} : { confdir: job.confdir }),
    user: tooLow ? NOBODYS_NAME : job.user,
    password: job.password,
    address: job.address,
  });
  try {
    if (job.kind === "look-up") return verdictOnAccount(transaction, account, job.user);
    const wrong = verdictOnPassword(transaction);
    if (tooLow) return TOO_LOW;
    if (wrong !== undefined) return wrong;
    // A module may have put another user in the place of this one.
    const { user } = transaction;
    if (user === job.user) return verdictOnAccount(transaction, account, user);
    const other = findSystemAccount(system.c, user);
    return isTooLow(other, job) ? TOO_LOW : verdictOnAccount(transaction, other, user);
  } finally {
    transaction.end();
  }
}

function isTooLow(account: SystemAccount | undefined, { firstValidUid }: PamJob): boolean {
  return account !== undefined && (account.uid === 0 || account.uid < firstValidUid);
}

/** Undefined if the password is right. */
function verdictOnPassword(transaction: Transaction): PamVerdict | undefined {
  const code = transaction.authenticate();
  if (code !== PAM_CODES.SUCCESS) {
    const reason = transaction.reason(code);
    return WRONG.has(code) ? { kind: "wrong", reason } : { kind: "failed", reason };
  }
  if (transaction.askedForPassword) return undefined;
  return { kind: "failed", reason: "the service lets users in without asking for a password" };
}

/** The user is who he says, or that is for others to find out. Users whom only PAM knows have no home. */
function verdictOnAccount(
  transaction: Transaction,
  account: SystemAccount | undefined,
  user: string,
): PamVerdict {
  const code = transaction.checkAccount();
  const right = { kind: "right", user: account?.user ?? user, home: account?.home ?? "" } as const;
  if (code === PAM_CODES.SUCCESS) return right;
  const reason = transaction.reason(code);
  return KEPT_OUT.has(code) ? { ...right, keptOut: reason } : { kind: "failed", reason };
}
