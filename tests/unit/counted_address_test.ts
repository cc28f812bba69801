import assert from "node:assert/strict";
import { test } from "node:test";
import { countedAddress, siteOf } from "../../src/counted_address.ts";

const COUNTED: readonly [what: string, one: string, other: string, alike: boolean][] = [
  ["one IPv4 address", "192.0.2.1", "192.0.2.1", true],
  ["two IPv4 addresses", "192.0.2.1", "192.0.2.2", false],
  ["one network of 64 bits", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true],
  ["one network, with its zeros written out", "2001:db8::1", "2001:DB8:0:0:5::1", true],
  ["two networks of 64 bits", "2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["two networks that only zeros tell apart", "2001:db8::1:2:3:4:5", "2001:db8:1:2:3:4:5:6", false],
  ["two link-local addresses", "fe80::1", "fe80::2", false],
  ["two IPv4 clients of a translator", "64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false],
  ["one IPv4 client of a translator", "64:ff9b::192.0.2.1", "64:ff9b::c000:201", true],
  ["two addresses without a network", "::192.0.2.1", "::192.0.2.2", false],
  ["IPv4 and IPv6", "0.0.0.1", "::1", false],
];

for (const [what, one, other, alike] of COUNTED) {
  test(`connections from ${what} are counted ${alike ? "together" : "apart"}: ${one}, ${other}`, () => {
    assert.equal(countedAddress(one) === countedAddress(other), alike);
  });
}

test("a site of IPv6 is its first 48 bits, and nothing else has one", () => {
  assert.equal(siteOf("2001:db8:1:2::3"), "2001:db8:1");
  assert.equal(siteOf("2001:db8::3"), "2001:db8:0");
  for (const address of ["192.0.2.1", "fe80::1", "64:ff9b::c000:201", "::192.0.2.1"]) {
    assert.equal(siteOf(address), undefined, address);
  }
});
