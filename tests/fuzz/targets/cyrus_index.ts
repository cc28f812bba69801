/** The head of cyrus.index: taken only with a UIDVALIDITY that an id can be made of. */

import assert from "node:assert/strict";
import {
  CYRUS_HEAD_OCTETS,
  CYRUS_UIDL_FORMATS,
  parseCyrusIndex,
} from "../../../src/moving/cyrus_index.ts";
import { parseUniqueId } from "../../../src/maildrop/unique_id.ts";
import type { FuzzTarget } from "../target.ts";

export const cyrusIndex: FuzzTarget = {
  name: "cyrus_index",
  executions: 6_000,
  maxOctets: 256,
  attempt(input) {
    const found = parseCyrusIndex(input);
    if (found === undefined) return;
    assert.ok(input.length >= CYRUS_HEAD_OCTETS);
    assert.ok(found.uidValidity >= 1 && found.uidValidity <= 0xffff_ffff);
    for (const make of Object.values(CYRUS_UIDL_FORMATS)) {
      assert.ok(parseUniqueId(make(4_294_967_295, found.uidValidity)) !== undefined);
    }
  },
};
