import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { bindingData, canBind } from "../../../src/auth/scram/channel_binding.ts";
import {
  encodeServerFinal,
  encodeServerFirst,
  parseClientFinal,
  parseClientFirst,
} from "../../../src/auth/scram/messages.ts";
import { isProofRight, serverSignature } from "../../../src/auth/scram/proof.ts";
import { PENCIL } from "../../support/scram_desk.ts";

/** The exchange of RFC 7677 §3. */
const NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const CLIENT_FIRST = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const SERVER_FIRST = `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const CLIENT_FINAL = `c=biws,r=${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const octets = (text: string) => Buffer.from(text, "utf8");

test("the first message of RFC 7677's example is read", () => {
  deepStrictEqual(parseClientFirst(octets(CLIENT_FIRST)), {
    binding: { kind: "n" },
    gs2Header: "n,,",
    authzid: "",
    user: "user",
    nonce: "rOprNGfwEbeRWgbNEkqO",
    bare: "n=user,r=rOprNGfwEbeRWgbNEkqO",
  });
});

test("the server's first message of RFC 7677's example is written", () => {
  strictEqual(encodeServerFirst(NONCE, PENCIL.salt, PENCIL.iterations), SERVER_FIRST);
});

function authMessage(): { message: string; proof: Uint8Array } {
  const first = parseClientFirst(octets(CLIENT_FIRST));
  const final = parseClientFinal(octets(CLIENT_FINAL));
  ok(first !== undefined && final !== undefined);
  return { message: `${first.bare},${SERVER_FIRST},${final.withoutProof}`, proof: final.proof };
}

test("the proof of RFC 7677's example is right", () => {
  const { message, proof } = authMessage();
  strictEqual(isProofRight(PENCIL, message, proof), true);
});

test("a proof with one bit changed is wrong, whichever it is", () => {
  const { message, proof } = authMessage();
  for (let bit = 0; bit < 256; bit++) {
    const changed = Buffer.from(proof);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    strictEqual(isProofRight(PENCIL, message, changed), false);
  }
});

test("the server's signature of RFC 7677's example is made and written", () => {
  strictEqual(encodeServerFinal(serverSignature(PENCIL, authMessage().message)), SERVER_FINAL);
});

test("no binding but two is known, and none without TLS", () => {
  const channel = {
    serverCertificate: undefined,
    clientCertificate: undefined,
    exporter: () => Buffer.alloc(32, 1),
  };
  deepStrictEqual(bindingData("tls-exporter", channel), Buffer.alloc(32, 1));
  for (const name of ["tls-unique", "", "exporter", "tls-server-end-point"]) {
    strictEqual(bindingData(name, channel), undefined);
  }
  strictEqual(bindingData("tls-exporter", undefined), undefined);
  strictEqual(canBind(undefined), false);
});
