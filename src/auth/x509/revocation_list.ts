/**
 * A certificate revocation list (RFC 5280 §5): which of an issuer's certificates are no longer good.
 *
 * Only whole lists of an issuer's own certificates are taken: delta lists, indirect ones and those for a
 * part of the certificates have critical extensions, and one of these makes a list unusable (§5.2).
 */

import { type KeyObject, verify } from "node:crypto";
import { hexadecimal } from "./certificate.ts";
import {
  childrenOf,
  contextTag,
  DerFault,
  type Element,
  expectTag,
  objectIdentifier,
  readElement,
  TAG,
  timeOf,
} from "./der.ts";

export interface RevocationList {
  /** The DER of the issuer's name, in hexadecimal. */
  readonly issuer: string;
  /** When it was made, and when the next is due: from then on it says nothing. ms since 1970. */
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** The serial numbers on it, hexadecimal as in the DER. */
  readonly revoked: ReadonlySet<string>;
  /** Whether a key made its signature. */
  isSignedBy(key: KeyObject): boolean;
}

/** Signature algorithms and their hash functions, none where the algorithm has its own; not SHA-1. */
const HASHES: ReadonlyMap<string, string | null> = new Map([
  ["1.2.840.113549.1.1.11", "sha256"], // with RSA
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.3.2", "sha256"], // with ECDSA
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  ["1.3.101.112", null], // Ed25519
]);

/**
 * Reads a list in DER; costs time and memory by its length, some 100 octets an entry.
 *
 * @throws {DerFault} If it is none, or one that is not taken.
 */
export function readRevocationList(der: Uint8Array): RevocationList {
  const [toBeSigned, algorithm, signature] = childrenOf(readElement(der), TAG.sequence);
  const fields = [...childrenOf(toBeSigned, TAG.sequence)];
  if (fields[0]?.tag === TAG.integer) fields.shift();
  const [signedAlgorithm, issuer, thisUpdate, nextUpdate, ...rest] = fields;
  const [algorithmName] = childrenOf(algorithm, TAG.sequence);
  const hash = HASHES.get(objectIdentifier(algorithmName));
  if (hash === undefined) throw new DerFault("signed by an algorithm that is not taken");
  if (!sameOctets(algorithm, signedAlgorithm)) {
    throw new DerFault("the algorithm of the signature is not the one that was signed");
  }
  if (nextUpdate?.tag !== TAG.utcTime && nextUpdate?.tag !== TAG.generalizedTime) {
    throw new DerFault("it does not say when the next one is due");
  }
  for (const extensions of rest.filter(({ tag }) => tag === LIST_EXTENSIONS)) {
    const [list] = childrenOf(extensions, LIST_EXTENSIONS);
    refuseCritical(list);
  }
  const signed = expectTag(toBeSigned, TAG.sequence).whole;
  // The first octet of a bit string counts the bits that are not used.
  const bits = expectTag(signature, TAG.bitString).content.subarray(1);
  return {
    issuer: hexadecimal(expectTag(issuer, TAG.sequence).whole),
    thisUpdateMs: timeOf(thisUpdate),
    nextUpdateMs: timeOf(nextUpdate),
    revoked: serialsOf(rest.find(({ tag }) => tag === TAG.sequence)),
    isSignedBy: (key) => isSignature(bits, { hash, signed, key }),
  };
}

/** A key of another kind than the algorithm's has not made the signature; asking throws, in some runtimes. */
function isSignature(
  signature: Uint8Array,
  { hash, signed, key }: { hash: string | null; signed: Uint8Array; key: KeyObject },
): boolean {
  try {
    return verify(hash, signed, key, signature);
  } catch {
    return false;
  }
}

const LIST_EXTENSIONS = contextTag(0, { constructed: true });

function serialsOf(entries: Element | undefined): Set<string> {
  const serials = new Set<string>();
  if (entries === undefined) return serials;
  for (const entry of childrenOf(entries, TAG.sequence)) {
    const [serial, , extensions] = childrenOf(entry, TAG.sequence);
    if (extensions !== undefined) refuseCritical(extensions);
    serials.add(hexadecimal(expectTag(serial, TAG.integer).content));
  }
  return serials;
}

function refuseCritical(extensions: Element | undefined): void {
  for (const extension of childrenOf(extensions, TAG.sequence)) {
    const [name, critical] = childrenOf(extension, TAG.sequence);
    if (critical?.tag !== TAG.boolean || critical.content[0] === 0) continue;
    throw new DerFault(
      `it has the critical extension ${objectIdentifier(name)}, which is not taken`,
    );
  }
}

function sameOctets(one: Element | undefined, another: Element | undefined): boolean {
  return one !== undefined && another !== undefined &&
    hexadecimal(one.whole) === hexadecimal(another.whole);
}
