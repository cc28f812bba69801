/**
 * The channel binding tls-server-end-point (RFC 5929 §4): a hash of the server's certificate, by the hash
 * function of the certificate's own signature, or SHA-256 where that is MD5 or SHA-1.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** Signature algorithms that have a hash function, by the DER of their identifiers in hexadecimal. */
const HASH_OF_SIGNATURE: ReadonlyMap<string, string> = new Map([
  ["2a864886f70d010104", "sha256"], // md5WithRSAEncryption
  ["2a864886f70d010105", "sha256"], // sha1WithRSAEncryption
  ["2a864886f70d01010e", "sha224"],
  ["2a864886f70d01010b", "sha256"], // sha256WithRSAEncryption
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d0401", "sha256"], // ecdsa-with-SHA1
  ["2a8648ce3d040301", "sha224"],
  ["2a8648ce3d040302", "sha256"], // ecdsa-with-SHA256
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
]);

const RSASSA_PSS = "2a864886f70d01010a";

const HASHES: ReadonlyMap<string, string> = new Map([
  ["2b0e03021a", "sha256"], // SHA-1
  ["608648016503040204", "sha224"],
  ["608648016503040201", "sha256"],
  ["608648016503040202", "sha384"],
  ["608648016503040203", "sha512"],
]);

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const PSS_HASH_ALGORITHM = 0xa0;

/**
 * The hash of a certificate in DER. Undefined where RFC 5929 leaves it undefined (Ed25519 and others whose
 * signature names no hash function), and for what is no certificate.
 */
export function serverEndPoint(certificate: Uint8Array): Uint8Array | undefined {
  const parts = childrenOf(certificate, SEQUENCE);
  const algorithm = childrenOf(parts?.[1], SEQUENCE);
  const hash = hashOf(algorithm);
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest();
}

function hashOf(algorithm: readonly Uint8Array[] | undefined): string | undefined {
  const identifier = objectIdentifier(algorithm?.[0]);
  if (identifier !== RSASSA_PSS) return HASH_OF_SIGNATURE.get(identifier ?? "");
  // RFC 4055 §3.1: the first of its parameters, SHA-1 where it is left out.
  const parameters = childrenOf(algorithm?.[1], SEQUENCE);
  if (parameters === undefined) return undefined;
  const hash = childrenOf(parameters[0], PSS_HASH_ALGORITHM);
  if (hash === undefined) return "sha256";
  return HASHES.get(objectIdentifier(childrenOf(hash[0], SEQUENCE)?.[0]) ?? "");
}

function objectIdentifier(der: Uint8Array | undefined): string | undefined {
  const element = readElement(der, 0);
  if (element?.tag !== OBJECT_IDENTIFIER) return undefined;
  return Buffer.from(element.content).toString("hex");
}

/** The elements inside of one element, each whole; undefined unless it has this tag and is well-formed. */
function childrenOf(der: Uint8Array | undefined, tag: number): Uint8Array[] | undefined {
  const element = readElement(der, 0);
  if (element === undefined || element.tag !== tag) return undefined;
  const children: Uint8Array[] = [];
  for (let at = 0; at < element.content.length;) {
    const child = readElement(element.content, at);
    if (child === undefined) return undefined;
    children.push(element.content.subarray(at, child.end));
    at = child.end;
  }
  return children;
}

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly end: number;
}

/** X.690 §8.1, definite lengths of up to three octets. */
function readElement(der: Uint8Array | undefined, at: number): Element | undefined {
  const tag = der?.[at];
  const first = der?.[at + 1];
  if (der === undefined || tag === undefined || first === undefined) return undefined;
  const lengthOctets = first < 0x80 ? 0 : first - 0x80;
  if (lengthOctets > 3 || first === 0x80) return undefined;
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthOctets; index++) {
    length = length * 256 + (der[at + 2 + index] ?? 0);
  }
  const start = at + 2 + lengthOctets;
  if (start + length > der.length) return undefined;
  return { tag, content: der.subarray(start, start + length), end: start + length };
}
