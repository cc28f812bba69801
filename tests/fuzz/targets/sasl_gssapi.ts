/**
 * GSSAPI over a context that does what its tokens say: nobody is let in but by a context that stands and a
 * choice of no layer, and what the context holds is given back whatever comes.
 *
 * *Does not know* Kerberos: what reads real tickets is the system's library.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { LoginDesk } from "../../../src/auth/login.ts";
import {
  type Accepted,
  type GssapiContext,
  gssapiMechanism,
} from "../../../src/auth/mechanisms/gssapi.ts";
import { readPrincipal } from "../../../src/auth/gssapi/principal.ts";
import { runExchange } from "../exchange.ts";
import { responsesOf } from "../responses.ts";
import type { FuzzTarget } from "../target.ts";

/** "Protects" by a prefix, and takes a token's text for what is to come of it. */
class SpokenContext implements GssapiContext {
  stands = false;
  released = 0;

  accept(token: Uint8Array): Promise<Accepted> {
    assert.equal(this.released, 0, "a context is used after it was given back");
    const [kind, answer = "", principal = ""] = Buffer.from(token).toString("latin1").split(" ");
    const octets = Buffer.from(answer, "latin1");
    const read = readPrincipal(Buffer.from(principal, "latin1"), ["/", "+"]);
    if (kind === "continue") return Promise.resolve({ kind, token: octets });
    if (kind === "unavailable") return Promise.resolve({ kind });
    if (kind !== "complete" || read === undefined) {
      return Promise.resolve({ kind: "refused", user: "" });
    }
    this.stands = true;
    assert.ok(!/[/+@\\:\p{Cc}]/u.test(read.name), "a principal that is more than a name");
    return Promise.resolve({ kind, token: octets, user: read.name, principal });
  }

  wrap(octets: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(Buffer.concat([Buffer.from("W:"), octets]));
  }

  unwrap(token: Uint8Array): Promise<Uint8Array | undefined> {
    const isOurs = Buffer.from(token.subarray(0, 2)).toString() === "W:";
    return Promise.resolve(isOurs ? token.subarray(2) : undefined);
  }

  release(): void {
    this.released++;
  }

  tell(): void {}
}

export const saslGssapi: FuzzTarget = {
  name: "sasl_gssapi",
  executions: 30_000,
  async attempt(input) {
    const context = new SpokenContext();
    const asked: string[] = [];
    const desk = {
      admit(user: string, actAs = "") {
        asked.push("admit");
        assert.ok(context.stands && !actAs.includes("\0"));
        return Promise.resolve({ kind: "granted", account: { user, extra: {} } });
      },
      refuse() {
        asked.push("refuse");
        return Promise.resolve({ kind: "refused" });
      },
    } as unknown as LoginDesk;
    const mechanism = gssapiMechanism(desk, { begin: () => context });
    const { granted, taken } = await runExchange(mechanism, responsesOf(input));
    assert.ok(context.released > 0, "a context is not given back");
    assert.ok(asked.length <= 1, "a login is settled more than once");
    const choice = Buffer.from(taken.at(-1) ?? new Uint8Array());
    const isChoice = choice.length >= 6 && choice.toString("latin1", 0, 3) === "W:\x01";
    assert.ok(!granted || context.stands && isChoice, "GSSAPI let somebody in");
  },
};
