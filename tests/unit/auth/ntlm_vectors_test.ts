/**
 * NTLMv2 on messages that others published: [MS-NLMP] §4.2.4, and the client of Chromium
 * (net/ntlm/ntlm_test_data.h), which adds a MIC and channel bindings to them.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { parseAuthenticate } from "../../../src/auth/ntlm/authenticate_message.ts";
import { channelBindingsHash } from "../../../src/auth/extended_protection.ts";
import { UNICODE } from "../../../src/auth/ntlm/flags.ts";
import { judge } from "../../../src/auth/ntlm/judgement.ts";
import { ntHash } from "../../../src/auth/ntlm/nt_hash.ts";
import { ntProof, responseKey, sessionBaseKey } from "../../../src/auth/ntlm/ntlmv2.ts";
import { parseNtlmv2Response } from "../../../src/auth/ntlm/ntlmv2_response.ts";
import { isProved, type ProofContext } from "../../../src/auth/ntlm/proof.ts";

const hex = (digits: string) => Buffer.from(digits.replaceAll(/\s/g, ""), "hex");
const SERVER_CHALLENGE = hex("0123456789abcdef");

/** [MS-NLMP] §4.2.4.3: User, Domain, Password, COMPUTER, with key exchange and without MIC. */
const MICROSOFT = hex(`
  4e544c4d5353500003000000 180018006c000000 5400540084000000 0c000c0048000000 0800080054000000
  100010005c000000 10001000d8000000 358288e2 0501280a0000000f
  44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
  86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa
  68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
  02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000 00000000
  c5dad2544fc9799094ce1ce90bc9d03e`);

const CHROMIUM_NEGOTIATE = hex(
  "4e544c4d53535000 01000000 07820800 0000000020000000 0000000020000000",
);
const CHROMIUM_CHALLENGE = hex(`
  4e544c4d5353500002000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000
  2400240044000000 060070170000000f 530065007200760065007200
  02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000`);
const CHROMIUM = hex(`
  4e544c4d5353500003000000 1800180058000000 8a008a0070000000 0c000c00fa000000 0800080006010000
  100010000e010000 0000000058000000 03820800 0000000000000000 f7361633f0ad9bdf4a7c421bc6b824a3
  000000000000000000000000000000000000000000000000
  8c0260dbef690662af9c42d50782d2ed 0101000000000000 800bc8fd00d4d201 aaaaaaaaaaaaaaaa 00000000
  02000c0044006f006d00610069006e00 01000c00530065007200760065007200 0600040002000000
  0a0010006586e99d81c2fc984e47172fd4dd0310
  0900160048005400540050002f00530065007200760065007200 00000000 00000000
  44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200`);

function contextOf(authenticate: Uint8Array): ProofContext {
  const message = parseAuthenticate(authenticate, UNICODE);
  const response = message && parseNtlmv2Response(message.ntResponse);
  ok(message !== undefined && response !== undefined);
  return {
    message,
    response,
    serverChallenge: SERVER_CHALLENGE,
    negotiate: CHROMIUM_NEGOTIATE,
    challenge: CHROMIUM_CHALLENGE,
    otherDomains: [],
  };
}

test("every key of Microsoft's example is Microsoft's", () => {
  const { response } = contextOf(MICROSOFT);
  const key = responseKey(ntHash("Password"), "USER", "Domain");
  const proof = ntProof(key, SERVER_CHALLENGE, response.clientChallenge);
  deepStrictEqual(
    [key, proof, sessionBaseKey(key, proof)].map((octets) => Buffer.from(octets).toString("hex")),
    [
      "0c868a403bfd7a93a3001ef22ef02e3f",
      "68cd0ab851e51c96aabc927bebef6a1c",
      "8de40ccadbc14a82f15cb0ad0de95ca3",
    ],
  );
});

test("the fields of Microsoft's message are read, and its proof is right for its password only", () => {
  const { message } = contextOf(MICROSOFT);
  deepStrictEqual(
    [message.user.text, message.domain.text, message.lmResponse.length, message.ntResponse.length],
    ["User", "Domain", 24, 84],
  );
  strictEqual(isProved(ntHash("Password"), contextOf(MICROSOFT)), true);
  strictEqual(isProved(ntHash("password"), contextOf(MICROSOFT)), false);
});

test("a payload that begins where a MIC would stand is no MIC", () => {
  strictEqual(contextOf(MICROSOFT).message.mic, undefined);
});

test("a MIC that is announced where there is no room for one is malformed", () => {
  const options = {
    targetInfo: undefined,
    extendedProtection: "none",
    expectedBindings: undefined,
  } as const;
  const { message } = contextOf(CHROMIUM);
  strictEqual(judge(message, options).kind, "response");
  strictEqual(judge({ ...message, mic: undefined }, options).kind, "malformed");
});

test("Chromium's proof with a MIC is right, and its MIC is looked at", () => {
  const context = contextOf(CHROMIUM);
  strictEqual(context.response.hasMic, true);
  strictEqual(isProved(ntHash("Password"), context), true);
  for (const at of [72, 87, CHROMIUM.length - 1]) {
    const altered = Buffer.from(CHROMIUM);
    altered[at]! ^= 1;
    strictEqual(isProved(ntHash("Password"), contextOf(altered)), false, `octet ${at}`);
  }
});

test("a MIC is over the messages before, too", () => {
  const negotiate = Buffer.from(CHROMIUM_NEGOTIATE);
  negotiate[13]! ^= 0x80;
  strictEqual(isProved(ntHash("Password"), { ...contextOf(CHROMIUM), negotiate }), false);
  const challenge = Buffer.from(CHROMIUM_CHALLENGE);
  challenge[20]! ^= 0x10;
  strictEqual(isProved(ntHash("Password"), { ...contextOf(CHROMIUM), challenge }), false);
});

test("Chromium's channel bindings are those of its example binding", () => {
  // kTestChannelBindings: "tls-server-end-point:" and the hash of a certificate.
  const hash = hex("ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95");
  const bindings = contextOf(CHROMIUM).response.channelBindings;
  deepStrictEqual(bindings && Buffer.from(bindings), Buffer.from(channelBindingsHash(hash)));
});
