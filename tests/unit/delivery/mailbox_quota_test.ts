/** What a quota does where mail comes in: refuses, counts, warns. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { simpleParser } from "mailparser";
import { deliverMessage } from "../../../src/delivery/deliver_message.ts";
import { MailboxQuota, OverQuota } from "../../../src/delivery/mailbox_quota.ts";
import type { Quota } from "../../../src/delivery/quota_limits.ts";
import { changeOf, parseTold } from "../../../src/delivery/told_warnings.ts";
import type { MailLocation } from "../../../src/maildir/mail_location.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { maildirTest, TestMaildir } from "../../support/test_maildir.ts";

const QUOTA: Quota = {
  limits: { octets: 1_000, messages: 0 },
  exceeded: "refuse",
  warningPercentages: [],
  ignored: ["Trash"],
  folders: [],
};

const TEMPLATE = { file: "", language: "en", serverName: "mail.example.com" } as const;

function locationOf({ path }: TestMaildir): MailLocation {
  const root = path.replace(/\/[^/]*$/, "");
  return { inbox: path, folders: path, layout: "maildir++", utf8Names: false, root };
}

interface Into {
  readonly quota?: Partial<Quota>;
  readonly folder?: string;
  readonly user?: string;
}

function quotaOf(maildir: TestMaildir, { quota, folder = "", user = "alice" }: Into = {}) {
  return new MailboxQuota({
    quota: { ...QUOTA, ...quota },
    account: { user, extra: {} },
    location: locationOf(maildir),
    path: `${maildir.path}${folder}`,
    template: TEMPLATE,
    timeoutMs: 30_000,
  });
}

/** Delivers a message of so many octets, with what popkeep writes before it. */
async function deliver(maildir: TestMaildir, octets: number, into: Into = {}): Promise<void> {
  const before = "Delivered-To: alice\n\n";
  const path = `${maildir.path}${into.folder ?? ""}`;
  await deliverMessage({
    disk: new MailboxDisk(path),
    root: locationOf(maildir).root,
    timeoutMs: 30_000,
    mostOctets: 10_000,
    envelope: () => ({ sender: undefined, recipient: "alice" }),
    message: one(`${"x".repeat(octets - before.length - 1)}\n`),
    quota: quotaOf(maildir, into),
  });
}

async function* one(text: string) {
  yield new TextEncoder().encode(text);
  await Promise.resolve();
}

function warningsIn({ path }: TestMaildir): string[] {
  return readdirSync(`${path}/new`).filter((name) => name.includes(",Q=0")).sort()
    .map((name) => readFileSync(`${path}/new/${name}`, "utf8"));
}

function sums({ path }: TestMaildir): string[] {
  return readFileSync(`${path}/maildirsize`, "utf8").trimEnd().split("\n")
    .map((line) => line.trim().replace(/ +/, " "));
}

maildirTest(
  "a message that fills the quota to its last octet comes in, and no more",
  async (maildir) => {
    await deliver(maildir, 400);
    await deliver(maildir, 600);
    assert.deepEqual(sums(maildir), ["1000S", "0 0", "400 1", "600 1"]);
    await assert.rejects(deliver(maildir, 30), (error) => {
      assert.ok(error instanceof OverQuota);
      assert.ok(error.isFinal);
      assert.equal(
        error.message,
        "there is no room in the quota: 1,000 of 1,000 octets are used; the message has 30 octets",
      );
      return true;
    });
    assert.equal(maildir.names("new").length, 2);
    assert.deepEqual(maildir.names("tmp"), []);
    assert.deepEqual(sums(maildir), ["1000S", "1000 2"], "it was counted before it was refused");
  },
);

maildirTest(
  "a message may be one octet too long by the line end that is added",
  async (maildir) => {
    const message = "x".repeat(1_000 - "Delivered-To: alice\n\n".length);
    const refused = deliverMessage({
      disk: new MailboxDisk(maildir.path),
      root: locationOf(maildir).root,
      timeoutMs: 30_000,
      mostOctets: 10_000,
      envelope: () => ({ sender: undefined, recipient: "alice" }),
      message: one(message),
      quota: quotaOf(maildir),
    });
    await assert.rejects(refused, OverQuota);
  },
);

maildirTest("a message that could never come in has nothing counted again", async (maildir) => {
  await deliver(maildir, 100);
  await deliver(maildir, 100);
  const before = sums(maildir);
  await assert.rejects(deliver(maildir, 1_001), OverQuota);
  assert.deepEqual(sums(maildir), before);
});

maildirTest("messages are limited by number, and deferred where that is told", async (maildir) => {
  const quota = { limits: { octets: 0, messages: 1 }, exceeded: "defer" } as const;
  await deliver(maildir, 500, { quota });
  await assert.rejects(deliver(maildir, 500, { quota }), (error) => {
    assert.ok(error instanceof OverQuota && !error.isFinal);
    assert.match(error.message, /1 of 1 messages are used/);
    return true;
  });
});

