import { ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../../../src/auth/gssapi/status.ts";

const FAILURE = 13 << 16;
const KERBEROS = -1_765_328_384;

/** What tickets and tokens can be refused for, and a word that an operator has to read of it. */
const REFUSALS: readonly (readonly [major: number, minor: number, word: string])[] = [
  [FAILURE, KERBEROS + 32, "expired"],
  [11 << 16, 100_001, "expired"],
  [FAILURE, KERBEROS + 33, "not valid yet"],
  [FAILURE, KERBEROS + 34, "used before"],
  [FAILURE, KERBEROS + 37, "clock"],
  [FAILURE, KERBEROS + 35, "another service"],
  [FAILURE, KERBEROS + 144, "another service"],
  [FAILURE, KERBEROS + 44, "keytab old"],
  [FAILURE, KERBEROS + 31, "keytab old"],
  [4 << 16, 0, "another TLS"],
  [9 << 16, 0, "no Kerberos token"],
  [6 << 16, 0, "no Kerberos token"],
  [1 << 16, 0, "no Kerberos token"],
  [FAILURE, 100_001, "no Kerberos token"],
  [FAILURE, 22, "no Kerberos token"],
  [FAILURE, 1_859_794_437, "no Kerberos token"],
  [FAILURE, KERBEROS + 60, "not right"],
];

for (const [major, minor, word] of REFUSALS) {
  test(`${major >>> 16} with ${minor} is the client's fault: "${word}"`, () => {
    for (const spelling of [minor, minor >>> 0]) {
      const { kind, reason } = judge(major, spelling);
      strictEqual(kind, "refused");
      ok(reason.includes(word), reason);
    }
  });
}

/** The replay cache, the keytab, krb5.conf, and what the system says: ours. */
const OUTAGES: readonly (readonly [major: number, minor: number])[] = [
  [FAILURE, KERBEROS + 136],
  [FAILURE, KERBEROS + 164],
  [FAILURE, KERBEROS + 169],
  [FAILURE, KERBEROS + 172],
  [FAILURE, KERBEROS + 182],
  [FAILURE, KERBEROS + 213],
  [FAILURE, 2],
  [FAILURE, 13],
  [FAILURE, 28],
  [FAILURE, 12],
  [16 << 16, 0],
];

for (const [major, minor] of OUTAGES) {
  test(`${major >>> 16} with ${minor} is an outage of ours`, () => {
    strictEqual(judge(major, minor).kind, "failed");
  });
}
