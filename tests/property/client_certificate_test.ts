/** Certificates and revocation lists with something done to them: a fault, or what can be read. */

import { ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { userNamesOf } from "../../src/auth/client_certificates/client_certificate_names.ts";
import { readCertificate } from "../../src/auth/x509/certificate.ts";
import { DerFault } from "../../src/auth/x509/der.ts";
import { readRevocationList } from "../../src/auth/x509/revocation_list.ts";
import { Authority, UPN } from "../support/authority.ts";
import { testMutated } from "./mutated_octets.ts";

const folder = mkdtempSync(join(tmpdir(), "popkeep-mutated-"));
const authority = new Authority(folder, "Test Authority");
const alternatives = ["email:alice@example.com", `${UPN}alice@corp.example`, "DNS:a.example"];
const issued = authority.issue({ commonName: "alice", alternatives });
const certificate = new X509Certificate(issued.certificate).raw;
authority.revoke(issued);
const list = Buffer.from(authority.revocationList().replace(/-----[^-]+-----/g, ""), "base64");
const key = new X509Certificate(authority.certificate).publicKey;
rmSync(folder, { recursive: true, force: true });

/** Undefined for octets that are at fault; whatever else is thrown is a fault of ours. */
function read<T>(reader: (octets: Uint8Array) => T, octets: Uint8Array): T | undefined {
  try {
    return reader(octets);
  } catch (error) {
    ok(error instanceof DerFault, String(error));
    return undefined;
  }
}

testMutated(
  "a changed certificate is a fault or has names that users can have",
  20_000,
  (mutator) => {
    const found = read(readCertificate, mutator.change(certificate));
    if (found === undefined) return;
    for (const kind of ["email", "upn", "dns", "common_name"] as const) {
      for (const name of userNamesOf(found, kind)) ok(!/[\p{Cc}:/*]/u.test(name), name);
    }
  },
);

testMutated("a changed revocation list is a fault or has another signature", 20_000, (mutator) => {
  const changed = mutator.change(list);
  const found = read(readRevocationList, changed);
  if (found === undefined || Buffer.from(changed).equals(list)) return;
  // What surrounds the signed part may be written in other ways; what was signed may not.
  if (found.isSignedBy(key)) ok([...found.revoked].length === 1);
});
