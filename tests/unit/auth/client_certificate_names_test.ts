import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  type CertificateUserName,
  userNamesOf,
} from "../../../src/auth/client_certificates/client_certificate_names.ts";
import { readCertificate } from "../../../src/auth/x509/certificate.ts";
import { DerFault } from "../../../src/auth/x509/der.ts";
import { Authority, UPN, type Wanted } from "../../support/authority.ts";

const folder = mkdtempSync(join(tmpdir(), "popkeep-names-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const authority = new Authority(folder, "Test Authority");

function read(wanted: Wanted) {
  return readCertificate(new X509Certificate(authority.issue(wanted).certificate).raw);
}

function namesIn(wanted: Wanted): Record<CertificateUserName, readonly string[]> {
  const certificate = read(wanted);
  const kinds = ["email", "upn", "dns", "common_name"] as const;
  const named = kinds.map((kind) => [kind, userNamesOf(certificate, kind)] as const);
  return Object.fromEntries(named) as Record<CertificateUserName, readonly string[]>;
}

test("each kind of name is read from its place", () => {
  const alternatives = ["email:alice@example.com", "DNS:scanner.example.com"]
    .concat(["email:al@example.org", `${UPN}alice@corp.example`, "URI:https://example.com/"]);
  deepStrictEqual(namesIn({ commonName: "Alice Example", alternatives }), {
    email: ["alice@example.com", "al@example.org"],
    upn: ["alice@corp.example"],
    dns: ["scanner.example.com"],
    common_name: ["Alice Example"],
  });
});

test("names that are not there are not taken from elsewhere", () => {
  const named = namesIn({ commonName: "alice@example.com" });
  deepStrictEqual(named, { email: [], upn: [], dns: [], common_name: ["alice@example.com"] });
});

test("a certificate without a subject's name has none", () => {
  deepStrictEqual(namesIn({ commonName: "" }).common_name, []);
});

test("one with two common names stands for nobody by them", () => {
  deepStrictEqual(namesIn({ commonName: "alice/CN=bob" }).common_name, []);
});

test("a name in another alphabet is read", () => {
  const alternatives = [`${UPN}jürgen@例え.jp`];
  const named = namesIn({ commonName: "Jürgen", alternatives });
  deepStrictEqual([named.upn, named.common_name], [["jürgen@例え.jp"], ["Jürgen"]]);
});

test("an internationalised e-mail address is one", () => {
  const alternatives = ["otherName:1.3.6.1.5.5.7.8.9;FORMAT:UTF8,UTF8:jürgen@example.com"];
  deepStrictEqual(namesIn({ commonName: "x", alternatives }).email, ["jürgen@example.com"]);
});

test("names that no user can have are left out", () => {
  const alternatives = ["DNS:*.example.com", "DNS:good.example.com", `${UPN}../alice`]
    .concat([`${UPN}a:b`, `${UPN}alice`]);
  const named = namesIn({ commonName: "a:b", alternatives });
  deepStrictEqual(named, { email: [], upn: ["alice"], dns: ["good.example.com"], common_name: [] });
});

/** DER of an e-mail address among the alternative names. */
const addressOf = (text: string) =>
  Buffer.concat([Buffer.of(0x81, text.length), Buffer.from(text, "latin1")]);

test("a NUL does not shorten a name, and a comma does not make two", () => {
  const der = new X509Certificate(
    authority.issue({ commonName: "x", alternatives: ["email:alice@example.com"] }).certificate,
  ).raw;
  for (const address of ["alice\0xample.com", "al, b@example.co", "al\x80ce@example.c"]) {
    const changed = Buffer.from(der);
    const [before, now] = [addressOf("alice@example.com"), addressOf(address.padEnd(17, "x"))];
    const at = changed.indexOf(before);
    ok(at > 0);
    now.copy(changed, at);
    const found = userNamesOf(readCertificate(changed), "email");
    deepStrictEqual(found, address.startsWith("al,") ? ["al, b@example.cox"] : []);
  }
});

test("serial, dates, issuer and subject are those that the runtime reads", () => {
  const { certificate } = authority.issue({ commonName: "x" });
  const x509 = new X509Certificate(certificate);
  const found = readCertificate(x509.raw);
  strictEqual(BigInt(`0x${found.serial}`), BigInt(`0x${x509.serialNumber}`));
  strictEqual(found.notBeforeMs, Date.parse(x509.validFrom));
  strictEqual(found.notAfterMs, Date.parse(x509.validTo));
  const issuer = readCertificate(new X509Certificate(authority.certificate).raw);
  strictEqual(found.issuer, issuer.subject);
});

test("whether a key may sign revocation lists is read", () => {
  strictEqual(read({ commonName: "x" }).signsLists, true);
  strictEqual(read({ commonName: "x", extensions: ["keyUsage=keyCertSign"] }).signsLists, false);
  strictEqual(read({ commonName: "x", extensions: ["keyUsage=cRLSign"] }).signsLists, true);
});

test("octets that are no certificate are a fault", () => {
  const der = new X509Certificate(authority.certificate).raw;
  const nested = Buffer.from([0x30, 0x02, 0x30, 0x00]);
  for (
    const octets of [Buffer.alloc(0), Buffer.from("hello"), nested, der.subarray(0, -1)]
      .concat([Buffer.concat([der, Buffer.of(0)]), Buffer.of(0x30, 0x80, 0, 0)])
      .concat([Buffer.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff), Buffer.of(0x1f, 0x81, 0)])
  ) {
    throws(() => readCertificate(octets), DerFault);
  }
});
