/** Certificates: a fault, or fields with names that users can have. */

import assert from "node:assert/strict";
import { userNamesOf } from "../../../src/auth/client_certificates/client_certificate_names.ts";
import { readCertificate } from "../../../src/auth/x509/certificate.ts";
import { DerFault } from "../../../src/auth/x509/der.ts";
import type { FuzzTarget } from "../target.ts";

export const certificate: FuzzTarget = {
  name: "certificate",
  executions: 30_000,
  attempt(input) {
    let read;
    try {
      read = readCertificate(input);
    } catch (error) {
      return assert.ok(error instanceof DerFault && !/[^ -~]/.test(error.message), String(error));
    }
    assert.match(read.serial + read.issuer + read.subject, /^[0-9a-f]*$/);
    for (const ms of [read.notBeforeMs, read.notAfterMs]) assert.ok(Number.isFinite(ms), "no time");
    for (const kind of ["email", "upn", "dns", "common_name"] as const) {
      for (const name of userNamesOf(read, kind)) assert.ok(!/[\p{Cc}:/*]/u.test(name), name);
    }
  },
};
