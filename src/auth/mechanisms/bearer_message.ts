/**
 * What a client sends to log in with a bearer token, in the two forms that are in use: that of RFC 7628
 * (OAUTHBEARER) and Google's older one (XOAUTH2). Both are `key=value` pairs, each ended by an octet 1,
 * and one more octet 1 at the end.
 *
 * Strict where a message could be read in two ways: a key stands once, and no control character stands
 * in a value. Keys that nobody here needs (host, port, mthd, path, post, qs) are let pass.
 */

import { Buffer } from "node:buffer";
import { OAUTH_TOKEN_OCTETS, USER_NAME_OCTETS } from "../../limits.ts";

export interface BearerMessage {
  /** Who the client wants to act as; "" where it leaves that to the token. */
  readonly claimed: string;
  /**
   * "" where the client only asks what it would need (RFC 7628 §4.3); undefined where something else
   * stands than a bearer token that can be one.
   */
  readonly token: string | undefined;
}

/** RFC 7628 §3.1 kvsep. */
const SEPARATOR = "\x01";

/** `user=NAME ^A auth=Bearer TOKEN ^A ^A`. Undefined for anything else. */
export function parseXoauth2(response: Uint8Array): BearerMessage | undefined {
  const pairs = parsePairs(decodeUtf8(response));
  const claimed = pairs?.get("user");
  if (pairs === undefined || claimed === undefined) return undefined;
  return isName(claimed) ? { claimed, token: bearerToken(pairs.get("auth")) } : undefined;
}

/** `gs2-header ^A *(key=value ^A) ^A` (RFC 7628 §3.1). Undefined for anything else. */
export function parseOauthBearer(response: Uint8Array): BearerMessage | undefined {
  const text = decodeUtf8(response);
  const headerEnd = text?.indexOf(SEPARATOR) ?? -1;
  if (text === undefined || headerEnd < 0) return undefined;
  // RFC 5801 §4. "p=" would bind to the TLS channel, which takes a -PLUS mechanism; none is defined.
  const header = /^[ny],(?:a=([^,]+))?,$/.exec(text.slice(0, headerEnd));
  const claimed = header === null ? undefined : decodeSaslName(header[1] ?? "");
  const pairs = parsePairs(text.slice(headerEnd + 1));
  if (claimed === undefined || pairs === undefined || !isName(claimed)) return undefined;
  return { claimed, token: bearerToken(pairs.get("auth")) };
}

function parsePairs(text: string | undefined): Map<string, string> | undefined {
  if (text === SEPARATOR) return new Map();
  if (!text?.endsWith(SEPARATOR + SEPARATOR)) return undefined;
  const pairs = new Map<string, string>();
  for (const pair of text.slice(0, -2).split(SEPARATOR)) {
    const [, key, value] = /^([A-Za-z]+)=([^]*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined || pairs.has(key)) return undefined;
    // deno-lint-ignore no-control-regex -- RFC 7628 §3.1: of these a value has TAB, CR and LF alone
    if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value)) return undefined;
    pairs.set(key, value);
  }
  return pairs;
}

/** RFC 6750 §2.1: `Bearer`, a space, and a b64token; the scheme in any case (RFC 9110 §11.1). */
function bearerToken(authorization: string | undefined): string | undefined {
  const text = authorization ?? "-";
  if (/^(?:Bearer *)?$/i.test(text)) return "";
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(text)?.[1];
  return token !== undefined && token.length <= OAUTH_TOKEN_OCTETS ? token : undefined;
}

/** RFC 5801 §4 saslname: "=2C" is a comma and "=3D" an equals sign, and neither stands there itself. */
function decodeSaslName(text: string): string | undefined {
  if (/=(?!2C|3D)/i.test(text)) return undefined;
  return text.replaceAll(/=2C/gi, ",").replaceAll(/=3D/gi, "=");
}

function isName(text: string): boolean {
  // deno-lint-ignore no-control-regex -- a name holds no control characters
  return Buffer.byteLength(text, "utf8") <= USER_NAME_OCTETS && !/[\x00-\x1f\x7f]/.test(text);
}

/** Undefined if the octets are no UTF-8. A byte order mark is kept: it is part of what was sent. */
function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
