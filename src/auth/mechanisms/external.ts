/**
 * The SASL mechanism EXTERNAL (RFC 4422 appendix A): the client's TLS certificate says who it is, and its
 * one response only whom it wants to act as, or nothing.
 *
 * It is offered to clients alone that showed a verified certificate with a user name. One with several
 * names may be used as any of them.
 */

import { USER_NAME_OCTETS } from "../../limits.ts";
import type { ClientIdentity } from "../client_certificates/client_identity.ts";
import type { LoginDesk, LoginOutcome } from "../login.ts";
import type { Exchange, Mechanism, Step } from "../mechanism.ts";

/** The mechanism for a client of this identity. */
export function externalMechanism(desk: LoginDesk, identity: ClientIdentity): Mechanism {
  return {
    name: "EXTERNAL",
    plaintext: false,
    maxResponseOctets: USER_NAME_OCTETS,
    start: (): Exchange => ({
      next(response) {
        // RFC 5034 §4: a client that sent no initial response is asked by an empty challenge.
        if (response === undefined) return { kind: "challenge", octets: new Uint8Array() };
        const authzid = parseAuthzid(response);
        return authzid === undefined ? { kind: "malformed" } : logIn(authzid, { desk, identity });
      },
    }),
  };
}

/** RFC 4422 appendix A.1: UTF-8 without NUL; "" where the client wants to be who it is. */
function parseAuthzid(response: Uint8Array): string | undefined {
  if (response.length > USER_NAME_OCTETS || response.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(response);
  } catch {
    return undefined;
  }
}

async function logIn(
  authzid: string,
  { desk, identity }: { desk: LoginDesk; identity: ClientIdentity },
): Promise<Step> {
  const isOwn = identity.names.includes(authzid);
  const user = isOwn ? authzid : identity.names[0];
  return { kind: "done", user, outcome: await decide() };

  async function decide(): Promise<LoginOutcome> {
    switch (await identity.validity()) {
      case "yes":
        return await desk.admit(user, isOwn ? "" : authzid);
      case "no":
        return await desk.refuse(user);
      case "unknown":
        return { kind: "unavailable" };
    }
  }
}
