/** What a checkpassword program says of an account: an entry, or the word that it can be none. */

import assert from "node:assert/strict";
import { readReport } from "../../../src/auth/checkpassword/report.ts";
import { faultOfUserName } from "../../../src/auth/user_name.ts";
import type { FuzzTarget } from "../target.ts";

export const checkpasswordReport: FuzzTarget = {
  name: "checkpassword_report",
  executions: 30_000,
  maxOctets: 1_024,
  attempt(input) {
    try {
      const { account, allowedNetworks } = readReport(input, "alice");
      assert.equal(faultOfUserName(account.user), undefined);
      assert.ok(account.home === undefined || account.home.startsWith("/"));
      assert.notEqual(allowedNetworks?.("192.0.2.1"), null);
      assert.ok(!("pass" in account.extra) && !("password" in account.extra));
    } catch (error) {
      if (!/^The program's /.test(String((error as Error).message))) throw error;
    }
  },
};
