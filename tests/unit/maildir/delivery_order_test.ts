import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inDeliveryOrder } from "../../../src/maildir/delivery_order.ts";
import { compareDelivery } from "../../../src/maildir/file_name.ts";
import { MessageTable } from "../../../src/maildir/message_table.ts";

const seconds = fc.oneof(
  fc.integer({ min: 1, max: 4 }),
  fc.constantFrom(1_700_000_000, 8_999_999_999, 9_000_000_001, 999_999_999_999_999),
);
const micros = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom(999_999, 1_000_000, 999_999_999),
);
const name = fc.oneof(
  fc.tuple(seconds, micros, fc.constantFrom("a", "b", "P1.h"))
    .map(([s, m, rest]) => `${s}.M${m}${rest}`),
  fc.constantFrom("x", "report.1", "12", "M5.9", "7.xM1yM2.M3"),
);

test("rows are sorted as their names compare, however many and odd they are", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 80, size: "max" }), async (names) => {
      const table = new MessageTable();
      for (const each of names) {
        table.findText(each);
        table.add();
      }
      const rows = Uint32Array.from(names.keys());
      const sorted = [...await inDeliveryOrder(table, rows)].map((row) => names[row]);
      deepStrictEqual(sorted, [...names].sort(compareDelivery));
    }),
  );
});

test("thousands of rows are sorted, in whatever order they come", async () => {
  const names: string[] = [];
  for (let n = 0; n < 5_000; n++) {
    // Odd steps through all of a power of two give each number once.
    const step = n * 3_077 % 8_192;
    names.push(
      n % 50 === 0 ? `no time ${step}` : `${1_600_000_000 + step * 9_001}.M${n % 7}.h${n}`,
    );
    if (n % 3 === 0) names.push(`1700000000.M${step % 40}.same${n}`);
  }
  const table = new MessageTable();
  for (const each of names) {
    table.findText(each);
    table.add();
  }
  const sorted = [...await inDeliveryOrder(table, Uint32Array.from(names.keys()))];
  deepStrictEqual(sorted.map((row) => names[row]), [...names].sort(compareDelivery));
  deepStrictEqual(await inDeliveryOrder(table, new Uint32Array()), new Uint32Array());
});
