import assert from "node:assert/strict";
import { test } from "node:test";
import { generate } from "selfsigned";
import { certificateFor, prepareCertificate } from "../../../src/net/certificates.ts";

const CERTIFICATES = [
  { of: "default", names: ["first.example.org"] },
  { of: "wild", names: ["*.example.org", "example.net"] },
  { of: "exact", names: ["mail.example.org"] },
];

const CHOICES: readonly [asked: string, got: string][] = [
  ["first.example.org", "default"],
  ["mail.example.org", "exact"],
  ["MAIL.Example.ORG", "exact"],
  ["mail.example.org.", "exact"],
  ["other.example.org", "wild"],
  ["a.b.example.org", "default"],
  ["example.org", "default"],
  ["example.net", "wild"],
  [".example.org", "wild"],
  ["localhost", "default"],
  ["", "default"],
];

for (const [asked, got] of CHOICES) {
  test(`asked for ${JSON.stringify(asked)}, the ${got} certificate is chosen`, () => {
    assert.equal(certificateFor(asked, CERTIFICATES)?.of, got);
  });
}

async function selfSigned(commonName: string, names: readonly string[]) {
  const made = await generate([{ name: "commonName", value: commonName }], {
    keyType: "ec",
    extensions: names.length === 0 ? [] : [{
      name: "subjectAltName",
      altNames: names.map((value) =>
        /^[\d.]+$/.test(value) ? { type: 7 as const, ip: value } : { type: 2 as const, value }
      ),
    }],
  });
  return { certificate: made.cert, key: made.private };
}

test("a certificate's names are its alternative DNS names, and then not its common name", async () => {
  const pair = await selfSigned("cn.example", ["A.example", "*.b.example", "192.0.2.1"]);
  assert.deepEqual(prepareCertificate(pair).names, ["a.example", "*.b.example"]);
});

test("a certificate without alternative names has its common name", async () => {
  const { names } = prepareCertificate(await selfSigned("cn.example", []));
  assert.deepEqual(names, ["cn.example"]);
});

test("a key that belongs to another certificate is refused", async () => {
  const one = await selfSigned("a.example", []);
  const other = await selfSigned("b.example", []);
  assert.throws(() => prepareCertificate({ certificate: one.certificate, key: other.key }));
});

test("what is no certificate is refused", () => {
  assert.throws(() => prepareCertificate({ certificate: "nothing", key: "nothing" }));
});
