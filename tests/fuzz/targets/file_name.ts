/**
 * What names of message files say of size and delivery: read in octets and in text, with the same result; and
 * a name with the flag S added is the same message's.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  compareDelivery,
  deliveryMicros,
  deliverySeconds,
  flagsOf,
  seenFileName,
  sizeHints,
  uniqueNameOf,
} from "../../../src/maildir/file_name.ts";
import { NAME_OCTETS, staged } from "../../../src/maildir/name_blocks.ts";
import {
  stagedDeliveryMicros,
  stagedDeliverySeconds,
  stagedSizeHints,
} from "../../../src/maildir/staged_name_parts.ts";
import type { FuzzTarget } from "../target.ts";

export const fileName: FuzzTarget = {
  name: "file_name",
  executions: 20_000,
  maxOctets: 1_024,
  attempt(input) {
    const names = Buffer.from(input).toString("latin1").split(/[\n\0/]/)
      .filter((name) => name !== "" && name.length <= NAME_OCTETS);
    for (const name of names) checkName(name);
    for (const [index, name] of names.entries()) {
      const other = names[index + 1] ?? names[0]!;
      assert.equal(compareDelivery(name, other), -compareDelivery(other, name) + 0);
    }
  },
};

function checkName(name: string): void {
  const uniqueName = uniqueNameOf(name);
  if (uniqueName !== "") {
    staged.putText(uniqueName);
    const { storedOctets, exactOctets } = sizeHints(uniqueName);
    assert.deepEqual({ ...stagedSizeHints() }, { storedOctets, exactOctets });
    assert.equal(stagedDeliverySeconds(), deliverySeconds(uniqueName));
    assert.equal(stagedDeliveryMicros(), deliveryMicros(uniqueName));
    assert.equal(staged.text, uniqueName);
  }
  const seen = seenFileName(name);
  if (seen === undefined) return;
  assert.equal(uniqueNameOf(seen), uniqueName);
  assert.equal(seenFileName(seen), undefined);
  assert.deepEqual([...flagsOf(seen)], [...flagsOf(name), "S"].sort());
}
