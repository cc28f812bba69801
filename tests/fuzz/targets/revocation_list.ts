/**
 * Revocation lists: a fault, or a list; and what its issuer has not signed is signed by nobody, whatever key
 * is held against it.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { DerFault } from "../../../src/auth/x509/der.ts";
import { readRevocationList } from "../../../src/auth/x509/revocation_list.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzTarget } from "../target.ts";

/** The lists of the corpus are signed by keys that nobody has any more. */
const SIGNED = new Set(
  readCorpus("revocation_list").inputs.filter(({ kind }) => kind === "seed").map(({ octets }) =>
    Buffer.from(octets).toString("hex")
  ),
);

const KEYS = [
  generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey,
  generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey,
  generateKeyPairSync("ed25519").publicKey,
].map((key) => createPublicKey(key.export({ type: "spki", format: "pem" })));

export const revocationList: FuzzTarget = {
  name: "revocation_list",
  executions: 15_000,
  attempt(input) {
    let read;
    try {
      read = readRevocationList(input);
    } catch (error) {
      return assert.ok(error instanceof DerFault && !/[^ -~]/.test(error.message), String(error));
    }
    assert.ok(Number.isFinite(read.thisUpdateMs) && Number.isFinite(read.nextUpdateMs), "no time");
    for (const serial of read.revoked) assert.match(serial, /^[0-9a-f]*$/);
    if (SIGNED.has(Buffer.from(input).toString("hex"))) return;
    for (const key of KEYS) assert.equal(read.isSignedBy(key), false);
  },
};
