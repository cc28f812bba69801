/** Names of Maildir++ folders: what is written is read as the same, and has one spelling. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeModifiedUtf7, encodeModifiedUtf7 } from "../../../src/maildir/modified_utf7.ts";
import type { FuzzTarget } from "../target.ts";

export const modifiedUtf7: FuzzTarget = {
  name: "modified_utf7",
  executions: 30_000,
  maxOctets: 512,
  attempt(input) {
    const onDisk = Buffer.from(input).toString("latin1");
    const name = decodeModifiedUtf7(onDisk);
    if (name !== undefined) {
      assert.equal(encodeModifiedUtf7(name), onDisk);
      assert.match(onDisk, /^[\x20-\x7e]*$/);
    }
    for (const text of [Buffer.from(input).toString("utf8"), onDisk]) {
      const written = encodeModifiedUtf7(text);
      assert.match(written, /^[\x20-\x7e]*$/);
      assert.equal(decodeModifiedUtf7(written), text);
    }
  },
};
