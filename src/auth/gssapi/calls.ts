/**
 * The jobs of the threads for Kerberos, done by calls of GSS-API (RFC 2744).
 *
 * The keytab is opened anew for each ticket, so that a changed one holds at once; that costs far less
 * than a ticket does. Only Kerberos 5 is accepted, as RFC 4752 §3 demands, and any key of the service
 * `pop`, whatever the host.
 *
 * Whatever a call has made is given back before this returns, but for a context that goes on.
 *
 * *Knows* the library. *Does not know* users, SASL, threads.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { addressOf, readMemory } from "../../platform/foreign_functions.ts";
import { BufferSlot, CallMemory, NumberSlot, PointerSlot } from "./foreign_values.ts";
import type { GssapiAnswer, GssapiJob, KeytabUse } from "./job.ts";
import { type KeytabPrincipal, readKeytab, realmsOf } from "./keytab.ts";
import type { GssapiFunctions } from "./library.ts";
import { judge } from "./status.ts";

/** RFC 5034 §6: the name of the service in GSSAPI. */
export const SERVICE = "pop";

/** 1.2.840.113554.1.2.2 (RFC 4121 §1). */
const KERBEROS_5 = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02);
/** GSS_C_NT_HOSTBASED_SERVICE, 1.2.840.113554.1.2.1.4 (RFC 2744 §3.8 as corrected by its errata). */
const SERVICE_NAME = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04);

const GSS_C_ACCEPT = 2;
const GSS_C_GSS_CODE = 1;
const GSS_C_MECH_CODE = 2;
const GSS_S_CONTINUE_NEEDED = 1;
/** Everything but the supplementary bits. */
const ERRORS = 0xffff_0000;
const GSS_C_ANON_FLAG = 64;
/** MIT's, since 1.19: the client's channel bindings were there and matched. */
const GSS_C_CHANNEL_BOUND_FLAG = 2048;

/** Of what the library says, this many characters at most. */
const DETAIL_CHARACTERS = 300;

/** The call went wrong: its two status codes. */
class CallFailed extends Error {
  readonly major: number;
  readonly minor: number;

  constructor(major: number, minor: number) {
    super("A call of GSS-API failed");
    this.major = major;
    this.minor = minor;
  }
}

/** The service's credentials are not to be had: whatever the reason, it is ours. */
class NoCredentials extends Error {}

export class GssapiCalls {
  readonly #gss: GssapiFunctions;
  readonly #minor = new NumberSlot();

  constructor(gss: GssapiFunctions) {
    this.#gss = gss;
  }

  /** Never throws. */
  perform(job: GssapiJob): GssapiAnswer {
    const memory = new CallMemory();
    try {
      switch (job.kind) {
        case "check":
          return this.#check(job.use, memory);
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
      return this.#answerTo(error, memory);
    } finally {
      memory.release();
    }
  }

  #check(use: KeytabUse, memory: CallMemory): GssapiAnswer {
    const realms = realmsOf(principalsOf(use.keytab), SERVICE);
    this.#withCredential(use, memory, () => undefined);
    return { kind: "right", realms };
  }

