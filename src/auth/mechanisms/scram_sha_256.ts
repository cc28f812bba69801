/**
 * The SASL mechanisms SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): the client proves that it
 * knows the password and sees that the server does, and the password does not cross the wire.
 *
 *     C: n,,n=alice,r=CLIENT                     user and nonce
 *     S: r=CLIENTSERVER,s=SALT,i=100000          what to derive the keys with
 *     C: c=biws,r=CLIENTSERVER,p=PROOF
 *     S: v=SIGNATURE                             only after the right proof of who may log in
 *     C:                                         RFC 5034 §4: data of success are answered by nothing
 *
 * Rules:
 * - Who has no keys is sent a salt that is made up, of a length and with iterations as the keys of others
 *   have: the same ones each time and however the name is spelt. The proof is checked against made-up keys.
 * - The desk is asked before the signature is sent: one that the client gets says that it is in.
 * - A client that can bind to the channel and thinks that we cannot ("y") was lied to about what we offer,
 *   and is refused.
 * - A failure has one answer, POP3's: no "e=" goes before it, which would tell more than it does and which
 *   clients would have to answer first.
 *
 * Names are handed on as they are sent: RFC 5802 §5.1 has clients prepare them, and directories hold what
 * clients of other mechanisms send as well.
 */

import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { SCRAM_ITERATIONS, SCRAM_MESSAGE_OCTETS, SCRAM_SALT_OCTETS } from "../../limits.ts";
import type { LoginDesk, ScramKeys, ScramShape } from "../login.ts";
import type { Done, Exchange, Mechanism, Step } from "../mechanism.ts";
import type { SecureChannel } from "../secure_channel.ts";
import { bindingData, canBind } from "../scram/channel_binding.ts";
import {
  type ClientFinal,
  type ClientFirst,
  encodeServerFinal,
  encodeServerFirst,
  parseClientFinal,
  parseClientFirst,
} from "../scram/messages.ts";
import { isProofRight, serverSignature } from "../scram/proof.ts";
import { foldedName } from "../user_name.ts";

export interface ScramOptions {
  /** The TLS of the connection; undefined without. */
  readonly channel: SecureChannel | undefined;
  /** False where the settings leave -PLUS out; then clients that could bind are told the truth. */
  readonly offersPlus?: boolean;
  /** Draws octets that nobody can foresee. */
  readonly random: (octets: number) => Uint8Array;
  /**
   * One text for all the names that the directories take for one user's; lower case unless given. An
   * unknown user's salt is made up from it.
   */
  readonly spelling?: (user: string) => string;
}

/** Of made-up keys where no user has any. */
const DEFAULT_SHAPE: ScramShape = {
  iterations: SCRAM_ITERATIONS.default,
  saltOctets: SCRAM_SALT_OCTETS.default,
};

/** As many as the longest salt has pieces of 32 octets. */
const SALT_PARTS = Array.from({ length: Math.ceil(SCRAM_SALT_OCTETS.max / 32) }, (_, at) => at);

/** Octets of our part of the nonce: 24 characters. */
const NONCE_OCTETS = 18;

/** The mechanisms that can succeed on this connection, the stronger one first. */
export function scramSha256Mechanisms(
  desk: LoginDesk,
  options: ScramOptions,
): readonly Mechanism[] {
  const plusOffered = options.offersPlus !== false && canBind(options.channel);
  const bare = mechanism("SCRAM-SHA-256", (first) => {
    if (first.binding.kind === "p") return "malformed";
    return first.binding.kind === "y" && plusOffered ? "refused" : new Uint8Array();
  });
  const plus = mechanism("SCRAM-SHA-256-PLUS", ({ binding }) => {
    if (binding.kind !== "p") return "malformed";
    return bindingData(binding.name, options.channel) ?? "refused";
  });
  return plusOffered ? [plus, bare] : [bare];

  function mechanism(name: string, bind: Binder): Mechanism {
    return {
      name,
      plaintext: false,
      maxResponseOctets: SCRAM_MESSAGE_OCTETS,
      start: () => new ScramExchange(desk, options, bind),
    };
  }
}

/** What the client has to have bound to, or why its first message goes no further. */
type Binder = (first: ClientFirst) => Uint8Array | "malformed" | "refused";

type State =
  | { readonly at: "first" }
  | {
    readonly at: "final";
    readonly first: ClientFirst;
    readonly serverFirst: string;
    readonly nonce: string;
    readonly bound: Uint8Array;
    readonly keys: ScramKeys;
    /** False where the keys are made up. */
    readonly known: boolean;
  }
  | { readonly at: "end"; readonly admitted: Done }
  | { readonly at: "over"; readonly admitted?: Done };

