import assert from "node:assert/strict";
import { test } from "node:test";
import { addressAndPort, plainAddress } from "../../../src/net/address.ts";

const SPELLINGS: readonly [string, string][] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  // The same in the spellings that load balancers send, or octets of theirs are written in.
  ["::ffff:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
  ["0000:0000:0000:0000:0000:FFFF:C000:0201", "192.0.2.1"],
  ["::ffff:2001:db8", "32.1.13.184"],
  ["::fffe:2001:db8", "::fffe:2001:db8"],
  ["::1:ffff:c000:201", "::1:ffff:c000:201"],
  ["::ffff:0:c000:201", "::ffff:0:c000:201"],
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
