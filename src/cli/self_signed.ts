/**
 * Makes a certificate that signs itself, so that TLS works before anybody has asked a certificate
 * authority. Clients have to be told to trust it.
 */

import { isIP } from "node:net";

/** A certificate and its key as PEM. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
  readonly ends: Date;
}

/** Days that it is good for: Apple's systems take no longer ones (support.apple.com/103769). */
const LIFETIME_DAYS = 825 - 1;

const DAY_MS = 86_400_000;

/** subjectAltName's kinds of name (RFC 5280 §4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** Makes an ECDSA P-256 certificate for `names`: host names and addresses, the first its subject. */
export async function makeSelfSigned(names: readonly [string, ...string[]]): Promise<SelfSigned> {
  // Loaded only here: no other command needs it.
  const { generate } = await import("selfsigned");
  const ends = new Date(Date.now() + LIFETIME_DAYS * DAY_MS);
  const pem = await generate([{ name: "commonName", value: names[0] }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notAfterDate: ends,
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [...new Set(names)].map((name) =>
          isIP(name) === 0 ? { type: DNS_NAME, value: name } : { type: IP_ADDRESS, ip: name }
        ),
      },
    ],
  });
  return { certificate: asText(pem.cert), key: asText(pem.private), ends };
}

/** With an end to its last line, so that one file may be put behind another. */
function asText(pem: string): string {
  return `${pem.trim().replaceAll("\r\n", "\n")}\n`;
}
