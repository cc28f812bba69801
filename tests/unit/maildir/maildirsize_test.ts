/** The file `maildirsize`: read, kept right, and counted again where it is not to be believed. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { test } from "node:test";
import type { MailLocation } from "../../../src/maildir/mail_location.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import { countDelivered, maildirSizeNow, openTally } from "../../../src/maildir/maildirsize.ts";
import { encodeUsage, parseMaildirSize } from "../../../src/maildir/maildirsize_text.ts";
import { usageNow } from "../../../src/maildir/quota_count.ts";
import { countsFolder, countsMessage } from "../../../src/maildir/quota_folders.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { encodeDefinition, parseDefinition } from "../../../src/maildrop/quota_definition.ts";
import { fillFolder, noListingThread } from "../../support/large_folder.ts";
import { maildirTest, TestMaildir } from "../../support/test_maildir.ts";

const LIMITS = { octets: 1_000, messages: 10 };

/** The very octets that courier-base 1.0.16's deliverquota and maildirmake -q made. */
const COURIERS = `1000000S,100C
           0            0
          17            1
`;

/** As Dovecot writes it (src/plugins/quota/quota-maildir.c). */
const DOVECOTS = "1048576S,1000C\n4096 2\n2048 1\n-2048 -1\n";

for (
  const { name, text, definition, used, lines } of [
    { name: "Courier's", text: COURIERS, definition: "1000000S,100C", used: [17, 1], lines: 2 },
    { name: "Dovecot's", text: DOVECOTS, definition: "1048576S,1000C", used: [4_096, 2], lines: 3 },
    { name: "no limits", text: "0S\n5 1\n", definition: "0S", used: [5, 1], lines: 1 },
    { name: "tabs", text: "0S\n\t5\t1\t\n", definition: "0S", used: [5, 1], lines: 1 },
    { name: "empty", text: "", definition: undefined, used: undefined, lines: 0 },
    { name: "no sums", text: "9S\n", definition: "9S", used: undefined, lines: 0 },
    { name: "half a line", text: "9S\n5 1\n5 1", definition: "9S", used: undefined, lines: 1 },
    { name: "words", text: "9S\n5 one\n", definition: "9S", used: undefined, lines: 1 },
    {
      name: "less than nothing",
      text: "9S\n5 1\n-6 -1\n",
      definition: "9S",
      used: undefined,
      lines: 2,
    },
    {
      name: "fewer than none",
      text: "9S\n5 1\n-5 -2\n",
      definition: "9S",
      used: undefined,
      lines: 2,
    },
    { name: "NULs", text: "9S\n5 1\n\0\0\0\0\n", definition: "9S", used: undefined, lines: 2 },
    { name: "no definition", text: "\n5 1\n", definition: undefined, used: undefined, lines: 1 },
    {
      name: "no number",
      text: "9S\n9007199254740993 1\n",
      definition: "9S",
      used: undefined,
      lines: 1,
    },
    {
      name: "numbers that add up to one that is exact, and are none",
      text: "9S\n9999999999999999 1\n-9999999999999998 -1\n",
      definition: "9S",
      used: undefined,
      lines: 2,
    },
    {
      name: "as much as there may be",
      text: "9S\n1125899906842624 1\n",
      definition: "9S",
      used: [1_125_899_906_842_624, 1],
      lines: 1,
    },
    {
      name: "an empty line",
      text: "9S\n5 1\n\n5 1\n",
      definition: "9S",
      used: undefined,
      lines: 3,
    },
  ]
) {
  test(`a maildirsize is read strictly: ${name}`, () => {
    deepStrictEqual(parseMaildirSize(text), {
      definition,
      used: used && { octets: used[0], messages: used[1] },
      lines,
    });
  });
}

