/** What a session is given: everything it can reach outside itself, as values and functions. */

import type { CheckPassword } from "../auth/login.ts";
import type { Mechanism } from "../auth/mechanism.ts";
import type { SecureChannel } from "../auth/secure_channel.ts";
import type { RemovedMessages } from "../maildrop/removed_messages.ts";
import type { Account, MaildropStore } from "../maildrop/store.ts";

/**
 * When a password may cross the wire, after Exchange's LoginType.
 * - `plaintext_login`: USER/PASS and PLAIN on any connection.
 * - `plaintext_authentication`: on a connection without TLS no USER/PASS; AUTH PLAIN is allowed.
 * - `secure_login`: only under TLS.
 */
export type LoginType = "plaintext_login" | "plaintext_authentication" | "secure_login";

/** Asks whether one more session of this user may begin; a held place is given back by `release`. */
export type AdmitUser = (user: string) => { release(): void } | undefined;

/** Shared by all sessions; replaced as a whole when settings are reloaded. */
export interface SessionServices {
  /** Text of the greeting after "+OK ", without angle brackets (V0012). */
  readonly banner: string;
  readonly implementation: string;
  readonly loginType: LoginType;
  readonly checkPassword: CheckPassword;
  /**
   * The mechanisms that can succeed on this connection, in the order that they are offered. Asked anew each
   * time, since users and settings change while a client is connected.
   *
   * @param channel The connection's TLS; undefined without.
   */
  mechanismsFor(channel: SecureChannel | undefined): readonly Mechanism[];
  /**
   * Sees to it that `mechanismsFor` tells what is so now, where that takes a look at a file; undefined where
   * there is nothing to wait for. Never rejects.
   */
  freshen?(): Promise<unknown> | undefined;
  /** What AUTH NTLM without an initial response is answered: "+ " ([MS-OXPOP3]) or "+OK" ([MS-POP3]). */
  readonly ntlmFirstReply?: "+" | "+OK";
  readonly store: MaildropStore;
  readonly admitUser: AdmitUser;
  readonly maxBadCommands: number;
  readonly maxFailedLogins: number;
  /**
   * What stands behind EXPIRE (RFC 2449 §6.7): of the maildrop that is open, or of all before login. NEVER if absent.
   */
  readonly expires?: (account: Account | undefined) => string;
  /**
   * What happens to a message whose header holds octets above 127 when it is asked for before UTF8:
   * sent as it is (also if undefined), or refused with `[UTF8]` (RFC 6856 §5).
   */
  readonly eightBitHeaders?: "send" | "refuse";
}

/** What the net room knows of one connection. */
export interface ConnectionFacts {
  readonly tls: boolean;
  /** Whether STLS would work now: a certificate is there and TLS is not yet on. */
  readonly stlsPossible: boolean;
  /** The connection's TLS, once it is on and known. */
  readonly channel?: SecureChannel | undefined;
}

/** Why a session closes although the client did not ask for it; an -ERR goes with it (C0005). */
export type TurnAwayReason = "too_many_bad_commands" | "too_many_failed_logins" | "other_protocol";

/** Whose maildrop a login opened. */
export interface LoggedIn {
  /** The account's user. */
  readonly user: string;
  /** Who proved to be there, where that is somebody else. */
  readonly actedBy: string | undefined;
  /** The folder that was opened in place of the mailbox. */
  readonly folder: string | undefined;
}

/** Why a login came to nothing, as programs read it: only `wrong_credentials` speaks of guessing. */
export type LoginFailureCause =
  | "wrong_credentials"
  | "disabled"
  | "unavailable"
  | "delayed"
  | "too_many_sessions"
  | "storage_failed"
  | "given_up";

/** Things a session tells as they happen, for logs and metrics; every text is as the client sent it. */
export interface SessionEvents {
  loginFailed?(user: string, mechanism: string, reason: string, cause: LoginFailureCause): void;
  /** `user` is the name as sent. */
  loggedIn?(user: string, mechanism: string, login: LoggedIn): void;
  /** The answer that follows closes the connection. */
  turnedAway?(reason: TurnAwayReason): void;
  /** UPDATE removed messages; some may be left all the same. */
  messagesRemoved?(removed: RemovedMessages): void;
  storageFailed?(doing: string, error: unknown): void;
  /** An exception that should not be: ours to mend. */
  erred?(error: unknown): void;
}

/** What the session-end log line tells; counts are of this session. */
export interface SessionSummary {
  readonly user: string | undefined;
  readonly mechanism: string | undefined;
  /** Who logged in, where that is not `user`. */
  readonly actedBy: string | undefined;
  /** The folder that was opened in place of the mailbox. */
  readonly folder: string | undefined;
  readonly messages: number;
  readonly retrieved: number;
  readonly retrievedOctets: number;
  readonly topped: number;
  readonly toppedOctets: number;
  /** By DELE, as the session ended. */
  readonly marked: number;
  /** Of the marked messages, by LIST's figures. */
  readonly markedOctets: number;
  readonly removed: number;
  /** Messages still in the maildrop as this session knew it. */
  readonly remaining: number;
  /** DELE marks that came to nothing since no QUIT was received. */
  readonly droppedMarks: number;
}