maildirTest("mail that was removed by others is no reason to refuse", async (maildir) => {
  await deliver(maildir, 900);
  maildir.remove(maildir.files()[0]!);
  await deliver(maildir, 900);
  assert.deepEqual(sums(maildir), ["1000S", "0 0", "900 1"]);
});

maildirTest(
  "other limits are written into the file, and mail is counted for it",
  async (maildir) => {
    maildir.deliver("x".repeat(100));
    writeFileSync(`${maildir.path}/maildirsize`, "5S\n0 0\n");
    await deliver(maildir, 50);
    assert.deepEqual(sums(maildir), ["1000S", "100 1", "50 1"]);
  },
);

maildirTest("folders share the quota, those that are ignored have none", async (maildir) => {
  for (const folder of [".Work", ".Trash"]) new TestMaildir(`${maildir.path}/${folder}`);
  await deliver(maildir, 600, { folder: "/.Work" });
  await assert.rejects(deliver(maildir, 600), OverQuota);
  await deliver(maildir, 600, { folder: "/.Trash" });
  assert.deepEqual(sums(maildir), ["1000S", "600 1"]);
  const mask = "Work";
  const octets = { value: 20, isPercentage: true };
  const quota = { folders: [{ kind: "folder", mask, octets, messages: undefined }] } as const;
  await deliver(maildir, 600, { folder: "/.Work", quota });
  assert.equal(existsSync(`${maildir.path}/.Work/maildirsize`), false);
});

maildirTest(
  "without a quota no file is made, and one that is there is kept right",
  async (maildir) => {
    const quota = { limits: { octets: 0, messages: 0 } };
    await deliver(maildir, 100, { quota });
    assert.equal(existsSync(`${maildir.path}/maildirsize`), false);
    writeFileSync(`${maildir.path}/maildirsize`, "50S\n100 1\n");
    await deliver(maildir, 100, { quota });
    assert.deepEqual(sums(maildir), ["50S", "100 1", "100 1"]);
  },
);

const WARNS = { warningPercentages: [80, 95, 100] } as const;

maildirTest("a mark is told once, and again when there was room in between", async (maildir) => {
  await deliver(maildir, 790, { quota: WARNS });
  assert.equal(warningsIn(maildir).length, 0);
  await deliver(maildir, 30, { quota: WARNS });
  assert.equal(warningsIn(maildir).length, 1);
  assert.match(warningsIn(maildir)[0]!, /^Subject: Your mailbox is 82 % full$/m);
  await deliver(maildir, 30, { quota: WARNS });
  assert.equal(warningsIn(maildir).length, 1, "told already");
  // Down to 76 % and up again: around the mark.
  remove(maildir, 30);
  remove(maildir, 30);
  await quotaOf(maildir, { quota: WARNS }).look();
  await deliver(maildir, 40, { quota: WARNS });
  assert.equal(warningsIn(maildir).length, 1, "79 % is not 5 points less");
  remove(maildir, 790);
  await quotaOf(maildir, { quota: WARNS }).look();
  await deliver(maildir, 900, { quota: WARNS });
  assert.equal(warningsIn(maildir).length, 2);
  assert.match(warningsIn(maildir)[1]!, /^Subject: Your mailbox is 94 % full$/m);
  assert.deepEqual(
    sums(maildir).slice(0, 1).concat(sums(maildir).at(-1)!),
    ["1000S", "900 1"],
    "warnings do not count",
  );
});

maildirTest(
  "one large message that fills an emptied mailbox again is warned of",
  async (maildir) => {
    await deliver(maildir, 850, { quota: WARNS });
    assert.equal(warningsIn(maildir).length, 1);
    remove(maildir, 850);
    rmSync(`${maildir.path}/maildirsize`);
    await deliver(maildir, 850, { quota: WARNS });
    assert.equal(warningsIn(maildir).length, 2, "nobody looked while it was empty");
    await deliver(maildir, 25, { quota: WARNS });
    assert.equal(warningsIn(maildir).length, 2);
  },
);

maildirTest("a mark of few messages is told again after one that was 5 points", async (maildir) => {
  const quota = { ...WARNS, limits: { octets: 0, messages: 20 } };
  for (let number = 1; number <= 16; number++) await deliver(maildir, 50, { quota });
  assert.equal(warningsIn(maildir).length, 1);
  remove(maildir, 50);
  rmSync(`${maildir.path}/maildirsize`);
  await deliver(maildir, 50, { quota });
  assert.equal(warningsIn(maildir).length, 2, "80, 75 and 80 %");
  assert.match(warningsIn(maildir)[1]!, /^Subject: Your mailbox is 80 % full$/m);
});

/** Removes a message of so many octets, as another program would. */
function remove(maildir: TestMaildir, octets: number): void {
  maildir.remove(maildir.files().find((file) => file.includes(`,S=${octets},`))!);
}

maildirTest("who goes over several marks at once is told of the last", async (maildir) => {
  await deliver(maildir, 1_000, { quota: WARNS });
  const [warning] = warningsIn(maildir);
  assert.equal(warningsIn(maildir).length, 1);
  assert.match(warning!, /^Subject: Your mailbox is full$/m);
  const told = parseTold(readFileSync(`${maildir.path}/popkeep-quota-warnings`, "utf8"));
  assert.deepEqual([...told.keys()], [80, 95, 100]);
});

