import { strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { parseAllowedNetworks } from "../../../src/auth/allowed_networks.ts";

const cases: readonly [nets: string, address: string | undefined, allowed: boolean][] = [
  ["192.168.0.0/24", "192.168.0.77", true],
  ["192.168.0.0/24", "192.168.1.77", false],
  ["10.0.0.0/8,192.0.2.7", "192.0.2.7", true],
  ["10.0.0.0/8,192.0.2.7", "192.0.2.8", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["192.0.2.7", "::ffff:192.0.2.7", true],
  ["::1", "::1", true],
  ["2001:db8::/32", "2001:db8:1::9", true],
  ["2001:db8::/32", "2001:db9::9", false],
  ["fe80::/10", "fe80::1%eth0", true],
  ["local", "127.0.0.1", false],
  ["local,127.0.0.1", "127.0.0.1", true],
  ["10.0.0.0/8", undefined, false],
  ["10.0.0.0/8", "nonsense", false],
];

for (const [nets, address, allowed] of cases) {
  test(`allow_nets=${nets} ${allowed ? "lets in" : "keeps out"} ${address}`, () => {
    strictEqual(parseAllowedNetworks(nets)?.(address), allowed);
  });
}

test("a list that is not understood is no list", () => {
  for (
    const text of [
      "",
      "example.org",
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/x",
      "10.0.0.0/",
      "1.2.3.4/8/8",
    ]
      .concat(["10.0.0.0/8,,::1", "10.0.0.0/8 ", "10.0.0/8", "::%l"])
  ) strictEqual(parseAllowedNetworks(text), undefined, text);
});
