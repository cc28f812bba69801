/**
 * The client's side of GSSAPI in a test's own process, and tokens that no honest client makes.
 *
 * *Knows*: MIT's libraries by foreign functions. *Does not know*: popkeep's acceptor.
 */

import { Buffer } from "node:buffer";
import {
  BufferSlot,
  CallMemory,
  NumberSlot,
  PointerSlot,
} from "../../src/auth/gssapi/foreign_values.ts";
import {
  addressOf,
  foreignMemory,
  openLibrary,
  readMemory,
} from "../../src/platform/foreign_functions.ts";

const { functions: libc } = openLibrary(["libc.so.6"], {
  setenv: { takes: ["buffer", "buffer", "i32"], gives: "i32" },
  memcpy: { takes: ["pointer", "buffer", "size"], gives: "pointer" },
});

const { functions: gss } = openLibrary(["libgssapi_krb5.so.2"], {
  gss_import_name: { takes: ["buffer", "buffer", "buffer", "buffer"], gives: "u32" },
  gss_acquire_cred_from: {
    takes: [
      "buffer",
      "pointer",
      "u32",
      "buffer",
      "i32",
      "buffer",
      "buffer",
      "pointer",
      "pointer",
    ],
    gives: "u32",
  },
  gss_init_sec_context: {
    takes: [
      "buffer",
      "pointer",
      "buffer",
      "pointer",
      "buffer",
      "u32",
      "u32",
      "pointer",
      "buffer",
      "pointer",
      "buffer",
      "pointer",
      "pointer",
    ],
    gives: "u32",
  },
  gss_wrap: {
    takes: ["buffer", "pointer", "i32", "u32", "buffer", "pointer", "buffer"],
    gives: "u32",
  },
  gss_unwrap: {
    takes: ["buffer", "pointer", "buffer", "buffer", "pointer", "pointer"],
    gives: "u32",
  },
  gss_release_buffer: { takes: ["buffer", "buffer"], gives: "u32" },
});

const { functions: krb5 } = openLibrary(["libkrb5.so.3"], {
  krb5_init_context: { takes: ["buffer"], gives: "i32" },
  krb5_parse_name: { takes: ["pointer", "buffer", "buffer"], gives: "i32" },
  krb5_cc_resolve: { takes: ["pointer", "buffer", "buffer"], gives: "i32" },
  krb5_cc_get_principal: { takes: ["pointer", "pointer", "buffer"], gives: "i32" },
  krb5_get_credentials: {
    takes: ["pointer", "i32", "pointer", "buffer", "buffer"],
    gives: "i32",
  },
  krb5_auth_con_init: { takes: ["pointer", "buffer"], gives: "i32" },
  krb5_auth_con_set_req_cksumtype: { takes: ["pointer", "pointer", "i32"], gives: "i32" },
  krb5_mk_req_extended: {
    takes: ["pointer", "buffer", "i32", "buffer", "pointer", "buffer"],
    gives: "i32",
  },
});

const KERBEROS_5 = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02);
const SERVICE_NAME = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04);
const GSS_C_INITIATE = 1;
const MUTUAL_FLAG = 2;
/** CKSUMTYPE of the field that GSS-API keeps its flags in (RFC 4121 §4.1.1). */
const GSS_CHECKSUM = 0x8003;

/** Where `times.endtime` stands in krb5_creds. */
const END_TIME_AT = 56n;

/** Sets a variable of the process's environment, where libraries see it and not only JavaScript does. */
export function setLibraryEnvironment(name: string, value: string): void {
  libc.setenv(cString(name), cString(value), 1);
}

export interface InitiatorOptions {
  /** The credential cache with the ticket-granting ticket. */
  readonly cache: string;
  /** "pop@localhost" unless said. */
  readonly service?: string;
  /** That the server proves itself too, which takes a token more. */
  readonly mutual?: boolean;
  readonly channelBinding?: Uint8Array;
}

/** A client's security context. What it holds is given back by the end of the process. */
export class Initiator {
  readonly #options: InitiatorOptions;
  readonly #context = new PointerSlot();
  readonly #minor = new NumberSlot();

  constructor(options: InitiatorOptions) {
    this.#options = options;
  }

