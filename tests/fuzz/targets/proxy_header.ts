/**
 * The PROXY header: what more octets come never changes what was said of those before, an address is one in
 * every way that popkeep uses it, and what is a header of the first version is one by its grammar.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { countedAddress, siteOf } from "../../../src/counted_address.ts";
import { plainAddress } from "../../../src/net/address.ts";
import { type ProxyHeader, readProxyHeader } from "../../../src/net/proxy_header.ts";
import type { FuzzTarget } from "../target.ts";

/** Prefixes that are tried of an input, at most. */
const PREFIXES = 300;

/** §2.1, addresses apart. */
const TEXT_HEADER =
  /^PROXY (?:UNKNOWN(?: (?:(?!\r\n)[^])*)?|TCP([46]) (\S+) (\S+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4}))\r\n/;

export const proxyHeader: FuzzTarget = {
  name: "proxy_header",
  executions: 6_000,
  maxOctets: 1_024,
  attempt(input) {
    const whole = readProxyHeader(input);
    const step = Math.max(1, Math.ceil(input.length / PREFIXES));
    for (let length = 0; length < input.length; length += step) {
      checkPrefix(readProxyHeader(input.subarray(0, length)), whole, length);
    }
    if (whole.kind === "fault") assert.match(whole.reason, /^[ -~]{1,120}$/);
    if (whole.kind !== "header") return;
    assert.ok(whole.octets <= input.length, "a header that has not come yet");
    if (whole.client !== undefined) checkClient(whole.client);
    if (input[0] === 0x50) checkText(input, whole);
  },
};

function checkPrefix(before: ProxyHeader, whole: ProxyHeader, length: number): void {
  if (before.kind === "more") {
    return assert.ok(whole.kind !== "header" || length < whole.octets, "a whole header needs more");
  }
  assert.equal(before.kind, whole.kind, `what ${length} octets are changes with more of them`);
  if (before.kind === "header") assert.deepEqual(before, whole);
}

function checkClient({ address, port, tls }: NonNullable<Header["client"]>): void {
  assert.ok(isIP(address) !== 0, `${address} is no address`);
  assert.ok(!address.includes("%"), "a zone, which is the proxy's own affair");
  assert.equal(plainAddress(address), address, "a mapped address counts twice");
  assert.doesNotMatch(`${countedAddress(address)} ${siteOf(address)}`, /NaN/);
  assert.ok(Number.isInteger(port) && port >= 0 && port <= 65_535);
  assert.ok(tls === undefined || /^TLS(?:v1(?:\.[0-9])?)?$/.test(tls));
}

type Header = Extract<ProxyHeader, { kind: "header" }>;

function checkText(input: Uint8Array, { octets, client }: Header): void {
  const text = Buffer.from(input).toString("latin1", 0, octets);
  const match = TEXT_HEADER.exec(text);
  assert.equal(match?.[0], text, "no header of the grammar");
  assert.equal(client !== undefined, match[1] !== undefined);
  if (client === undefined) return;
  assert.ok(Number(match[4]) <= 65_535 && Number(match[4]) === client.port);
  assert.equal(String(isIP(match[2]!)), match[1]);
}
