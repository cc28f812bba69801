/** What accepting Kerberos tickets is set up with, and what each connection adds. */

import { Buffer } from "node:buffer";
import type { ExtendedProtection } from "../extended_protection.ts";
import { serverEndPoint } from "../server_end_point.ts";
import type { SecureChannel } from "../secure_channel.ts";
import type { KeytabUse } from "./job.ts";
import { isUserTemplate } from "./principal.ts";

export interface KerberosOptions {
  /** Absolute path. */
  readonly keytab: string;
  /** Realms whose principals may be users; none: those in which the keytab has a key of the service. */
  readonly realms: readonly string[];
  /** How a principal becomes a user: a text with `{name}`, and `{realm}` if wanted. */
  readonly userTemplate: string;
  /** What has to be true of the channel bindings of clients. */
  readonly extendedProtection: ExtendedProtection;
  /**
   * What parts names from folders, master users and the like: principals with one of these in their names
   * are nobody's, or whoever can make principals could make one that means another user.
   */
  readonly nameSeparators: readonly string[];
  /**
   * Absolute path of a file for the tokens that were used, so that they cannot be used again; made if it
   * is not there, in a folder that has to be. Undefined: the library's own, in /var/tmp.
   */
  readonly replayCache?: string;
}

/** What one connection adds. */
export interface ClientSide {
  /** For the log. */
  readonly address: string;
  /** Undefined without TLS. */
  readonly channel: SecureChannel | undefined;
}

/** @throws {RangeError} If the template cannot give names. */
export function checkedOptions(options: KerberosOptions): KerberosOptions {
  if (isUserTemplate(options.userTemplate)) return options;
  throw new RangeError(`The template "${options.userTemplate}" gives no user names`);
}

/** What the threads have to know of them. */
export function useOf({ keytab, replayCache }: KerberosOptions): KeytabUse {
  return { keytab, replayCache };
}

/** Application data of tls-server-end-point (RFC 5929 §4, RFC 5056 §2.1). */
export function bindingOf({ channel }: ClientSide): Uint8Array | undefined {
  const certificate = channel?.serverCertificate;
  const hash = certificate && serverEndPoint(certificate);
  return hash && Buffer.concat([Buffer.from("tls-server-end-point:", "latin1"), hash]);
}
