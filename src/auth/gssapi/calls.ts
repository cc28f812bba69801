/**
 * The jobs of the threads for Kerberos, done by calls of GSS-API (RFC 2744).
 *
 * Whatever a call has made is given back before this returns, but for a context that goes on.
 *
 * *Knows* the library. *Does not know* users, SASL, threads.
 */

import { Buffer } from "node:buffer";
import { closeSync, openSync } from "node:fs";
import { addressOf, readMemory } from "../../platform/foreign_functions.ts";
import { CallFailed, CheckedCalls, KERBEROS_5, scratch } from "./checked_calls.ts";
import { BufferSlot, CallMemory, NumberSlot, PointerSlot } from "./foreign_values.ts";
import type { GssapiAnswer, GssapiJob, KeytabUse } from "./job.ts";
import { NoCredential, realmsInKeytab, withCredential } from "./keytab_credential.ts";
import type { GssapiFunctions } from "./library.ts";
import { judge } from "./status.ts";

type AcceptJob = GssapiJob & { readonly kind: "accept" };

const GSS_S_CONTINUE_NEEDED = 1;
const GSS_S_BAD_MECH = 1 << 16;
const GSS_C_ANON_FLAG = 64;
/** MIT's, since 1.19: the client's channel bindings were there and matched. */
const GSS_C_CHANNEL_BOUND_FLAG = 2048;

export class GssapiCalls {
  readonly #calls: CheckedCalls;

  constructor(gss: GssapiFunctions) {
    this.#calls = new CheckedCalls(gss);
  }

  /** Never throws. */
  perform(job: GssapiJob): GssapiAnswer {
    const memory = new CallMemory();
    try {
      switch (job.kind) {
        case "check": {
          // Ours first, since it has the clearer words.
          const realms = realmsInKeytab(job.use.keytab);
          withCredential(this.#calls, job.use, { memory, use: () => undefined });
          tryReplayCache(job.use);
          return { kind: "right", realms };
        }
        case "accept":
          return this.#accept(job, memory);
        case "wrap":
          return { kind: "octets", octets: this.#wrap(job.context, job.octets, memory) };
        case "unwrap":
          return { kind: "octets", octets: this.#unwrap(job.context, job.token, memory) };
        case "release":
          this.#deleteContext(job.context);
          return { kind: "released" };
      }
    } catch (error) {
      return answerTo(error);
    } finally {
      memory.release();
    }
  }

  #accept(job: AcceptJob, memory: CallMemory): GssapiAnswer {
    const context = new PointerSlot();
    context.value = job.context;
    try {
      const realms = realmsInKeytab(job.use.keytab);
      const use = (credential: bigint) => this.#take(job, { context, credential, memory, realms });
      return withCredential(this.#calls, job.use, { memory, use });
    } catch (error) {
      if (context.value !== 0n) this.#deleteContext(context.value);
      throw error;
    }
  }

  /** One token, by a credential. */
  #take(
    { token, channelBinding }: AcceptJob,
    { context, credential, memory, realms }: {
      readonly context: PointerSlot;
      readonly credential: bigint;
      readonly memory: CallMemory;
      readonly realms: readonly string[];
    },
  ): GssapiAnswer {
    const [name, mechanism] = [new PointerSlot(), new PointerSlot()];
    const [output, flags] = [new BufferSlot(), new NumberSlot()];
    const bindings = channelBinding && memory.channelBindings(channelBinding);
    const { gss } = this.#calls;
    try {
      const major = gss.gss_accept_sec_context(
        this.#calls.minor,
        context.memory,
        credential,
        memory.buffer(token),
        bindings === undefined ? 0n : addressOf(bindings),
        name.memory,
        mechanism.memory,
        output.memory,
        flags.memory,
        0n,
        0n,
      );
      this.#calls.must(major);
      const answer = { context: context.value, token: output.octets };
      if ((major & GSS_S_CONTINUE_NEEDED) !== 0) return { kind: "continue", ...answer };
      if (!isKerberos5(mechanism.value)) this.#calls.must(GSS_S_BAD_MECH);
      return {
        kind: "complete",
        ...answer,
        principal: this.#displayName(name.value),
        anonymous: (flags.value & GSS_C_ANON_FLAG) !== 0,
        bound: (flags.value & GSS_C_CHANNEL_BOUND_FLAG) !== 0,
        realms,
      };
    } finally {
      this.#calls.releaseBuffer(output);
      if (name.value !== 0n) gss.gss_release_name(scratch(), name.memory);
    }
  }

  #wrap(context: bigint, octets: Uint8Array, memory: CallMemory): Uint8Array {
    const { gss, minor } = this.#calls;
    const message = memory.buffer(octets);
    return this.#calls.take((output) => gss.gss_wrap(minor, context, 0, 0, message, 0n, output));
  }

  #unwrap(context: bigint, token: Uint8Array, memory: CallMemory): Uint8Array {
    const { gss, minor } = this.#calls;
    const wrapped = memory.buffer(token);
    return this.#calls.take((output) => gss.gss_unwrap(minor, context, wrapped, output, 0n, 0n));
  }

  #displayName(name: bigint): Uint8Array {
    const { gss, minor } = this.#calls;
    return this.#calls.take((output) => gss.gss_display_name(minor, name, output, 0n));
  }

  #deleteContext(context: bigint): void {
    const slot = new PointerSlot();
    slot.value = context;
    this.#calls.gss.gss_delete_sec_context(scratch(), slot.memory, 0n);
  }
}

/** The library looks at it only when it has a token to keep. */
function tryReplayCache({ replayCache }: KeytabUse): void {
  if (replayCache === undefined) return;
  try {
    closeSync(openSync(replayCache, "a", 0o600));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(`used tokens cannot be written down: ${said}`);
  }
}

function answerTo(error: unknown): GssapiAnswer {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof CallFailed) return { ...judge(error.major, error.minor), detail };
  const reason = error instanceof NoCredential
    ? "the keytab cannot be used"
    : "a call of the Kerberos library went wrong";
  return { kind: "failed", reason, detail };
}

function isKerberos5(oid: bigint): boolean {
  if (oid === 0n) return false;
  const words = new DataView(readMemory(oid, 16).buffer);
  const elements = readMemory(words.getBigUint64(8, true), words.getUint32(0, true));
  return Buffer.from(elements).equals(KERBEROS_5);
}
