/** Old ids as each source on the disk gives them, to messages in a Maildir. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import {
  CYRUS_HEAD_OCTETS,
  CYRUS_UIDL_FORMATS,
  parseCyrusIndex,
} from "../../../src/moving/cyrus_index.ts";
import { cyrusMaildrop } from "../../../src/moving/cyrus_mailbox.ts";
import {
  parseDovecotUidlFormat,
  type UidlFormat,
} from "../../../src/moving/dovecot_uidl_format.ts";
import {
  courierIds,
  dovecotIds,
  type DovecotOptions,
  qmailIds,
} from "../../../src/moving/named_sources.ts";
import { type OldIds, OldListFault } from "../../../src/moving/old_ids.ts";
import { pairedIds } from "../../../src/moving/pairing.ts";
import { PresentMessages } from "../../../src/moving/present_messages.ts";
import { NO_PROGRESS } from "../../../src/moving/progress.ts";
import { xUidlIds } from "../../../src/moving/x_uidl_header.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

const look = ({ path }: TestMaildir) => PresentMessages.of(new MailboxDisk(path));

/** `NAME ID` in the old server's order. */
const told = ({ table }: PresentMessages, { ids, order }: OldIds) =>
  order.map((row) => `${table.uniqueNameOf(row)} ${ids[row]}`);

function dovecot(maildir: TestMaildir, list: string, options: Partial<DovecotOptions> = {}) {
  const path = `${maildir.path}/dovecot-uidlist`;
  writeFileSync(path, list, "latin1");
  const how: DovecotOptions = {
    format: parseDovecotUidlFormat("%u") as UidlFormat,
    reuseXuidl: false,
    renameDuplicates: false,
    ...options,
  };
  return async () => {
    const present = await look(maildir);
    return told(present, await dovecotIds(present, path, how, NO_PROGRESS));
  };
}

maildirTest(
  "what Dovecot's list keeps goes before an X-UIDL field, and that before the format",
  async (maildir) => {
    const [a, b, c, d] = ["X-UIDL: x1\n\n", "X-UIDL: x2\n\n", "Subject: y\n\n", "X-UIDL:\n\n"].map(
      (content) => maildir.deliver(content),
    );
    const list = `3 V5 N9\n1 Pkept :${a}\n2 :${b}\n3 P :${c}\n4 :${d}\n`;
    assert.deepEqual(await dovecot(maildir, list, { reuseXuidl: true })(), [
      `${a} kept`,
      `${b} x2`,
      `${c} ${c}`,
      `${d} 4`,
    ]);
    assert.deepEqual((await dovecot(maildir, list)())[1], `${b} 2`);
  },
);

maildirTest(
  "pop3_uidl_duplicates = rename puts numbers behind what comes again, as Dovecot does",
  async (maildir) => {
    const names = [1, 2, 3, 4].map((n) => maildir.deliver(`${n}`));
    const list = "3 V5 N9\n" +
      ["Pa", "Pa", "Pa-2", "Pa"].map((p, index) => `${index + 1} ${p} :${names[index]}\n`).join("");
    const ids = (await dovecot(maildir, list, { renameDuplicates: true })())
      .map((line) => line.split(" ")[1]);
    assert.deepEqual(ids, ["a", "a-2", "a-2-2", "a-3"]);
  },
);

maildirTest(
  "a list that is not there, empty, or of another kind is a fault that names it",
  async (maildir) => {
    const present = await look(maildir);
    const path = `${maildir.path}/list`;
    const asks = [
      () => courierIds(present, path),
      () =>
        dovecotIds(present, path, {
          format: () => "x",
          reuseXuidl: false,
          renameDuplicates: false,
        }, NO_PROGRESS),
    ];
    const isFault = (isMissing: boolean) => (error: unknown) =>
      error instanceof OldListFault && error.message.includes(path) &&
      error.isMissing === isMissing;
    for (const ask of asks) await assert.rejects(ask, isFault(true));
    for (const content of ["", "/9 1 1\n"]) {
      writeFileSync(path, content);
      for (const ask of asks) await assert.rejects(ask, isFault(false));
    }
  },
);

maildirTest("qmail's ids are file names, in the order of delivery", async (maildir) => {
  maildir.place("1700000009.M1P1.h,S=1:2,S", "b");
  maildir.deliver("a", "1700000001.M1P1.h");
  const present = await look(maildir);
  const wanted = ["1700000001.M1P1.h", "1700000009.M1P1.h,S=1"].map((name) => `${name} ${name}`);
  assert.deepEqual(told(present, qmailIds(present)), wanted);
});