test("what is written is Courier's own form", () => {
  const text = `${encodeDefinition({ octets: 1_000_000, messages: 100 })}\n` +
    encodeUsage({ octets: 0, messages: 0 }) + encodeUsage({ octets: 17, messages: 1 });
  strictEqual(text, COURIERS);
  strictEqual(encodeDefinition({ octets: 0, messages: 0 }), "0S");
  strictEqual(encodeDefinition({ octets: 0, messages: 5 }), "5C");
  deepStrictEqual(parseDefinition("5C,7S"), { octets: 7, messages: 5 });
  strictEqual(parseDefinition("5C,7X"), undefined);
  strictEqual(parseDefinition("9007199254740993S"), undefined, "not exact");
});

function locationOf(path: string, more: Partial<MailLocation> = {}): MailLocation {
  const root = path.replace(/\/[^/]*$/, "");
  return { inbox: path, folders: path, layout: "maildir++", utf8Names: false, root, ...more };
}

function placeOf(maildir: TestMaildir, ignored: readonly string[] = ["Trash"]) {
  return { location: locationOf(maildir.path), ignored };
}

function fileOf(maildir: TestMaildir): string {
  return `${maildir.path}/maildirsize`;
}

maildirTest(
  "mail under a quota of a pebibyte is not counted anew by each look",
  async (maildir) => {
    maildir.deliver("12345");
    const asked = { limits: { octets: 2 ** 50, messages: 0 } };
    deepStrictEqual(await usageNow(placeOf(maildir), asked), { octets: 5, messages: 1 });
    maildir.deliver("nobody said of it");
    deepStrictEqual(await usageNow(placeOf(maildir), asked), { octets: 5, messages: 1 });
  },
);

maildirTest("all mail counts but trash, trashed messages and warnings", async (maildir) => {
  maildir.deliver("12345");
  maildir.place("1.a,S=100:2,S", "its size is not looked at");
  maildir.place("2.a,S=1000:2,ST", "trashed");
  maildir.place("3.a,Q=0,S=2000", "a warning", "new");
  maildir.place(".hidden", "no message");
  mkdirSync(`${maildir.path}/cur/folder,S=5000`);
  symlinkSync("/etc/hostname", `${maildir.path}/cur/link,S=6000`);
  const work = new TestMaildir(`${maildir.path}/.Work.2024`);
  work.deliver("1234567");
  new TestMaildir(`${maildir.path}/.Trash`).deliver("thrown away");
  new TestMaildir(`${maildir.path}/popkeep-deleted/2026-01-01`).deliver("put aside");
  const asked = { limits: LIMITS };
  deepStrictEqual(await usageNow(placeOf(maildir), asked), { octets: 112, messages: 3 });
  strictEqual(readFileSync(fileOf(maildir), "utf8"), "1000S,10C\n         112            3\n");
  deepStrictEqual(maildir.names("tmp"), []);
  // From the file: what nobody said of the mail since is not seen.
  maildir.deliver("more");
  deepStrictEqual(await usageNow(placeOf(maildir), asked), { octets: 112, messages: 3 });
  const anew = { ...asked, isToBeCounted: true };
  deepStrictEqual(await usageNow(placeOf(maildir), anew), { octets: 116, messages: 4 });
  const all = await usageNow(placeOf(maildir, []), anew);
  deepStrictEqual(all, { octets: 116 + "thrown away".length, messages: 5 });
});

maildirTest("folders that lie in folders count too", async (maildir) => {
  const location = locationOf(maildir.path, { layout: "fs" });
  new TestMaildir(`${maildir.path}/Work/2024`).deliver("1234567");
  new TestMaildir(`${maildir.path}/popkeep-deleted/2026-01-01`).deliver("put aside");
  const place = { location, ignored: ["Junk/*"] };
  new TestMaildir(`${maildir.path}/Junk/old`).deliver("junk");
  deepStrictEqual(await usageNow(place, { limits: LIMITS }), { octets: 7, messages: 1 });
});

