/** A certificate and its key for tests, made once a process. */

import { generateKeyPairSync } from "node:crypto";
import { makeSelfSigned, type SelfSigned } from "../../src/cli/self_signed.ts";

let made: Promise<SelfSigned> | undefined;

/** A certificate for localhost and its key. */
export function testCertificate(): Promise<SelfSigned> {
  return made ??= makeSelfSigned(["localhost"]);
}

/** The key of no certificate, as PEM; encrypted under `passphrase` if there is one. */
export function anotherKey(passphrase?: string): string {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: passphrase === undefined
      ? { type: "pkcs8", format: "pem" }
      : { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase },
  }).privateKey;
}
