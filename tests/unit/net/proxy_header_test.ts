/** Both versions of the PROXY header, whole, in parts, and wrong. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { PROXY_HEADER_OCTETS } from "../../../src/limits.ts";
import { crc32c } from "../../../src/net/crc32c.ts";
import { readProxyHeader } from "../../../src/net/proxy_header.ts";
import {
  addresses,
  binaryHeader,
  SIGNATURE,
  sslValue,
  typedValue,
} from "../../support/proxy_headers.ts";

const IPV4 = addresses("192.0.2.7", 40_000, "198.51.100.1", 995);
const IPV6 = addresses("2001:db8:0:0:0:0:0:7", 40_001, "2001:db8:0:0:0:0:0:1", 995);

function text(line: string): Buffer {
  return Buffer.from(line, "latin1");
}

/** Headers that are right, with who they say the client is. */
const GOOD: Record<string, [Buffer, { address: string; port: number; tls?: string } | undefined]> =
  {
    "TCP4": [
      text("PROXY TCP4 192.0.2.7 198.51.100.1 40000 995\r\n"),
      { address: "192.0.2.7", port: 40_000 },
    ],
    "TCP6": [
      text("PROXY TCP6 2001:db8::7 2001:db8::1 40001 995\r\n"),
      { address: "2001:db8::7", port: 40_001 },
    ],
    "UNKNOWN": [text("PROXY UNKNOWN\r\n"), undefined],
    "UNKNOWN with something": [text("PROXY UNKNOWN ffff:f...f:ffff 1 65535 65536\r\n"), undefined],
    "the longest line": [
      text(
        "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " +
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
      ),
      undefined,
    ],
    "port 0": [text("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), { address: "0.0.0.0", port: 0 }],
    "IPv4": [binaryHeader({ family: 0x11, rest: IPV4 }), { address: "192.0.2.7", port: 40_000 }],
    "IPv6": [binaryHeader({ family: 0x21, rest: IPV6 }), { address: "2001:db8::7", port: 40_001 }],
    "LOCAL": [binaryHeader({ command: 0x20, family: 0, rest: Buffer.alloc(0) }), undefined],
    "LOCAL with addresses": [
      binaryHeader({ command: 0x20, family: 0x11, rest: IPV4.subarray(1) }),
      undefined,
    ],
    "a family that is not said": [binaryHeader({ family: 0, rest: Buffer.from("any") }), undefined],
    "a unix socket": [binaryHeader({ family: 0x31, rest: Buffer.alloc(216) }), undefined],
    "types that are not known": [
      binaryHeader({
        family: 0x11,
        rest: Buffer.concat([IPV4, typedValue(0x04, Buffer.alloc(9)), typedValue(0xee, text("x"))]),
      }),
      { address: "192.0.2.7", port: 40_000 },
    ],
    "the client's TLS": [
      binaryHeader({ family: 0x11, rest: Buffer.concat([IPV4, sslValue("TLSv1.3")]) }),
      { address: "192.0.2.7", port: 40_000, tls: "TLSv1.3" },
    ],
    "TLS of no version": [
      binaryHeader({ family: 0x11, rest: Buffer.concat([IPV4, sslValue(undefined)]) }),
      { address: "192.0.2.7", port: 40_000, tls: "TLS" },
    ],
    "TLS of a version that is none": [
      binaryHeader({ family: 0x11, rest: Buffer.concat([IPV4, sslValue("TLSv1.3 x")]) }),
      { address: "192.0.2.7", port: 40_000, tls: "TLS" },
    ],
    "TLS to somebody else": [
      binaryHeader({ family: 0x11, rest: Buffer.concat([IPV4, sslValue("TLSv1.3", 0x06)]) }),
      { address: "192.0.2.7", port: 40_000 },
    ],
    "a checksum": [withChecksum(Buffer.alloc(0)), { address: "192.0.2.7", port: 40_000 }],
    "as long as can be": [
      binaryHeader({
        family: 0x11,
        rest: Buffer.concat([IPV4, typedValue(4, Buffer.alloc(PROXY_HEADER_OCTETS - 16 - 12 - 3))]),
      }),
      { address: "192.0.2.7", port: 40_000 },
    ],
  };

function withChecksum(behind: Buffer): Buffer {
  const rest = Buffer.concat([IPV4, typedValue(0x03, Buffer.alloc(4)), behind]);
  const header = binaryHeader({ family: 0x11, rest });
  header.writeUInt32BE(crc32c(header), header.length - behind.length - 4);
  return header;
}

for (const [name, [header, client]] of Object.entries(GOOD)) {
  test(`a header is read: ${name}`, () => {
    const read = readProxyHeader(Buffer.concat([header, text("CAPA\r\n")]));
    assert.equal(read.kind, "header", JSON.stringify(read));
    assert.ok(read.kind === "header");
    assert.equal(read.octets, header.length);
    assert.deepEqual(read.client, client && { tls: undefined, ...client });
  });

  test(`no part of a header is taken for one: ${name}`, () => {
    for (let octets = 0; octets < header.length; octets++) {
      assert.equal(readProxyHeader(header.subarray(0, octets)).kind, "more", `${octets} octets`);
    }
  });
}

const damaged = withChecksum(Buffer.alloc(0));
damaged[17]! ^= 1;

const WRONG: Record<string, Buffer> = {
  "a command": text("CAPA\r\n"),
  "TLS": Buffer.from([22, 3, 1, 0, 5]),
  "its word in small letters": text("proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n"),
  "a family of old": text("PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n"),
  "nothing": text("PROXY \r\n"),
  "the other family's address": text("PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n"),
  "IPv4 for IPv6": text("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n"),
  "an address too few": text("PROXY TCP4 192.0.2.7 1 2\r\n"),
  "a word too many": text("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n"),
  "two blanks": text("PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n"),
  "a name": text("PROXY TCP4 mail.example.com 198.51.100.1 1 2\r\n"),
  "a zone": text("PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n"),
  "a port too high": text("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n"),
  "a port of letters": text("PROXY TCP4 192.0.2.7 198.51.100.1 x 2\r\n"),
  "a port with a zero ahead": text("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n"),
  "a line too long": text(`PROXY UNKNOWN ${"x".repeat(107)}`),
  "a line that ends too late": text(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`),
  "another version": binaryHeader({ command: 0x31, family: 0x11, rest: IPV4 }),
  "another command": binaryHeader({ command: 0x22, family: 0x11, rest: IPV4 }),
  "datagrams": binaryHeader({ family: 0x12, rest: IPV4 }),
  "another family": binaryHeader({ family: 0x41, rest: IPV6 }),
  "no room for its addresses": binaryHeader({ family: 0x11, rest: IPV4.subarray(1) }),
  "IPv4 addresses for IPv6": binaryHeader({ family: 0x21, rest: IPV4 }),
  "more than there may be": binaryHeader({
    family: 0x11,
    rest: IPV4,
    length: PROXY_HEADER_OCTETS - 15,
  }),
  "a value cut off": binaryHeader({
    family: 0x11,
    rest: Buffer.concat([IPV4, typedValue(4, Buffer.alloc(4)).subarray(0, 5)]),
  }),
  "a type without a length": binaryHeader({
    family: 0x11,
    rest: Buffer.concat([IPV4, Buffer.from([4, 0])]),
  }),
  "a wrong checksum": damaged,
  "a checksum of two octets": binaryHeader({
    family: 0x11,
    rest: Buffer.concat([IPV4, typedValue(3, Buffer.alloc(2))]),
  }),
};

for (const [name, octets] of Object.entries(WRONG)) {
  test(`what is no header is refused: ${name}`, () => {
    const read = readProxyHeader(octets);
    assert.equal(read.kind, "fault", JSON.stringify(read));
  });
}

test("what cannot become a header is refused by its first octet that shows it", () => {
  assert.equal(readProxyHeader(text("PROXX")).kind, "fault");
  assert.equal(readProxyHeader(SIGNATURE.subarray(0, 5)).kind, "more");
  assert.equal(readProxyHeader(Buffer.concat([SIGNATURE.subarray(0, 5), text("x")])).kind, "fault");
});

// RFC 3720 §B.4.
for (
  const [octets, sum] of [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113fdb5c],
  ] as const
) {
  test(`CRC-32C of ${octets[0]}, ${octets[1]}, ... is ${sum.toString(16)}`, () => {
    assert.equal(crc32c(octets), sum);
  });
}