  #accept(job: GssapiJob & { kind: "accept" }, memory: CallMemory): GssapiAnswer {
    const realms = realmsOf(principalsOf(job.use.keytab), SERVICE);
    const context = new PointerSlot();
    context.value = job.context;
    try {
      return this.#withCredential(
        job.use,
        memory,
        (credential) => this.#acceptToken(job, { context, credential, realms, memory }),
      );
    } catch (error) {
      if (context.value !== 0n) this.#deleteContext(context.value);
      throw error;
    }
  }

  #acceptToken(
    { token, channelBinding }: GssapiJob & { kind: "accept" },
    { context, credential, realms, memory }: {
      context: PointerSlot;
      credential: bigint;
      realms: readonly string[];
      memory: CallMemory;
    },
  ): GssapiAnswer {
    const [name, mechanism, output, flags] = [
      new PointerSlot(),
      new PointerSlot(),
      new BufferSlot(),
      new NumberSlot(),
    ];
    const bindings = channelBinding && memory.channelBindings(channelBinding);
    try {
      const major = this.#gss.gss_accept_sec_context(
        this.#minor.memory,
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
      this.#must(major);
      const answer = output.octets;
      if ((major & GSS_S_CONTINUE_NEEDED) !== 0) {
        return { kind: "continue", context: context.value, token: answer };
      }
      if (!isKerberos5(mechanism.value)) throw new CallFailed(BAD_MECHANISM, 0);
      return {
        kind: "complete",
        context: context.value,
        token: answer,
        principal: this.#displayName(name.value),
        anonymous: (flags.value & GSS_C_ANON_FLAG) !== 0,
        bound: (flags.value & GSS_C_CHANNEL_BOUND_FLAG) !== 0,
        realms,
      };
    } finally {
      this.#releaseBuffer(output);
      if (name.value !== 0n) this.#gss.gss_release_name(scratch(), name.memory);
    }
  }

  /** @throws {NoCredentials} If the keytab has none, or cannot be read. */
  #withCredential<T>(
    { keytab, replayCache }: KeytabUse,
    memory: CallMemory,
    use: (credential: bigint) => T,
  ): T {
    const name = new PointerSlot();
    const credential = new PointerSlot();
    const store: [string, string][] = [["keytab", `FILE:${keytab}`]];
    if (replayCache !== undefined) store.push(["rcache", `file2:${replayCache}`]);
    try {
      this.#mustHave(this.#gss.gss_import_name(
        this.#minor.memory,
        memory.buffer(Buffer.from(SERVICE)),
        memory.oid(SERVICE_NAME),
        name.memory,
      ));
      this.#mustHave(this.#gss.gss_acquire_cred_from(
        this.#minor.memory,
        name.value,
        0,
        memory.oidSet(KERBEROS_5),
        GSS_C_ACCEPT,
        memory.keyValues(store),
        credential.memory,
        0n,
        0n,
      ));
      return use(credential.value);
    } finally {
      if (credential.value !== 0n) this.#gss.gss_release_cred(scratch(), credential.memory);
      if (name.value !== 0n) this.#gss.gss_release_name(scratch(), name.memory);
    }
  }

  #wrap(context: bigint, octets: Uint8Array, memory: CallMemory): Uint8Array {
    const output = new BufferSlot();
    try {
      this.#must(this.#gss.gss_wrap(
        this.#minor.memory,
        context,
        0,
        0,
        memory.buffer(octets),
        0n,
        output.memory,
      ));
      return output.octets;
    } finally {
      this.#releaseBuffer(output);
    }
  }

  #unwrap(context: bigint, token: Uint8Array, memory: CallMemory): Uint8Array {
    const output = new BufferSlot();
    try {
      this.#must(this.#gss.gss_unwrap(
        this.#minor.memory,
        context,
        memory.buffer(token),
        output.memory,
        0n,
        0n,
      ));
      return output.octets;
    } finally {
      this.#releaseBuffer(output);
    }
  }

  #displayName(name: bigint): Uint8Array {
    const text = new BufferSlot();
    try {
      this.#must(this.#gss.gss_display_name(this.#minor.memory, name, text.memory, 0n));
      return text.octets;
    } finally {
      this.#releaseBuffer(text);
    }
  }

  #deleteContext(context: bigint): void {
    const slot = new PointerSlot();
    slot.value = context;
    this.#gss.gss_delete_sec_context(scratch(), slot.memory, 0n);
  }

  #releaseBuffer(buffer: BufferSlot): void {
    this.#gss.gss_release_buffer(scratch(), buffer.memory);
  }

  #must(major: number): void {
    if ((major & ERRORS) !== 0) throw new CallFailed(major >>> 0, this.#minor.value);
  }

  #mustHave(major: number): void {
    if ((major & ERRORS) === 0) return;
    const memory = new CallMemory();
    throw new NoCredentials(this.#wordsOf(major >>> 0, this.#minor.value, memory));
  }

  #answerTo(error: unknown, memory: CallMemory): GssapiAnswer {
    if (error instanceof CallFailed) {
      const { major, minor } = error;
      return { ...judge(major, minor), detail: this.#wordsOf(major, minor, memory) };
    }
    const reason = error instanceof NoCredentials
      ? "the keytab cannot be used"
      : "a call of the Kerberos library went wrong";
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: "failed", reason, detail: detail.slice(0, DETAIL_CHARACTERS) };
  }

  /** What the library says of a failure, which may have names in it that the client has sent. */
  #wordsOf(major: number, minor: number, memory: CallMemory): string {
    const general = this.#words(major, GSS_C_GSS_CODE, memory);
    const special = minor === 0 ? "" : this.#words(minor, GSS_C_MECH_CODE, memory);
    return (special === "" ? general : `${general}: ${special}`).slice(0, DETAIL_CHARACTERS);
  }

  #words(status: number, kind: number, memory: CallMemory): string {
    const more = new NumberSlot();
    const text = new BufferSlot();
    const major = this.#gss.gss_display_status(
      scratch(),
      status,
      kind,
      memory.oid(KERBEROS_5),
      more.memory,
      text.memory,
    );
    try {
      return (major & ERRORS) === 0 ? new TextDecoder().decode(text.octets) : "";
    } finally {
      this.#releaseBuffer(text);
    }
  }
}

/** GSS_S_BAD_MECH. */
const BAD_MECHANISM = 1 << 16;

/** For a minor status that nobody asks about: the one of the failure is to stay. */
function scratch(): Uint8Array {
  return new NumberSlot().memory;
}

function isKerberos5(oid: bigint): boolean {
  if (oid === 0n) return false;
  const words = new DataView(readMemory(oid, 16).buffer);
  const elements = readMemory(words.getBigUint64(8, true), words.getUint32(0, true));
  return Buffer.from(elements).equals(KERBEROS_5);
}

/** @throws {NoCredentials} If the file cannot be read, or is no keytab. */
function principalsOf(keytab: string): KeytabPrincipal[] {
  let octets: Uint8Array;
  try {
    octets = readFileSync(keytab);
  } catch (error) {
    throw new NoCredentials(error instanceof Error ? error.message : String(error));
  }
  const principals = readKeytab(octets);
  if (principals === undefined) throw new NoCredentials("It is no keytab of version 2");
  if (realmsOf(principals, SERVICE).length === 0) {
    throw new NoCredentials(
      `It has no key of the service "${SERVICE}", such as "pop/mail.example.org"`,
    );
  }
  return principals;
}
