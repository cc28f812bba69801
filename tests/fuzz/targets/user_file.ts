/**
 * The user file: entries whose names are users' names, faults that tell nothing of a password, and lines that
 * can be changed without harm to the rest.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isHashFault, readStoredPassword } from "../../../src/auth/stored_password.ts";
import { faultOfUserName, foldedName } from "../../../src/auth/user_name.ts";
import { parsePasswdContent } from "../../../src/auth/user_file/passwd_content.ts";
import { parsePasswdLine } from "../../../src/auth/user_file/passwd_line.ts";
import {
  isLineOf,
  octets,
  withExtras,
  withPassword,
} from "../../../src/auth/user_file/user_file_line.ts";
import type { FuzzTarget } from "../target.ts";

const NEW_PASSWORD = "{PLAIN}changed";

/** Stands in the passwords of the corpus, and in nothing else. */
const SECRET = /Zk4qT/;

export const userFile: FuzzTarget = {
  name: "user_file",
  executions: 10_000,
  attempt(input) {
    const { entries, faults, checkable } = parsePasswdContent(input);
    for (const [name, entry] of entries) {
      assert.equal(name, foldedName(entry.user));
      assert.equal(faultOfUserName(entry.user), undefined);
      assert.ok(entry.home === undefined || entry.home.startsWith("/"));
      assert.ok(!Object.keys(entry.extra).some((key) => key.startsWith("popkeep_")));
      assert.notEqual(entry.allowedNetworks?.("192.0.2.1"), null);
    }
    for (const { line, reason } of faults) {
      assert.ok(line >= 1 && !/\p{Cc}/u.test(reason) && !SECRET.test(reason), reason);
    }
    for (const stored of [...checkable.values()].flat()) {
      assert.ok(!isHashFault(readStoredPassword(stored)));
    }
    for (const line of Buffer.from(input).toString("latin1").split(/(?<=\n)/)) checkLine(line);
  },
};

/** A line is text of a character an octet, with its end. */
function checkLine(line: string): void {
  const before = entryOf(line);
  if (before === undefined) return;
  assert.ok(isLineOf(line, before.user));
  const changed = withPassword(line, NEW_PASSWORD);
  const after = entryOf(changed);
  assert.equal(after?.storedPassword === "!" || after?.storedPassword === NEW_PASSWORD, true);
  assert.deepEqual([after?.user, after?.home, after?.extra], [
    before.user,
    before.home,
    before.extra,
  ]);

  const added = withExtras(line, { popkeep_fuzz: "1" });
  assert.ok(added.includes("popkeep_fuzz=1"));
  const kept = entryOf(added);
  assert.deepEqual(
    [kept?.user, kept?.storedPassword, kept?.home, kept?.extra, kept?.disabled],
    [before.user, before.storedPassword, before.home, before.extra, before.disabled],
  );
  assert.deepEqual(entryOf(withExtras(added, { popkeep_fuzz: undefined }))?.extra, before.extra);
  assert.equal(/\r?\n?$/.exec(added)?.[0], /\r?\n?$/.exec(line)?.[0]);
}

function entryOf(line: string) {
  // As the reader of the file parts lines, of which the last need not end.
  const content = line.replace(/\n$/, "").replace(/\r$/, "");
  const text = Buffer.from(content, "latin1").toString("utf8");
  if (text.includes("\ufffd") || octets(text) !== content) return undefined;
  const entry = parsePasswdLine(text);
  return entry === undefined || "fault" in entry ? undefined : entry;
}
