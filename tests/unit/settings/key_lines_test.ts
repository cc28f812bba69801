import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { keyLines } from "../../../src/settings/key_lines.ts";

function linesOf(...toml: string[]): Record<string, number> {
  const text = toml.join("\n");
  parse(text); // each case is TOML
  return Object.fromEntries(keyLines(text));
}

test("each key has the line that it stands on", () => {
  deepStrictEqual(linesOf("a = 1", "", "# c = 3", "  b = 2 # d = 4"), { a: 1, b: 4 });
});

test("keys in tables have the table's path", () => {
  deepStrictEqual(linesOf("a = 1", "[t]", "a = 2", "[t.u]", "a = 3"), {
    "a": 1,
    "t": 2,
    "t.a": 3,
    "t.u": 4,
    "t.u.a": 5,
  });
});

test("array tables are numbered", () => {
  deepStrictEqual(linesOf("[[c]]", "k = 1", "[[c]]", "k = 2", "[c.d]", "e = 1", "[[c]]"), {
    "c": 1,
    "c[0]": 1,
    "c[0].k": 2,
    "c[1]": 3,
    "c[1].k": 4,
    "c[1].d": 5,
    "c[1].d.e": 6,
    "c[2]": 7,
  });
});

test("items of lists and keys of inline tables have lines", () => {
  deepStrictEqual(
    linesOf("a = [", '  "x", # "y",', "  [1, 2],", "]", "b = 1", "t = {u = {v = 1}}"),
    {
      "a": 1,
      "a[0]": 2,
      "a[1]": 3,
      "a[1][0]": 3,
      "a[1][1]": 3,
      "b": 5,
      "t": 6,
      "t.u": 6,
      "t.u.v": 6,
    },
  );
});

test("what looks like a key inside of a string is none", () => {
  const toml = ['a = "b = 1 # \\" c = 2"', "d = 'e = \"'", 'f = """', "g = 1", '\\""" h = 2"""'];
  deepStrictEqual(linesOf(...toml, "i = '''j = 1", "''''", "k = 3"), {
    a: 1,
    d: 2,
    f: 3,
    i: 6,
    k: 8,
  });
});

test("quoted and dotted keys are found under their names", () => {
  deepStrictEqual(linesOf('"a" = 1', "'b'.c = 2", 'd . "e" = 3'), {
    "a": 1,
    "b": 2,
    "b.c": 2,
    "d": 3,
    "d.e": 3,
  });
});

test("line ends may be CRLF", () => {
  deepStrictEqual(Object.fromEntries(keyLines("a = 1\r\n\r\nb = [\r\n1,\r\n]\r\nc = 2\r\n")), {
    "a": 1,
    "b": 3,
    "b[0]": 4,
    "c": 6,
  });
});

test("every key of any document is found where it was written", () => {
  const value = fc.oneof(fc.string(), fc.boolean(), fc.array(fc.string()), fc.double());
  const key = fc.stringMatching(/^[a-z_]{1,8}$/);
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 8 }), fc.infiniteStream(value), (keys, values) => {
      const lines: string[] = [];
      const expected: Record<string, number> = {};
      for (const name of keys) {
        expected[name] = lines.length + 1;
        lines.push(...stringify({ [name]: values.next().value }).trimEnd().split("\n"));
      }
      const found = keyLines(lines.join("\n"));
      for (const name of keys) strictEqual(found.get(name), expected[name], lines.join("\n"));
    }),
  );
});

test("text that is no TOML ends the scan all the same", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."ab.=[]{}\"'#,\\ \n1") }), (text) => {
    for (const line of keyLines(text).values()) ok(line <= text.split("\n").length);
  }));
});
