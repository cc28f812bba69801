import assert from "node:assert/strict";
import { test } from "node:test";
import { addressAndPort, plainAddress } from "../../../src/net/address.ts";

const SPELLINGS: readonly [string, string][] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["::ffff:2001:db8", "::ffff:2001:db8"],
  ["::1", "::1"],
];

for (const [sent, plain] of SPELLINGS) {
  test(`a client at ${sent} is counted and logged as ${plain}`, () => {
    assert.equal(plainAddress(sent), plain);
  });
}

test("an IPv6 address stands in brackets before a port", () => {
  assert.equal(addressAndPort("2001:db8::1", 110), "[2001:db8::1]:110");
  assert.equal(addressAndPort("192.0.2.1", 110), "192.0.2.1:110");
});
