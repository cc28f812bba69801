/** Dovecot's pop3_uidl_format: any text is a format or is told why it is none, and every format makes a text. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseUniqueId } from "../../../src/maildrop/unique_id.ts";
import { parseDovecotUidlFormat } from "../../../src/moving/dovecot_uidl_format.ts";
import { shownId } from "../../../src/moving/shown_ids.ts";
import type { FuzzTarget } from "../target.ts";

const FACTS = { uid: 300, uidValidity: 1_700_000_000, fileName: "17.M1P1.host", guid: "ab12" };

export const dovecotUidlFormat: FuzzTarget = {
  name: "dovecot_uidl_format",
  executions: 6_000,
  maxOctets: 256,
  attempt(input) {
    const text = Buffer.from(input).toString("latin1");
    const made = parseDovecotUidlFormat(text);
    if (typeof made !== "function") return assert.ok(made.fault.length > 0);
    const id = made(FACTS);
    // A variable is at most a thousand characters wide.
    assert.ok(id.length <= text.length * 1_000, `${id.length} characters of "${text}"`);
    assert.equal(made(FACTS), id);
    if (id !== "") assert.ok(parseUniqueId(shownId(id).shown) !== undefined);
    // Without variables a text stands for itself.
    assert.ok(text.includes("%"), "a format without a variable");
  },
};
