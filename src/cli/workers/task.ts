/**
 * What the supervisor tells a worker to serve by, and what they say to each other besides what the guard
 * says.
 *
 * *Does not know* how messages travel.
 */

import type { GuardSecrets } from "../../auth/guessing/guard_messages.ts";
import type { CertificatePair } from "../../net/certificates.ts";
import type { SharedCountsPlace } from "../../net/workers/shared_counts.ts";
import type { Settings } from "../../settings.ts";

/** The questions of the supervisor, each with a `Task`; the answer is a `WorkerAnswer`. */
export const SERVE = "serve";
export const RELOAD = "reload";

/**
 * The supervisor's question whether a worker lends a mailbox, by its path; the answer is true or false. It is given
 * back by `GIVE_BACK` with the path.
 */
export const BORROW = "borrow";
export const GIVE_BACK = "giveBack";

/** What the supervisor tells. */
export const STOP = "stop";
export const HASTEN = "hasten";
/** The sockets of this machine are this worker's from now on. */
export const TAKE_SOCKETS = "takeSockets";

/** What a worker asks to have written; there is no more than one such question at a time. */
export const PROTOCOL_LINES = "protocolLines";

/** What a worker tells. */
export const APP_PASSWORD_USED = "appPasswordUsed";

/** Plain values, so that it can be sent. */
export interface Task {
  readonly version: string;
  readonly settings: Settings;
  /** The settings' certificates, where workers may not be able to read their files. */
  readonly certificates?: readonly CertificatePair[];
  /** Whether the sockets of this machine are this worker's to serve. */
  readonly hasSockets: boolean;
  /** Mailboxes that are lent at present, by their paths: what a worker that begins cannot have been asked. */
  readonly lent: readonly string[];
  readonly counts: SharedCountsPlace;
  readonly guard: GuardSecrets;
  /** base64url. */
  readonly madeUpKey: string;
}

/** Why a worker cannot do it: what a command that fails for this reason would end with. */
export interface TaskFault {
  readonly exitCode: number;
  readonly messages: readonly string[];
}

/** One line of the protocol log, and when it was written, ms since 1970. */
export type ProtocolLine = readonly [line: string, timeMs: number];

export interface AppPasswordUsed {
  readonly user: string;
  readonly name: string;
  readonly address?: string;
}
