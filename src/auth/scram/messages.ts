/**
 * The messages of SCRAM (RFC 5802 §7): what a client's two say, and the server's two as text.
 *
 * Each has one form and no other: attributes stand in their order, base64 is the one that encodes the
 * octets. Attributes that no document names yet are skipped where the grammar lets them stand; "m=", which
 * says that what follows must be understood, makes a message malformed.
 *
 * *Does not know* keys, users or TLS.
 */

import { Buffer } from "node:buffer";
import { SCRAM_MESSAGE_OCTETS, SCRAM_NONCE_CHARACTERS, USER_NAME_OCTETS } from "../../limits.ts";

/** What a client says of channel binding: it cannot, it thinks that we cannot, or it does, and by what. */
export type ChannelBindingFlag =
  | { readonly kind: "n" | "y" }
  | { readonly kind: "p"; readonly name: string };

export interface ClientFirst {
  readonly binding: ChannelBindingFlag;
  /** Everything before the bare message, its last comma included. */
  readonly gs2Header: string;
  /** "" where the client wants to be who it logs in as. */
  readonly authzid: string;
  readonly user: string;
  readonly nonce: string;
  /** The message without the GS2 header. */
  readonly bare: string;
}

export interface ClientFinal {
  /** The GS2 header once more, and what was bound to. */
  readonly channelBinding: Uint8Array;
  readonly nonce: string;
  /** 32 octets. */
  readonly proof: Uint8Array;
  readonly withoutProof: string;
}

/** Octets of a proof: those of SHA-256. */
const PROOF_OCTETS = 32;

/** RFC 5802 §7: gs2-cbind-flag with RFC 5056's names of bindings, then the authzid. */
const GS2_HEADER = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,/;

/** RFC 5802 §7: printable characters but the comma, 0x21 to 0x7e. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;

/** Extensions: a letter, "=", and a value that is not empty. */
const EXTENSION = /^[A-Za-z]=./su;

/** Undefined if the octets are no client-first-message. */
export function parseClientFirst(octets: Uint8Array): ClientFirst | undefined {
  const text = decodeMessage(octets);
  const header = GS2_HEADER.exec(text ?? "");
  if (text === undefined || header === null) return undefined;
  const [gs2Header, flag, bindingName, escapedAuthzid] = header;
  const bare = text.slice(gs2Header.length);
  const [userPart, noncePart, ...extensions] = bare.split(",");
  const user = decodeName(valueOf(userPart, "n"));
  const authzid = escapedAuthzid === undefined ? "" : decodeName(escapedAuthzid);
  const nonce = valueOf(noncePart, "r");
  if (user === undefined || authzid === undefined || nonce === undefined) return undefined;
  if (nonce.length > SCRAM_NONCE_CHARACTERS || !NONCE.test(nonce)) return undefined;
  if (!extensions.every(isOptional)) return undefined;
  const binding: ChannelBindingFlag = bindingName === undefined
    ? { kind: flag === "y" ? "y" : "n" }
    : { kind: "p", name: bindingName };
  return { binding, gs2Header, authzid, user, nonce, bare };
}

/** Undefined if the octets are no client-final-message. */
export function parseClientFinal(octets: Uint8Array): ClientFinal | undefined {
  const text = decodeMessage(octets);
  if (text === undefined) return undefined;
  const [bindingPart, noncePart, ...rest] = text.split(",");
  const proofPart = rest.pop();
  const channelBinding = decodeBase64(valueOf(bindingPart, "c"));
  const nonce = valueOf(noncePart, "r");
  const proof = decodeBase64(valueOf(proofPart, "p"));
  if (channelBinding === undefined || nonce === undefined || proofPart === undefined) {
    return undefined;
  }
  if (proof?.length !== PROOF_OCTETS || !rest.every(isOptional)) return undefined;
  const withoutProof = text.slice(0, -(proofPart.length + 1));
  return { channelBinding, nonce, proof, withoutProof };
}

/** The server-first-message; `nonce` is the client's with the server's behind it. */
export function encodeServerFirst(nonce: string, salt: Uint8Array, iterations: number): string {
  return `r=${nonce},s=${Buffer.from(salt).toString("base64")},i=${iterations}`;
}

/** The server-final-message of a login that comes about. */
export function encodeServerFinal(signature: Uint8Array): string {
  return `v=${Buffer.from(signature).toString("base64")}`;
}

/** UTF-8 without NUL, of a length that a client needs; undefined for anything else. */
function decodeMessage(octets: Uint8Array): string | undefined {
  if (octets.length > SCRAM_MESSAGE_OCTETS || octets.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

function valueOf(part: string | undefined, attribute: string): string | undefined {
  return part?.startsWith(`${attribute}=`) ? part.slice(attribute.length + 1) : undefined;
}

/** RFC 5802 §5.1: "," is "=2C" and "=" is "=3D", and no other "=" may stand in a name. */
function decodeName(escaped: string | undefined): string | undefined {
  if (escaped === undefined || !/^(?:[^=]|=2C|=3D)+$/u.test(escaped)) return undefined;
  const name = escaped.replaceAll("=2C", ",").replaceAll("=3D", "=");
  return Buffer.byteLength(name, "utf8") > USER_NAME_OCTETS ? undefined : name;
}

/** Undefined unless it is what encoding the octets gives. */
function decodeBase64(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const octets = Buffer.from(text, "base64");
  return octets.toString("base64") === text ? octets : undefined;
}

function isOptional(extension: string): boolean {
  return EXTENSION.test(extension) && !extension.startsWith("m=");
}