maildirTest("a large folder, which a thread lists, is counted alike", async (maildir) => {
  const nameOf = (number: number) => {
    const uncounted = number % 7 === 0 ? ",Q=0" : "";
    const trashed = number % 10 === 0 ? "T" : "";
    return `${1_700_000_000 + number}.M${number}P1.host${uncounted},S=3:2,S${trashed}`;
  };
  const names = fillFolder(`${maildir.path}/cur`, 1_200_000, nameOf);
  const messages = names.filter(countsMessage).length;
  ok(messages < names.length * 0.8 && messages > names.length * 0.7);
  deepStrictEqual(await usageNow(placeOf(maildir), { limits: LIMITS }), {
    octets: messages * 3,
    messages,
  });
}, { skip: noListingThread });

test("masks mean folders", () => {
  const location = locationOf("/m");
  const ignores = (mask: string, folder: string) =>
    !countsFolder(location, folder === "" ? "/m" : `/m/${folder}`, [mask]);
  ok(ignores("Trash", ".Trash"));
  ok(!ignores("Trash", ".Trash.Old"));
  ok(!ignores("Trash", ".trash"));
  ok(ignores("Trash*", ".Trash.Old"));
  ok(ignores("Trash/*", ".Trash.Old"));
  ok(ignores("inbox", ""));
  ok(!ignores("INBOX", ".INBOX.x"));
  ok(ignores("Entw\u00fcrfe", ".Entw&APw-rfe"));
  ok(ignores("?rash", ".Trash"));
  ok(!ignores("*x*y*z", `.${"x".repeat(200)}`));
  ok(countsMessage("1.a:2,S") && !countsMessage("1.a:2,ST") && !countsMessage("1.a,Q=0,S=5:2,"));
  ok(countsMessage("1.a,Q=01,S=5"));
});

for (
  const { name, text, ageS = 0, believed } of [
    { name: "whole and below the limits", text: "1000S,10C\n9 1\n9 1\n", believed: true },
    { name: "of the same limits, told otherwise", text: "10C,1000S\n9 1\n", believed: true },
    { name: "of other limits", text: "999S,10C\n9 1\n", believed: false },
    { name: "half a line", text: "1000S,10C\n9 1\n9 ", believed: false },
    {
      name: "5,120 octets",
      text: `1000S,10C\n${"9 1\n".repeat(2)}${" ".repeat(5_098)}9 1\n`,
      believed: false,
    },
    { name: "above them, just counted", text: "1000S,10C\n2000 1\n", believed: true },
    {
      name: "above them, and something came since",
      text: "1000S,10C\n2000 1\n1 1\n",
      believed: false,
    },
    {
      name: "above them, of a quarter of an hour ago",
      text: "1000S,10C\n2000 1\n",
      ageS: 901,
      believed: false,
    },
    {
      name: "too many, a quarter of an hour ago",
      text: "1000S,10C\n20 11\n",
      ageS: 901,
      believed: false,
    },
    { name: "above them, of the future", text: "1000S,10C\n2000 1\n", ageS: -901, believed: false },
    { name: "below them, and old", text: "1000S,10C\n9 1\n", ageS: 9_000, believed: true },
  ]
) {
  maildirTest(`a sum is ${believed ? "" : "not "}believed: ${name}`, async (maildir) => {
    writeFileSync(fileOf(maildir), text);
    const atS = Date.now() / 1_000 - ageS;
    utimesSync(fileOf(maildir), atS, atS);
    const { used } = await maildirSizeNow(new MailboxDisk(maildir.path), { limits: LIMITS });
    strictEqual(used !== undefined, believed);
    // Whatever it says, the answer is right when the mail is counted.
    const counted = await usageNow(placeOf(maildir), { limits: LIMITS });
    if (!believed) deepStrictEqual(counted, { octets: 0, messages: 0 });
  });
}

