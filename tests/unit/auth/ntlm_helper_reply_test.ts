import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { parseHelperReply } from "../../../src/auth/ntlm_auth_helper/helper_reply.ts";

test("a challenge and a name are read", () => {
  deepStrictEqual(parseHelperReply("TT aGVsbG8="), {
    kind: "challenge",
    octets: Buffer.from("hello"),
  });
  deepStrictEqual(parseHelperReply("AF EXAMPLE\\al ice"), {
    kind: "right",
    name: "EXAMPLE\\al ice",
  });
});

test("only reasons that are about the client are a wrong password", () => {
  for (const reason of ["LOGON_FAILURE", "WRONG_PASSWORD", "NO_SUCH_USER", "ACCOUNT_DISABLED"]) {
    strictEqual(parseHelperReply(`NA NT_STATUS_${reason}`).kind, "wrong", reason);
  }
  const outages = ["NO_LOGON_SERVERS", "IO_TIMEOUT", "TRUSTED_RELATIONSHIP_FAILURE", "NO_MEMORY"];
  for (const reason of outages) {
    strictEqual(parseHelperReply(`NA NT_STATUS_${reason}`).kind, "unavailable", reason);
  }
});

test("a line that is no answer is one that cannot tell", () => {
  for (
    const line of ["", "OK", "AF", "AF ", "TT", "TT ", "TT %%%%", "af alice", "ERR", "NA", "LD x"]
      .concat(["BH NT_STATUS_UNSUCCESSFUL", "AFalice", "NA NT_STATUS_LOGON_FAILURE extra"])
  ) {
    strictEqual(parseHelperReply(line).kind, "unavailable", line);
  }
});

test("what goes to the log of an odd line holds neither a challenge nor a name", () => {
  deepStrictEqual(parseHelperReply("TT ???secret"), { kind: "unavailable", said: "TT" });
});
