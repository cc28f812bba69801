/**
 * Where a user's mail is: whatever the directory's entry and the user's name are, the place is a plain path,
 * and where the settings say it is, no name leads out of it. The input's lines are the user's name, the home,
 * and `userdb_mail`.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isLocationFault, mailLocation } from "../../../src/maildir/location.ts";
import { faultOfUserName } from "../../../src/auth/user_name.ts";
import { readLoginNames, readProvedNames } from "../../../src/auth/login_names.ts";
import type { FuzzTarget } from "../target.ts";

const TEMPLATES = ["/srv/mail/{domain}/{local}/Maildir", "/srv/mail/{user}", "/srv/mail/u-{local}"];

const RULES = {
  defaultDomain: "example.com",
  folderSeparator: "+",
  masterUserSeparator: "*",
  delegates: true,
  ntlmDomain: "EXAMPLE",
};

export const mailLocationTarget: FuzzTarget = {
  name: "mail_location",
  executions: 10_000,
  maxOctets: 1_024,
  attempt(input) {
    const [sent = "", home, mail, actAs = ""] = Buffer.from(input).toString("utf8").split("\n");
    const extra: Record<string, string> = mail === undefined || mail === "" ? {} : { mail };
    for (const user of [sent, ...namesOf(sent, actAs)]) {
      // What no directory can have is no account.
      if (faultOfUserName(user) !== undefined) continue;
      const account = { user, ...(home === undefined ? {} : { home }), extra };
      for (const template of TEMPLATES) checkPlace(template, account);
    }
  },
};

function checkPlace(template: string, account: Parameters<typeof mailLocation>[1]): void {
  const found = mailLocation(template, account);
  if (isLocationFault(found)) return assert.ok(found.fault !== "");
  for (const path of [found.inbox, found.folders]) {
    assert.ok(path.startsWith("/") && !/\p{Cc}/u.test(path.replace(/[\x80-\x9f]/g, "")), path);
    assert.ok(!path.split("/").some((part) => part === ".." || part === "."), path);
    if (account.extra["mail"] !== undefined) continue;
    assert.ok(path.startsWith("/srv/mail/"), `${account.user} has ${path}`);
    assert.equal(path.split("/").length, template.split("/").length);
  }
}

/** What names a client's name comes to. */
function namesOf(sent: string, actAs: string): string[] {
  const read = readLoginNames(sent, actAs, RULES);
  const proved = readProvedNames(sent, actAs, RULES);
  assert.equal(proved.login, (sent.includes("@") ? sent : `${sent}@example.com`).toLowerCase());
  const all = [read, proved].flatMap((names) => names === undefined ? [] : [names]);
  for (const { folder } of all) {
    assert.ok(folder === undefined || folder !== "", "a folder without a name");
  }
  return all.flatMap(({ login, mailbox }) => mailbox === undefined ? [login] : [login, mailbox]);
}