maildirTest(
  "that a message was refused is told where the mailbox is nearly full",
  async (maildir) => {
    const refuse = () => assert.rejects(deliver(maildir, 900, { quota: WARNS }), OverQuota);
    await deliver(maildir, 500, { quota: WARNS });
    await refuse();
    assert.equal(warningsIn(maildir).length, 0, "anybody can send a large message");
    await deliver(maildir, 460, { quota: WARNS });
    assert.equal(warningsIn(maildir).length, 1);
    for (let times = 0; times < 3; times++) await refuse();
    assert.equal(warningsIn(maildir).length, 2);
    assert.match(warningsIn(maildir)[1]!, /^Subject: Your mailbox is full$/m);
  },
);

maildirTest("two messages at once are told once", async (maildir) => {
  await deliver(maildir, 700, { quota: WARNS });
  await Promise.all([1, 2, 3, 4].map(() => deliver(maildir, 35, { quota: WARNS })));
  await deliver(maildir, 35, { quota: WARNS });
  assert.equal(warningsIn(maildir).length, 1);
});

maildirTest("a damaged memory of warnings tells once more, and is mended", async (maildir) => {
  await deliver(maildir, 850, { quota: WARNS });
  for (const damage of ["", "popkeep-quota-warnings 1\n80 17", "\0\0\0", "x".repeat(10_000)]) {
    const before = warningsIn(maildir).length;
    writeFileSync(`${maildir.path}/popkeep-quota-warnings`, damage);
    await deliver(maildir, 22, { quota: WARNS });
    assert.equal(warningsIn(maildir).length, before + 1, JSON.stringify(damage));
  }
  assert.match(readFileSync(`${maildir.path}/popkeep-quota-warnings`, "utf8"), /\n80 \d+\n$/);
});

maildirTest(
  "a mailbox that nothing can be kept in is delivered into all the same",
  async (maildir) => {
    mkdirSync(`${maildir.path}/popkeep-quota-warnings`);
    mkdirSync(`${maildir.path}/maildirsize`);
    await deliver(maildir, 850, { quota: WARNS });
    assert.equal(maildir.names("new").length, 1);
    await assert.rejects(deliver(maildir, 850, { quota: WARNS }), OverQuota);
  },
);

maildirTest("the daily look counts what was only added up, and warns", async (maildir) => {
  await deliver(maildir, 500, { quota: WARNS });
  maildir.place("1.b,S=450:2,S", "from another program");
  await quotaOf(maildir, { quota: WARNS }).look();
  assert.deepEqual(sums(maildir), ["1000S", "950 2"]);
  assert.equal(warningsIn(maildir).length, 1);
  rmSync(`${maildir.path}/new`, { recursive: true });
  writeFileSync(`${maildir.path}/new`, "");
  await quotaOf(maildir, { quota: WARNS }).look();
});

maildirTest("the warning is a message as RFC 5322 has it", async (maildir) => {
  await deliver(maildir, 850, { quota: WARNS, user: "alice@example.com" });
  const [warning] = warningsIn(maildir);
  const parsed = await simpleParser(warning!);
  assert.equal(parsed.from?.text, '"Postmaster" <postmaster@example.com>');
  assert.equal([parsed.to].flat()[0]?.text, "alice@example.com");
  assert.equal(parsed.subject, "Your mailbox is 85 % full");
  assert.ok(Math.abs(parsed.date!.getTime() - Date.now()) < 60_000);
  assert.match(parsed.messageId!, /^<quota\.\d+\.[0-9a-f]{16}@example\.com>$/);
  assert.equal(parsed.headers.get("auto-submitted"), "auto-generated");
  assert.match(warning!, /^Return-Path: <>\nDelivered-To: alice@example\.com\n/);
  assert.match(parsed.text!, /85 % of it is used/);
  assert.match(parsed.text!, /850 B of 1,000 B/);
});

test("what is told changes only with marks", () => {
  const levels = [80, 95];
  const told = (...marks: number[]) => new Map(marks.map((mark) => [mark, 1]));
  const change = (before: Map<number, number>, percent: number) => {
    const found = changeOf(before, levels, percent, 5_000);
    return found && { crossed: found.crossed, told: [...found.told] };
  };
  assert.equal(change(told(), 79.9), undefined);
  assert.deepEqual(change(told(), 80), { crossed: 80, told: [[80, 5]] });
  assert.equal(change(told(80), 94), undefined);
  assert.deepEqual(change(told(80), 96), { crossed: 95, told: [[80, 1], [95, 5]] });
  assert.equal(change(told(80, 95), 90.1), undefined);
  assert.deepEqual(change(told(80, 95), 90), { crossed: undefined, told: [[80, 1]] });
  assert.deepEqual(change(told(80), 10), { crossed: undefined, told: [] });
  // Of a mark that the settings do not have any more.
  assert.deepEqual(change(told(50, 80), 85), { crossed: undefined, told: [[80, 1]] });
});
