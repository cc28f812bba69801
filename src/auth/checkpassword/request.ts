/**
 * What a checkpassword program is given: the password on a descriptor and what else it may want to know in
 * its environment. Source: https://cr.yp.to/checkpwd/interface.html, and Dovecot's db-checkpassword.c for
 * the environment.
 *
 * *Knows* the interface. *Does not know* processes.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { CHECKPASSWORD_REQUEST_OCTETS } from "../../limits.ts";

/** Programs are found here, whatever popkeep's own environment says. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * What descriptor 3 carries: the name, the password and a timestamp, each ended by NUL. The timestamp is
 * for APOP, which there is none of, and empty.
 *
 * Undefined where the interface has no room for it, or a NUL would make it say something else.
 */
export function requestOf(user: string, password: Uint8Array): Uint8Array | undefined {
  if (user.includes("\0") || password.includes(0)) return undefined;
  const request = Buffer.concat([Buffer.from(`${user}\0`), password, Buffer.from("\0\0")]);
  return request.length > CHECKPASSWORD_REQUEST_OCTETS ? undefined : request;
}

/** The program's whole environment. No HOME and no USER: what it reports of these is its own word. */
export function environmentOf(address: string | undefined): Record<string, string> {
  return {
    PATH,
    // UCSPI's names (https://cr.yp.to/proto/ucspi.txt), which Dovecot uses too.
    PROTO: "TCP",
    ...(address === undefined ? {} : { TCPREMOTEIP: address }),
    SERVICE: "pop3",
    ORIG_UID: String(process.getuid?.() ?? ""),
  };
}
