import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { fieldName, logValue, printable } from "../../../src/admin/log_text.ts";

const UNSAFE: readonly [string, string][] = [
  ["line\r\nbreak", "line\\u000d\\u000abreak"],
  ["\x1b[31mred", "\\u001b[31mred"],
  ["NUL\0", "NUL\\u0000"],
  ["C1 \x9b31m", "C1 \\u009b31m"],
  ["\u2028\u2029", "\\u2028\\u2029"],
  ["right \u202eto left", "right \\u202eto left"],
  ["half \ud800", "half \ufffd"],
  ["zwölf 日本", "zwölf 日本"],
  ['quote " and \\', 'quote " and \\'],
];

for (const [text, safe] of UNSAFE) {
  test(`${JSON.stringify(text)} is printed as ${JSON.stringify(safe)}`, () => {
    assert.equal(printable(text), safe);
  });
}

test("a text without end is cut", () => {
  assert.ok(printable("x".repeat(1_000_000)).length < 3_000);
});

test("octets have no printed form, only a count: passwords are octets", () => {
  for (const octets of [Buffer.from("secret"), new Uint8Array(6), new ArrayBuffer(6)]) {
    assert.equal(logValue("anything", octets), "(6 octets)");
  }
});

test("text under a name that speaks of secrets is withheld", () => {
  for (const name of ["password", "passwd", "user_password", "secret", "token", "hash"]) {
    assert.equal(logValue(name, "hunter2"), "(withheld)");
    assert.equal(logValue(name, ["hunter2"]), "(withheld)");
  }
  assert.equal(logValue("passed", "yes"), "yes");
});

test("objects are not walked into", () => {
  assert.equal(logValue("settings", { password: "hunter2" }), "(object)");
  assert.equal(logValue("list", [{ password: "hunter2" }, 1]), "(object),1");
  assert.equal(logValue("map", new Map([["a", "hunter2"]])), "(object)");
  assert.equal(logValue("function", () => "hunter2"), undefined);
});

test("an error is told with what caused it, each once and without stack", () => {
  const error = new Error("cannot read", { cause: new TypeError("no\nfile", { cause: "why" }) });
  assert.equal(logValue("error", error), "Error: cannot read <- TypeError: no\\u000afile <- why");
  const circle = new Error("round");
  circle.cause = circle;
  assert.ok(String(logValue("error", circle)).startsWith("Error: round <- Error: round"));
});

test("numbers and truth values stay what they are, and nothing stays nothing", () => {
  assert.equal(logValue("octets", 12), 12);
  assert.equal(logValue("octets", 12n), "12");
  assert.equal(logValue("octets", NaN), "NaN");
  assert.equal(logValue("flag", false), false);
  assert.equal(logValue("none", undefined), undefined);
  assert.equal(logValue("none", null), undefined);
});

test("field names have one form", () => {
  assert.equal(fieldName("retrievedOctets"), "retrieved_octets");
  assert.equal(fieldName("already_snake"), "already_snake");
  assert.equal(fieldName("not a name="), "not_a_name_");
});
