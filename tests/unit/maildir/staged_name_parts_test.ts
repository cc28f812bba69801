import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deliveryMicros, deliverySeconds, sizeHints } from "../../../src/maildir/file_name.ts";
import { staged } from "../../../src/maildir/name_blocks.ts";
import {
  stagedDeliveryMicros,
  stagedDeliverySeconds,
  stagedSizeHints,
} from "../../../src/maildir/staged_name_parts.ts";

const part = fc.oneof(
  fc.constantFrom(",S=", ",W=", ",S", "M", ".", ",", "=", "M0", "\xe9", "0", "S=", "V1I2M3"),
  fc.nat().map(String),
  fc.constantFrom("123456789012345", "1234567890123456", "1700000000", "1234567890"),
);
const name = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join("").slice(0, 255)),
  fc.tuple(fc.nat({ max: 99 }), fc.nat({ max: 200 }), fc.nat({ max: 400 }), fc.nat())
    .map(([seconds, stored, exact, micros]) => `${seconds}.M${micros}P1.h,S=${stored},W=${exact}`),
);

test("a staged name says what its text does", () => {
  fc.assert(
    fc.property(name, name, (before, text) => {
      // What stood there must not be taken for a part of the name.
      staged.putText(before);
      staged.putText(text);
      const { storedOctets, exactOctets } = sizeHints(text);
      deepStrictEqual(stagedSizeHints(), { storedOctets, exactOctets });
      strictEqual(stagedDeliverySeconds(), deliverySeconds(text));
      strictEqual(stagedDeliveryMicros(), deliveryMicros(text));
    }),
    { numRuns: 2_000 },
  );
});
