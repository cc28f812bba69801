/**
 * The header by which a load balancer says whose connection it hands on: HAProxy's PROXY protocol,
 * versions 1 and 2 (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt; sections below are
 * its).
 *
 * *Knows*: the header's octets. *Does not know*: sockets, who may send one.
 */

import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";
import { PROXY_HEADER_OCTETS } from "../limits.ts";
import { plainAddress } from "./address.ts";
import { crc32c } from "./crc32c.ts";

/** Who stands behind the proxy. */
export interface ProxiedClient {
  /** As `plainAddress` spells it. */
  readonly address: string;
  readonly port: number;
  /** The TLS version between the client and the proxy, such as "TLSv1.3", or "TLS"; undefined without it. */
  readonly tls: string | undefined;
}

/**
 * - `more`: what is there may be the beginning of a header.
 * - `header`: it ends after `octets`. Without a client the connection is the proxy's own, as when it looks
 *   whether we live, or the proxy does not know whose it is.
 * - `fault`: it is none.
 */
export type ProxyHeader =
  | { readonly kind: "more" }
  | { readonly kind: "header"; readonly octets: number; readonly client?: ProxiedClient }
  | { readonly kind: "fault"; readonly reason: string };

const MORE: ProxyHeader = { kind: "more" };

/** §2.1. */
const TEXT_BEGINNING = Buffer.from("PROXY ", "latin1");
/** §2.1: the longest line there can be, with its CRLF. */
const TEXT_OCTETS = 107;
/** §2.2. */
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const FIXED_OCTETS = 16;

const COMMAND_LOCAL = 0;
const COMMAND_PROXY = 1;
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const UNIX_STREAM = 0x31;

/** §2.2.4 and 2.2.6. */
const TYPE_CRC32C = 0x03;
const TYPE_SSL = 0x20;
const SUBTYPE_SSL_VERSION = 0x21;
const CLIENT_SSL = 0x01;
/** The octet of what the client has, and four of what came of its certificate. */
const SSL_FIXED_OCTETS = 5;

/** Reads the header that a connection begins with; `octets` is all that has come so far. */
export function readProxyHeader(octets: Uint8Array): ProxyHeader {
  const all = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  if (begins(all, TEXT_BEGINNING)) return readText(all);
  if (begins(all, SIGNATURE)) return readBinary(all);
  return fault("the connection does not begin with one");
}

/** Whether one of the two is the beginning of the other. */
function begins(octets: Buffer, beginning: Buffer): boolean {
  const common = Math.min(octets.length, beginning.length);
  return octets.subarray(0, common).equals(beginning.subarray(0, common));
}

function fault(reason: string): ProxyHeader {
  return { kind: "fault", reason };
}

function readText(all: Buffer): ProxyHeader {
  const end = all.subarray(0, TEXT_OCTETS).indexOf("\r\n");
  if (end < 0) return all.length < TEXT_OCTETS ? MORE : fault("its line does not end");
  const octets = end + 2;
  const [, family, ...fields] = all.toString("latin1", 0, end).split(" ");
  // Whatever stands behind it is to be passed over.
  if (family === "UNKNOWN") return { kind: "header", octets };
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : undefined;
  if (isAddress === undefined) return fault("it names no family that there is");
  const [source = "", target = "", sourcePort = "", targetPort = ""] = fields;
  if (
    fields.length !== 4 || ![source, target].every((one) => isAddress(one) && !one.includes("%"))
  ) {
    return fault("its addresses are none of its family");
  }
  if (!isPort(sourcePort) || !isPort(targetPort)) return fault("its ports are none");
  const client = { address: plainAddress(source), port: Number(sourcePort), tls: undefined };
  return { kind: "header", octets, client };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(all: Buffer): ProxyHeader {
  if (all.length < FIXED_OCTETS) return MORE;
  const [versionAndCommand = 0, family = 0] = all.subarray(SIGNATURE.length);
  const octets = FIXED_OCTETS + all.readUInt16BE(14);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2) return fault("its version is unknown");
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) {
    return fault("its command is unknown");
  }
  if (octets > PROXY_HEADER_OCTETS) return fault(`it is longer than ${PROXY_HEADER_OCTETS} octets`);
  if (all.length < octets) return MORE;
  // §2.2: what a LOCAL header has behind it is to be passed over, whatever it is.
  if (command === COMMAND_LOCAL) return { kind: "header", octets };
  return readAddresses(all.subarray(0, octets), family);
}

function readAddresses(header: Buffer, family: number): ProxyHeader {
  const octets = header.length;
  const addresses = header.subarray(FIXED_OCTETS);
  if (family === UNSPECIFIED || family === UNIX_STREAM) return { kind: "header", octets };
  const length = family === TCP_OVER_IPV4 ? 4 : family === TCP_OVER_IPV6 ? 16 : 0;
  if (length === 0) return fault("its family is none that is served here");
  const fixed = 2 * length + 4;
  if (addresses.length < fixed) return fault("it is too short for its addresses");
  const additions = readAdditions(header, FIXED_OCTETS + fixed);
  if (typeof additions === "string") return fault(additions);
  const source = addresses.subarray(0, length);
  const address = length === 4 ? [...source].join(".") : ipv6Text(source);
  return {
    kind: "header",
    octets,
    client: {
      address: plainAddress(address),
      port: addresses.readUInt16BE(2 * length),
      tls: additions.tls,
    },
  };
}

/** RFC 4291 §2.2 in its plain form; the URL parser shortens it as RFC 5952 wants it. */
function ipv6Text(octets: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => octets.readUInt16BE(2 * at).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** What stands behind the addresses, or what is wrong with it. */
function readAdditions(header: Buffer, from: number): { tls: string | undefined } | string {
  let tls: string | undefined;
  for (const addition of typedValues(header, from)) {
    if (addition === undefined) return "what it adds does not end where it ends";
    const { type, value } = addition;
    if (type === TYPE_CRC32C && !isChecksum(header, value)) return "its checksum is wrong";
    if (type === TYPE_SSL) tls = tlsVersion(value);
  }
  return { tls };
}

interface TypedValue {
  readonly type: number;
  readonly value: Buffer;
}

/** §2.2.3: a type, two octets of length, and the value, up to the end; undefined for one that is cut off. */
function* typedValues(octets: Buffer, from: number): Generator<TypedValue | undefined> {
  for (let at = from; at < octets.length;) {
    const end = at + 3 <= octets.length ? at + 3 + octets.readUInt16BE(at + 1) : Infinity;
    if (end > octets.length) return yield undefined;
    yield { type: octets[at]!, value: octets.subarray(at + 3, end) };
    at = end;
  }
}

/** §2.2.5: the checksum is taken with its own octets as zeros. */
function isChecksum(header: Buffer, value: Buffer): boolean {
  if (value.length !== 4) return false;
  const zeroed = Buffer.from(header);
  zeroed.fill(0, value.byteOffset - header.byteOffset, value.byteOffset - header.byteOffset + 4);
  return crc32c(zeroed) === value.readUInt32BE(0);
}

/** Undefined where the client has no TLS. */
function tlsVersion(ssl: Buffer): string | undefined {
  if (ssl.length < SSL_FIXED_OCTETS || (ssl[0]! & CLIENT_SSL) === 0) return undefined;
  for (const addition of typedValues(ssl, SSL_FIXED_OCTETS)) {
    if (addition?.type !== SUBTYPE_SSL_VERSION) continue;
    const version = addition.value.toString("latin1");
    if (/^TLSv1(?:\.[0-9])?$/.test(version)) return version;
  }
  return "TLS";
}