maildirTest("a sum is counted again before it refuses what is to come", async (maildir) => {
  writeFileSync(fileOf(maildir), "1000S,10C\n900 1\n50 1\n");
  const place = placeOf(maildir);
  const small = { octets: 50, messages: 1 };
  deepStrictEqual(await usageNow(place, { limits: LIMITS, incoming: small }), {
    octets: 950,
    messages: 2,
  });
  const large = { octets: 51, messages: 1 };
  deepStrictEqual(await usageNow(place, { limits: LIMITS, incoming: large }), {
    octets: 0,
    messages: 0,
  });
});

maildirTest("what another program set as limits stays where popkeep has none", async (maildir) => {
  maildir.deliver("12345");
  writeFileSync(fileOf(maildir), "77S,7C\ndamaged\n");
  const asked = { limits: undefined };
  deepStrictEqual(await usageNow(placeOf(maildir), asked), { octets: 5, messages: 1 });
  strictEqual(readFileSync(fileOf(maildir), "utf8"), "77S,7C\n           5            1\n");
});

maildirTest(
  "lines are added where there is a file, and none where there is not",
  async (maildir) => {
    const disk = new MailboxDisk(maildir.path);
    await countDelivered(disk, 5);
    strictEqual(await openTally(disk), undefined);
    ok(!existsSync(fileOf(maildir)));
    writeFileSync(fileOf(maildir), "1000S\n0 0\n");
    await countDelivered(disk, 500);
    await (await openTally(disk))!.removed([{ octets: 100 }, { octets: 50 }]);
    await (await openTally(disk))!.removed([]);
    strictEqual(
      readFileSync(fileOf(maildir), "utf8"),
      "1000S\n0 0\n         500            1\n        -150           -2\n",
    );
  },
);

maildirTest("a file that nobody reads does not grow for ever", async (maildir) => {
  writeFileSync(fileOf(maildir), `1000S\n${"9 1\n".repeat(1_279)}`);
  const disk = new MailboxDisk(maildir.path);
  for (let i = 0; i < 3; i++) await countDelivered(disk, 1);
  strictEqual(readFileSync(fileOf(maildir)).length, 6 + 4 * 1_279);
});

maildirTest("a link or folder in the file's place is not written through", async (maildir) => {
  const secret = `${maildir.path}/../elsewhere`;
  writeFileSync(secret, "1000S\n0 0\n");
  symlinkSync(secret, fileOf(maildir));
  await countDelivered(new MailboxDisk(maildir.path), 5);
  strictEqual(readFileSync(secret, "utf8"), "1000S\n0 0\n");
  maildir.deliver("12345");
  const used = await usageNow(placeOf(maildir), { limits: LIMITS });
  deepStrictEqual(used, { octets: 5, messages: 1 });
  strictEqual(readFileSync(secret, "utf8"), "1000S\n0 0\n");
  strictEqual(readFileSync(fileOf(maildir), "utf8"), "1000S,10C\n           5            1\n");
});

maildirTest("what a session removes is counted by one line", async (maildir) => {
  const sizes = [10, 20, 30, 40];
  for (const size of sizes) maildir.deliver("x".repeat(size));
  maildir.place("5.a,S=50:2,T", "x".repeat(50));
  const before = "1000S,10C\n         100            4\n";
  writeFileSync(fileOf(maildir), before);
  const store = new MaildirStore({
    maildir: maildir.path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: false,
  });
  const drop = await store.open({ user: "alice", extra: {} });
  const numbers = [...Array(drop.snapshot.count).keys()].map((at) => at + 1 as MessageNumber);
  // Another program removes one of them meanwhile, and has said so itself.
  maildir.remove(maildir.files().find((file) => file.includes("M") && file.startsWith("new/"))!);
  const { removed } = await drop.update(numbers, []);
  strictEqual(removed, 5);
  strictEqual(readFileSync(fileOf(maildir), "utf8"), `${before}         -90           -3\n`);
});
