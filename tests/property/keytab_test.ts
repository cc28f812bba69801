/** Keytabs that are damaged in any way are read, or are none, and nothing else. */

import { ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readKeytab } from "../../src/auth/gssapi/keytab.ts";
import { testMutated } from "./mutated_octets.ts";

/** As kadmin wrote it, with one key, which is zeros here. */
const KEYTAB = Buffer.from(
  "0502" + "00000057" + "0002" + "000b4558414d504c452e4f5247" + "0003706f70" +
    "00106d61696c2e6578616d706c652e6f7267" + "00000001" + "6b039cec" + "01" + "0012" + "0020" +
    "00".repeat(32) + "00000001",
  "hex",
);

testMutated("a damaged keytab is read without harm", 20_000, (mutator) => {
  const octets = mutator.change(KEYTAB);
  const principals = readKeytab(octets) ?? [];
  for (const { realm, components } of principals) {
    const text = realm + components.join("");
    // What is no UTF-8 becomes U+FFFD, of three octets for one.
    ok(Buffer.byteLength(text) <= 3 * octets.length, "nothing is read that is not there");
  }
});