maildirTest(
  "X-UIDL fields count as they are, the first of a header, and none of a body",
  async (maildir) => {
    const a = maildir.deliver('x-uidl:  "#$!!~  \nX-UIDL: other\nSubject: s\n\n');
    maildir.deliver("Subject: s\n\nX-UIDL: body\n");
    const folded = maildir.deliver("X-UIDL:\n folded\n\n");
    const moved = maildir.deliver("X-UIDL: moved\n\n");
    const present = await look(maildir);
    // Meanwhile another program sets a flag.
    maildir.rename(`new/${moved}`, `cur/${moved}:2,S`);
    const ids = told(present, await xUidlIds(present, NO_PROGRESS));
    assert.deepEqual(ids, [`${a} "#$!!~`, `${folded} folded`, `${moved} moved`]);
  },
);

/** The head of an index, as cyrus.index of that version has it. */
function cyrusHead(version: number, uidValidity: number, options: number): Buffer {
  const head = Buffer.alloc(CYRUS_HEAD_OCTETS);
  head.writeUInt32BE(version, 8);
  head.writeUInt32BE(version < 20 ? 96 : 160, 12);
  head.writeUInt32BE(uidValidity, version < 20 ? 44 : 92);
  head.writeUInt32BE(options, version < 20 ? 60 : 64);
  return head;
}

for (const version of [6, 13, 19, 20]) {
  test(`cyrus.index of version ${version} tells UIDVALIDITY and kind of ids`, () => {
    for (const options of [0, 1, 0xffff_ffff]) {
      assert.deepEqual(parseCyrusIndex(cyrusHead(version, 1_290_000_000, options)), {
        uidValidity: 1_290_000_000,
        hasNewIds: options !== 0,
      });
    }
  });
}

test("what is no cyrus.index of a known version is refused", () => {
  const wrongFormat = cyrusHead(13, 5, 1);
  wrongFormat.writeUInt32BE(1, 4);
  const wrongStart = cyrusHead(13, 5, 1);
  wrongStart.writeUInt32BE(0, 12);
  const heads = [Buffer.alloc(0), Buffer.alloc(128), wrongFormat, wrongStart];
  for (const head of [...heads, cyrusHead(5, 5, 1), cyrusHead(21, 5, 1), cyrusHead(13, 0, 1)]) {
    assert.equal(parseCyrusIndex(head), undefined);
  }
});

test("Cyrus's formats are those of its pop3d", () => {
  const made = Object.entries(CYRUS_UIDL_FORMATS).map(([name, make]) => [name, make(300, 1290)]);
  assert.deepEqual(Object.fromEntries(made), {
    uidonly: "300",
    cyrus: "1290.300",
    dovecot: "0000012c0000050a",
    courier: "1290-300",
  });
});

maildirTest("a mailbox folder of Cyrus gives ids to copies of its messages", async (maildir) => {
  const spool = `${maildir.path}/spool`;
  mkdirSync(spool);
  writeFileSync(`${spool}/cyrus.index`, cyrusHead(17, 1290, 1));
  const content = (n: number) => `Subject: ${n}\r\n\r\ntext ${n}\r\n`;
  for (const n of [2, 10, 300]) writeFileSync(`${spool}/${n}.`, content(n));
  for (const name of ["0.", "7", "x.", "4294967296.", "cyrus.cache"]) {
    writeFileSync(`${spool}/${name}`, content(2));
  }
  mkdirSync(`${spool}/9.`);
  const [late, early] = [300, 2].map((n) => maildir.deliver(content(n).replaceAll("\r\n", "\n")));
  const disk = new MailboxDisk(spool);
  const present = await look(maildir);
  const old = await cyrusMaildrop(disk, spool, "cyrus");
  assert.deepEqual(old.messages.map(({ id }) => id), ["1290.2", "1290.10", "1290.300"]);
  const { ids, order, remarks } = await pairedIds(present, old, NO_PROGRESS);
  assert.deepEqual(told(present, { ids, order, remarks }), [`${early} 1290.2`, `${late} 1290.300`]);
  assert.deepEqual(remarks, ["1 message of the old server is not here"]);
  await assert.rejects(cyrusMaildrop(disk, maildir.path, "cyrus"), OldListFault);
});
