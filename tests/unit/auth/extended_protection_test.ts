/** Extended protection: which channel a login was made for, as NTLM shows it. Certificates are made here. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { generate } from "selfsigned";
import {
  channelBindingsHash,
  type ExtendedProtection,
} from "../../../src/auth/extended_protection.ts";
import { serverEndPoint } from "../../../src/auth/server_end_point.ts";
import type { SecureChannel } from "../../../src/auth/secure_channel.ts";
import { NtlmDesk, ntlmOutcome } from "../../support/ntlm_desk.ts";

const PASSWORD = "SecREt01";
const ALICE = { user: "alice", password: PASSWORD };

async function certificate(keyType: "ec" | "rsa", algorithm: string): Promise<Uint8Array> {
  const { cert } = await generate([{ name: "commonName", value: "localhost" }], {
    keyType,
    algorithm,
    keySize: 2048,
  });
  return Buffer.from(cert.replaceAll(/-----.*-----|\s/g, ""), "base64");
}

function channelWith(serverCertificate: Uint8Array | undefined): SecureChannel {
  return { serverCertificate, exporter: () => undefined, clientCertificate: undefined };
}

const digest = (name: string, octets: Uint8Array) => createHash(name).update(octets).digest();

test("a certificate is hashed by its signature's hash, and by SHA-256 for want of a better", async () => {
  const cases = [
    ["ec", "sha256", "sha256"],
    ["ec", "sha384", "sha384"],
    ["ec", "sha1", "sha256"],
    ["rsa", "sha512", "sha512"],
    ["rsa", "sha1", "sha256"],
  ] as const;
  for (const [keyType, signed, wanted] of cases) {
    const der = await certificate(keyType, signed);
    deepStrictEqual(serverEndPoint(der), digest(wanted, der), `${keyType} ${signed}`);
  }
});

/** A certificate's frame around a signature algorithm in DER, which is all that the hash looks at. */
function framed(algorithm: string): Uint8Array {
  const octets = Buffer.from(algorithm.replaceAll(" ", ""), "hex");
  return Buffer.concat([
    Buffer.from([0x30, octets.length + 5]),
    Buffer.from([0x30, 0]),
    octets,
    Buffer.from([3, 1, 0]),
  ]);
}

test("RSASSA-PSS names its hash among its parameters, or means SHA-1", () => {
  const sha384 = "30 0b 06 09 608648016503040202";
  const pss = framed(`30 1c 06 09 2a864886f70d01010a 30 0f a0 0d ${sha384}`);
  deepStrictEqual(serverEndPoint(pss), digest("sha384", pss));
  const bare = framed("30 0d 06 09 2a864886f70d01010a 30 00");
  deepStrictEqual(serverEndPoint(bare), digest("sha256", bare));
});

test("what has no hash function, or is no certificate, has no end point", () => {
  const ed25519 = framed("30 05 06 03 2b6570");
  for (
    const der of [ed25519, ed25519.subarray(1), new Uint8Array(), Uint8Array.of(0x30, 0x84, 1)]
      .concat([Uint8Array.of(0x30, 0x80), Uint8Array.of(0x30, 0x82, 0xff, 0xff)])
  ) {
    strictEqual(serverEndPoint(der), undefined);
  }
});

test("each policy takes and refuses what its name says", async () => {
  const der = await certificate("ec", "sha256");
  const other = await certificate("ec", "sha256");
  const right = channelBindingsHash(serverEndPoint(der)!);
  const wrong = channelBindingsHash(serverEndPoint(other)!);
  const none = new Uint8Array(16);
  const tls = channelWith(der);
  const cases: [ExtendedProtection, SecureChannel | undefined, Uint8Array | undefined, string][] = [
    ["none", tls, undefined, "granted"],
    ["none", tls, wrong, "granted"],
    ["none", undefined, wrong, "granted"],
    ["allow", tls, undefined, "granted"],
    ["allow", tls, none, "granted"],
    ["allow", tls, right, "granted"],
    ["allow", tls, wrong, "refused"],
    ["allow", undefined, undefined, "granted"],
    // The client has TLS with somebody, and it is not us.
    ["allow", undefined, right, "refused"],
    ["allow", channelWith(undefined), right, "refused"],
    ["require", tls, right, "granted"],
    ["require", tls, wrong, "refused"],
    ["require", tls, undefined, "refused"],
    ["require", tls, none, "refused"],
    ["require", undefined, right, "not offered"],
    ["require", channelWith(undefined), right, "not offered"],
  ];
  for (const [extendedProtection, channel, channelBindings, wanted] of cases) {
    const desk = new NtlmDesk({ alice: PASSWORD });
    const habits = channelBindings === undefined ? {} : { channelBindings };
    const options = { extendedProtection, channel };
    const outcome = await ntlmOutcome(desk, ALICE, { mic: true, ...habits }, options);
    const what = `${extendedProtection} ${channel !== undefined} ${channelBindings?.[0]}`;
    strictEqual(outcome, wanted, what);
  }
});

test("bindings of another length are malformed, whatever the policy", async () => {
  const channelBindings = new Uint8Array(15).fill(1);
  for (const extendedProtection of ["none", "allow"] as const) {
    const desk = new NtlmDesk({ alice: PASSWORD });
    const outcome = await ntlmOutcome(desk, ALICE, { channelBindings }, { extendedProtection });
    strictEqual(outcome, "malformed");
    ok(desk.asked.length === 0);
  }
});
