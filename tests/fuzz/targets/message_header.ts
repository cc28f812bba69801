/** Headers of mail, as `popkeep mailbox show` prints them: nothing in them that a terminal obeys. */

import assert from "node:assert/strict";
import type { StoredMessage } from "../../../src/maildrop/store.ts";
import { readMessageHeader } from "../../../src/cli/message_header.ts";
import { printable, printableJson } from "../../../src/cli/printable.ts";
import type { FuzzTarget } from "../target.ts";

const UNFIT = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069\ufeff]/u;

export const messageHeader: FuzzTarget = {
  name: "message_header",
  executions: 700,
  async attempt(input) {
    const header = await readMessageHeader(storedMessage(input));
    for (const text of [header.from, header.sender, header.subject]) {
      assert.equal(typeof text, "string");
      assert.ok(!UNFIT.test(printable(text)));
    }
    assert.ok(header.date === undefined || !Number.isNaN(header.date.getTime()));
    const json = printableJson(header);
    assert.ok(!UNFIT.test(json.replaceAll("\n", "")));
    JSON.parse(json);
  },
};

function storedMessage(octets: Uint8Array): StoredMessage {
  let given = false;
  return {
    storedOctets: octets.length,
    read() {
      const chunk = given ? undefined : octets;
      given = true;
      return Promise.resolve(chunk);
    },
    close: () => Promise.resolve(),
  } as StoredMessage;
}
