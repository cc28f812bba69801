/** What Samba's helper says: only its word for "right" is right, and it needs a name. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { userOfDomain } from "../../../src/auth/ntlm/names_to_ask.ts";
import { parseHelperReply } from "../../../src/auth/ntlm_auth_helper/helper_reply.ts";
import type { FuzzTarget } from "../target.ts";

export const ntlmHelperReply: FuzzTarget = {
  name: "ntlm_helper_reply",
  executions: 60_000,
  maxOctets: 512,
  attempt(input) {
    const line = Buffer.from(input).toString("utf8");
    const reply = parseHelperReply(line);
    assert.equal(reply.kind === "right", line.startsWith("AF ") && line.length > 3);
    assert.ok(reply.kind !== "wrong" || line.startsWith("NA NT_STATUS_"));
    assert.ok(reply.kind !== "challenge" || line.startsWith("TT ") && reply.octets.length > 0);
    if (reply.kind !== "right") return;
    const user = userOfDomain(reply.name, "CORP");
    const [domain = "", ...rest] = reply.name.split("\\");
    if (rest.length === 0) assert.equal(user, reply.name);
    else {assert.ok(
        ["", "corp"].includes(domain.toLowerCase()) || user.endsWith(`@${domain.toLowerCase()}`),
      );}
  },
};