class ScramExchange implements Exchange {
  readonly #desk: LoginDesk;
  readonly #options: ScramOptions;
  readonly #bind: Binder;
  #state: State = { at: "first" };

  constructor(desk: LoginDesk, options: ScramOptions, bind: Binder) {
    this.#desk = desk;
    this.#options = options;
    this.#bind = bind;
  }

  next(response: Uint8Array | undefined): Step | Promise<Step> {
    const state = this.#state;
    if (response === undefined && state.at === "first") {
      // RFC 5034 §4: a client that sent no initial response is asked by an empty challenge.
      return { kind: "challenge", octets: new Uint8Array() };
    }
    this.#state = { at: "over" };
    if (response === undefined) return { kind: "malformed" };
    switch (state.at) {
      case "first":
        return this.#greet(response);
      case "final":
        return this.#prove(state, response);
      case "end":
        if (response.length === 0) return state.admitted;
        this.#state = { at: "over", admitted: state.admitted };
        return { kind: "malformed" };
      case "over":
        return { kind: "malformed" };
    }
  }

  /** A client that takes the signature and leaves has learnt that its proof was right: that is told. */
  abandon(): Done | undefined {
    const state = this.#state;
    this.#state = { at: "over" };
    return "admitted" in state ? state.admitted : undefined;
  }

  async #greet(response: Uint8Array): Promise<Step> {
    const first = parseClientFirst(response);
    if (first === undefined) return { kind: "malformed" };
    const bound = this.#bind(first);
    if (bound === "malformed") return { kind: "malformed" };
    if (bound === "refused") return await this.#refuse(first.user);
    const found = await this.#desk.secretsOf(first.user);
    if (found.kind !== "found") return { kind: "done", user: first.user, outcome: found };
    // Made up in any case, since that takes time.
    const decoy = this.#madeUpKeys(first.user, found.scramShape ?? DEFAULT_SHAPE);
    const keys = found.secrets.scramSha256 ?? decoy;
    const own = Buffer.from(this.#options.random(NONCE_OCTETS)).toString("base64");
    const nonce = first.nonce + own;
    const serverFirst = encodeServerFirst(nonce, keys.salt, keys.iterations);
    this.#state = { at: "final", first, serverFirst, nonce, bound, keys, known: keys !== decoy };
    return { kind: "challenge", octets: Buffer.from(serverFirst, "latin1") };
  }

  async #prove(state: State & { at: "final" }, response: Uint8Array): Promise<Step> {
    const { first, keys, known } = state;
    const final = parseClientFinal(response);
    if (final === undefined) return { kind: "malformed" };
    const authMessage = `${first.bare},${state.serverFirst},${final.withoutProof}`;
    // All of it is looked at, whatever comes of it.
    const right = [
      isProofRight(keys, authMessage, final.proof),
      isForThisExchange(state, final),
      known,
    ];
    if (right.includes(false)) return await this.#refuse(first.user);
    const outcome = await this.#desk.admit(first.user, first.authzid);
    const done = { kind: "done", user: first.user, outcome } as const;
    if (outcome.kind !== "granted") return done;
    this.#state = { at: "end", admitted: done };
    const serverFinal = encodeServerFinal(serverSignature(keys, authMessage));
    return { kind: "challenge", octets: Buffer.from(serverFinal, "latin1") };
  }

  async #refuse(user: string): Promise<Step> {
    return { kind: "done", user, outcome: await this.#desk.refuse(user) };
  }

  #madeUpKeys(user: string, { iterations, saltOctets }: ScramShape): ScramKeys {
    const { spelling = foldedName } = this.#options;
    const name = spelling(user);
    // With the shape in it, or a shape that changes would show a part of the same salt.
    const salt = SALT_PARTS.map((part) =>
      this.#desk.madeUp(`SCRAM-SHA-256 salt ${part} ${iterations} ${saltOctets} ${name}`)
    );
    return {
      iterations,
      salt: Buffer.concat(salt).subarray(0, saltOctets),
      storedKey: this.#desk.madeUp(`SCRAM-SHA-256 key ${name}`),
      serverKey: new Uint8Array(),
    };
  }
}

/** Whether the client's last message has the nonces, the GS2 header and the channel of this exchange. */
function isForThisExchange(
  { nonce, first, bound }: State & { at: "final" },
  final: ClientFinal,
): boolean {
  const expected = Buffer.concat([Buffer.from(first.gs2Header, "utf8"), bound]);
  return final.nonce === nonce && final.channelBinding.length === expected.length &&
    timingSafeEqual(final.channelBinding, expected);
}
