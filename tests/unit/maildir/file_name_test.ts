import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import {
  compareDelivery,
  deliverySeconds,
  flagsOf,
  seenFileName,
  sizeHints,
  uniqueNameOf,
} from "../../../src/maildir/file_name.ts";

test("the unique name ends at the first colon and stays without one", () => {
  strictEqual(uniqueNameOf("1.M2.host,S=3:2,RS"), "1.M2.host,S=3");
  strictEqual(uniqueNameOf("1.M2.host"), "1.M2.host");
  strictEqual(uniqueNameOf("a:b:c"), "a");
  strictEqual(uniqueNameOf(":2,S"), "");
});

const HINTS: [string, ReturnType<typeof sizeHints>][] = [
  ["1.host", {}],
  ["1.host,S=120", { storedOctets: 120 }],
  ["1.host,S=120,W=124", { storedOctets: 120, exactOctets: 124 }],
  ["1.host,W=124,S=120", { storedOctets: 120, exactOctets: 124 }],
  ["1.host,S=120x", {}],
  ["1.host,S=", {}],
  ["1.host,S=-1", {}],
  ["1.host,S=1e3", {}],
  ["1.host,S=0", { storedOctets: 0 }],
  ["1.host,W=124", {}],
  ["1.host,S=120,W=119", {}],
  ["1.host,S=120,W=243", {}],
  ["1.host,S=120,W=242", { storedOctets: 120, exactOctets: 242 }],
  ["1.host,S=99999999999999999999", {}],
  ["1.host,S=5,S=6", { storedOctets: 5 }],
];
for (const [name, hints] of HINTS) {
  test(`size hints of "${name}" are ${JSON.stringify(hints)}`, () => {
    deepStrictEqual(sizeHints(name), hints);
  });
}

const SEEN: [string, string | undefined][] = [
  ["1.host", "1.host:2,S"],
  ["1.host:2,", "1.host:2,S"],
  ["1.host:2,RT", "1.host:2,RST"],
  ["1.host:2,FRab", "1.host:2,FRSab"],
  ["1.host:2,S", undefined],
  ["1.host:1,x", undefined],
  ["1.host:", "1.host:2,S"],
  ["1.host:2,R,extra", "1.host:2,RS,extra"],
];
for (const [name, seen] of SEEN) {
  test(`"${name}" once seen is ${seen ?? "left alone"}`, () =>
    strictEqual(seenFileName(name), seen));
}

test("flags are read from standard info only", () => {
  strictEqual(flagsOf("1.host:2,FS"), "FS");
  strictEqual(flagsOf("1.host"), "");
  strictEqual(flagsOf("1.host:1,FS"), "");
});

test("delivery order is seconds, then microseconds, then octets", () => {
  const names = [
    "2.M1.h",
    "1.M20.h",
    "1.M3P9.h",
    "10.M1.h",
    "1.M3P1.h",
    "odd",
    "1.Q5.h",
    "1.R1M4.h",
  ];
  deepStrictEqual([...names].sort(compareDelivery), [
    "odd",
    "1.Q5.h",
    "1.M3P1.h",
    "1.M3P9.h",
    "1.R1M4.h",
    "1.M20.h",
    "2.M1.h",
    "10.M1.h",
  ]);
});

test("delivery seconds are the leading digits before a dot", () => {
  strictEqual(deliverySeconds("1700000000.M1.h"), 1_700_000_000);
  strictEqual(deliverySeconds("x1700000000.M1.h"), 0);
  strictEqual(deliverySeconds("1700000000"), 0);
});
