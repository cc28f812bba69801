import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { formatBinding, isLoopback, parseBinding } from "../../../src/settings/binding.ts";

test("a binding is an IPv4 address or an IPv6 address in brackets, with a port", () => {
  deepStrictEqual(parseBinding("0.0.0.0:110"), { address: "0.0.0.0", port: 110 });
  deepStrictEqual(parseBinding("[::]:995"), { address: "::", port: 995 });
  deepStrictEqual(parseBinding("[2001:db8::7]:1110"), { address: "2001:db8::7", port: 1110 });
  deepStrictEqual(parseBinding("127.0.0.1:0"), { address: "127.0.0.1", port: 0 });
});

test("names, missing parts and ports out of range are no bindings", () => {
  const refused = [
    "",
    "110",
    ":110",
    "*:110",
    "localhost:110",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "127.0.0.1: 110",
    "127.0.0.1:110 ",
    "127.0.0:110",
    "::1:110",
    "[::1]",
    "[127.0.0.1]:110",
    "[::g]:110",
    "[::1]:110:110",
  ];
  for (const text of refused) strictEqual(parseBinding(text), undefined, text);
});

test("a binding is written as it is read", () => {
  for (const text of ["0.0.0.0:110", "[::]:995"]) {
    const binding = parseBinding(text);
    strictEqual(binding && formatBinding(binding), text);
  }
});

test("only addresses of this machine alone are loopback", () => {
  for (const address of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) {
    strictEqual(isLoopback(address), true, address);
  }
  for (const address of ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"]) {
    strictEqual(isLoopback(address), false, address);
  }
});
