/** Where the setting `maildir` puts a mailbox: no name and no home leads out of the place that is meant. */

import { strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { mailboxPath } from "../../../src/maildir/location.ts";
import { plainPath, safePart } from "../../../src/maildir/plain_path.ts";

const at = (template: string, user: string, home?: string) =>
  mailboxPath(template, { user, extra: {}, ...(home === undefined ? {} : { home }) });

test("variables are put in as they are", () => {
  const cases: [template: string, user: string, path: string][] = [
    ["/m/{user}", "al@ex.org", "/m/al@ex.org"],
    ["/m/{domain}/{local}/", "al@ex.org", "/m/ex.org/al"],
    ["/m/{domain}/{local}", "a@b@c", "/m/c/a@b"],
    // What is put in is not looked at again, and means nothing to a shell or to Windows.
    ["/m/{user}", "{home}", "/m/{home}"],
    ["/m/{user}", "a\\..\\x", "/m/a\\..\\x"],
    ["/m/{user}", "~root", "/m/~root"],
    ["/m/{user}", "%2e%2e%2f", "/m/%2e%2e%2f"],
    ["/m/{user}", "\u2024\u2024\u2215x", "/m/\u2024\u2024\u2215x"],
    ["/m/{user}", "a..", "/m/a.."],
  ];
  for (const [template, user, path] of cases) strictEqual(at(template, user), path, user);
});

test("a part that is no plain name of a folder gives no path", () => {
  const users = [
    "",
    ".",
    "..",
    ".x",
    "..\\x",
    "a/b",
    "/",
    "../x",
    "a\0",
    "a\n",
    "a\u007f",
    "a".repeat(256),
  ];
  for (const user of users) {
    strictEqual(at("/m/{user}", user), undefined, user);
    strictEqual(at("/m/{local}", `${user}@ex.org`), undefined, user);
    strictEqual(at("/m/{domain}/{local}", `al@${user}`), undefined, user);
    strictEqual(safePart(user), undefined);
  }
  strictEqual(at("/m/{domain}", "al"), undefined);
  strictEqual(at("/m/{user}", "é".repeat(128)), undefined);
  strictEqual(at("/m/{user}", "é".repeat(127))?.length, 130);
});

test("a home is absolute, goes down only, and is not the root of the file system", () => {
  for (const [home, path] of [["/h/al", "/h/al/M"], ["/h//al/./", "/h/al/M"], ["/h", "/h/M"]]) {
    strictEqual(at("{home}/M", "al", home), path);
  }
  const bad = [
    "",
    "h",
    "/",
    "//",
    "/.",
    "/h/..",
    "/h/../x",
    "/..",
    "/h\0",
    "/h\n",
    `/${"a".repeat(256)}`,
  ];
  for (const home of bad) {
    strictEqual(at("{home}/M", "al", home), undefined, home);
    strictEqual(plainPath(home), undefined);
  }
  strictEqual(at("{home}/M", "al"), undefined);
});