  /** The next token; of no octets when the context stands and nothing is to be sent. */
  next(token: Uint8Array = new Uint8Array()): Uint8Array {
    const { cache, service = "pop@localhost", mutual = false, channelBinding } = this.#options;
    const memory = new CallMemory();
    const [name, credential, output] = [new PointerSlot(), new PointerSlot(), new BufferSlot()];
    const bindings = channelBinding && memory.channelBindings(channelBinding);
    this.#must(gss.gss_import_name(
      this.#minor.memory,
      memory.buffer(Buffer.from(service)),
      memory.oid(SERVICE_NAME),
      name.memory,
    ));
    this.#must(gss.gss_acquire_cred_from(
      this.#minor.memory,
      0n,
      0,
      memory.oidSet(KERBEROS_5),
      GSS_C_INITIATE,
      memory.keyValues([["ccache", `FILE:${cache}`]]),
      credential.memory,
      0n,
      0n,
    ));
    this.#must(gss.gss_init_sec_context(
      this.#minor.memory,
      credential.value,
      this.#context.memory,
      name.value,
      memory.oid(KERBEROS_5),
      mutual ? MUTUAL_FLAG : 0,
      0,
      bindings === undefined ? 0n : addressOf(bindings),
      memory.buffer(token),
      0n,
      output.memory,
      0n,
      0n,
    ));
    memory.release();
    return taken(output);
  }

  wrap(octets: Uint8Array, confidential = false): Uint8Array {
    const memory = new CallMemory();
    const output = new BufferSlot();
    this.#must(gss.gss_wrap(
      this.#minor.memory,
      this.#context.value,
      confidential ? 1 : 0,
      0,
      memory.buffer(octets),
      0n,
      output.memory,
    ));
    memory.release();
    return taken(output);
  }

  unwrap(token: Uint8Array): Uint8Array {
    const memory = new CallMemory();
    const output = new BufferSlot();
    this.#must(gss.gss_unwrap(
      this.#minor.memory,
      this.#context.value,
      memory.buffer(token),
      output.memory,
      0n,
      0n,
    ));
    memory.release();
    return taken(output);
  }

  #must(major: number): void {
    if (major >>> 16 === 0) return;
    throw new Error(`GSS-API failed with ${major.toString(16)}, ${this.#minor.value | 0}`);
  }
}

/** A ticket for a service that is presented when one likes, also when it has expired long ago. */
export class HeldTicket {
  readonly #context: bigint;
  readonly #credentials: bigint;

  /** @param service Such as "pop/localhost". */
  constructor(cache: string, service: string) {
    const slots = Array.from({ length: 5 }, () => new PointerSlot());
    const [context, server, ccache, client, credentials] = slots as [
      PointerSlot,
      PointerSlot,
      PointerSlot,
      PointerSlot,
      PointerSlot,
    ];
    must(krb5.krb5_init_context(context.memory));
    this.#context = context.value;
    must(krb5.krb5_parse_name(this.#context, cString(service), server.memory));
    must(krb5.krb5_cc_resolve(this.#context, cString(`FILE:${cache}`), ccache.memory));
    must(krb5.krb5_cc_get_principal(this.#context, ccache.value, client.memory));
    // krb5_creds: a magic number, then the addresses of the client's and of the server's name.
    const wanted = foreignMemory(120);
    new DataView(wanted.buffer).setBigUint64(8, client.value, true);
    new DataView(wanted.buffer).setBigUint64(16, server.value, true);
    must(krb5.krb5_get_credentials(this.#context, 0, ccache.value, wanted, credentials.memory));
    this.#credentials = credentials.value;
    // What the library knows of the ticket's end becomes "never"; in the ticket it stands as it was.
    libc.memcpy(this.#credentials + END_TIME_AT, Uint8Array.of(0xff, 0xff, 0xff, 0x7f), 4);
  }

  /** A first token of GSS-API with this ticket and an authenticator of now. */
  token(): Uint8Array {
    const authentication = new PointerSlot();
    must(krb5.krb5_auth_con_init(this.#context, authentication.memory));
    must(krb5.krb5_auth_con_set_req_cksumtype(
      this.#context,
      authentication.value,
      GSS_CHECKSUM,
    ));
    // RFC 4121 §4.1.1: the length 16, no channel bindings, the flag for integrity.
    const checksum = foreignMemory(24);
    new DataView(checksum.buffer).setUint32(0, 16, true);
    new DataView(checksum.buffer).setUint32(20, 32, true);
    const request = foreignMemory(24);
    must(krb5.krb5_mk_req_extended(
      this.#context,
      authentication.memory,
      0,
      krb5Data(checksum),
      this.#credentials,
      request,
    ));
    const view = new DataView(request.buffer);
    const message = readMemory(view.getBigUint64(8, true), view.getUint32(4, true));
    return framed(message);
  }
}

/** `60 length 06 09 OID 01 00 AP-REQ` (RFC 2743 §3.1, RFC 4121 §4.1). */
function framed(message: Uint8Array): Uint8Array {
  const inner = Buffer.concat([
    Uint8Array.of(6, KERBEROS_5.length),
    KERBEROS_5,
    Uint8Array.of(1, 0),
    message,
  ]);
  const length = inner.length;
  return Buffer.concat([Uint8Array.of(0x60, 0x82, length >> 8, length & 0xff), inner]);
}

/** `krb5_data { magic; unsigned length; char *data; }` */
function krb5Data(octets: Uint8Array): Uint8Array {
  const data = foreignMemory(16);
  new DataView(data.buffer).setUint32(4, octets.length, true);
  new DataView(data.buffer).setBigUint64(8, addressOf(octets), true);
  return data;
}

function taken(output: BufferSlot): Uint8Array {
  const octets = output.octets;
  gss.gss_release_buffer(new NumberSlot().memory, output.memory);
  return octets;
}

function must(code: number): void {
  if (code !== 0) throw new Error(`Kerberos failed with ${code}`);
}

function cString(text: string): Uint8Array {
  const memory = foreignMemory(Buffer.byteLength(text) + 1);
  memory.set(Buffer.from(text));
  return memory;
}
