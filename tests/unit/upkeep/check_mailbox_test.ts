/**
 * Each fault that a check knows, made on disk: it is found, and nothing else is; repair does what it says, after which
 * it is found no more; and no message is lost or gets another unique-id.
 */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { STALE_MS } from "../../../src/maildir/stale_files.ts";
import { checkMailbox, type CheckOptions } from "../../../src/upkeep/check_mailbox.ts";
import type { Finding, Severity } from "../../../src/upkeep/finding.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

const IS_ROOT = process.geteuid?.() === 0;
const NOBODY = 65_534;

function message(subject: string): string {
  return `From: a@b.example\nDate: Tue, 14 Jul 2026 10:00:00 +0200\nSubject: ${subject}\n\n${subject}\n`;
}

function findingsOf(
  { path }: Pick<TestMaildir, "path">,
  options: Partial<CheckOptions> = {},
): AsyncGenerator<Finding> {
  const location = {
    ...{ inbox: path, folders: path, layout: "maildir++", utf8Names: false } as const,
    root: path.replace(/\/[^/]*$/, ""),
  };
  const place = { location, ignored: [] };
  return checkMailbox(location, {
    timeoutMs: 60_000,
    owner: undefined,
    reads: true,
    sum: { place, limits: undefined },
    progress: { folder() {}, step() {} },
    ...options,
  });
}

async function all(findings: AsyncGenerator<Finding>): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of findings) found.push(finding);
  return found;
}

/** Runs the repairs there are, each when it is found. */
async function repair(maildir: TestMaildir, options: Partial<CheckOptions> = {}): Promise<number> {
  let repaired = 0;
  for await (const { repair } of findingsOf(maildir, options)) {
    if (typeof repair !== "string" && await repair.run()) repaired++;
  }
  return repaired;
}

/** What clients see: unique-ids, and the sizes that they are told. */
async function seen({ path }: TestMaildir): Promise<Map<string, string>> {
  const snapshot = await new Mailbox(path, { exactSizes: false }).refresh();
  const ids = new Map<string, string>();
  for (let number = 1; number <= snapshot.count; number++) {
    const entry = snapshot.entryOf(number as MessageNumber);
    ids.set(entry.uniqueName, snapshot.uniqueIdOf(number as MessageNumber));
  }
  return ids;
}

interface Case {
  readonly about: string;
  readonly make: (maildir: TestMaildir) => void;
  readonly kind: string;
  readonly severity: Severity;
  readonly path: string;
  /** What can be told of what is there afterwards. */
  readonly after?: (maildir: TestMaildir) => void;
  /** Whether repair leaves it. */
  readonly isLeft?: boolean;
  /** Whether another finding remains, of which this is the kind. */
  readonly leaves?: string;
  readonly options?: Partial<CheckOptions>;
  readonly skip?: string | false;
}

const LIST = "popkeep-uidlist";

/** The mailbox that each case breaks: two messages, with unique-ids, in a Maildir with nothing wrong. */
async function sound(maildir: TestMaildir): Promise<void> {
  chmodSync(maildir.path, 0o700);
  maildir.deliver(message("one"), "1700000001.M1P1.test");
  maildir.place("1700000002.M2P1.test:2,S", message("two"));
  await seen(maildir);
}

const CASES: readonly Case[] = [
  {
    about: "tmp/ that is not there",
    make: ({ path }) => rmSync(`${path}/tmp`, { recursive: true }),
    ...{ kind: "missing-folder", severity: "error", path: "tmp" },
    after: ({ path }) => strictEqual(statSync(`${path}/tmp`).mode & 0o777, 0o700),
  },
  {
    about: "new/ that is a file",
    make: ({ path }) => {
      renameSync(`${path}/new`, `${path}/../elsewhere`);
      writeFileSync(`${path}/new`, "");
    },
    ...{ kind: "not-a-folder", severity: "error", path: "new", isLeft: true },
  },
  {
    about: "new/ that is a link",
    make: ({ path }) => {
      renameSync(`${path}/new`, `${path}/../elsewhere`);
      symlinkSync("../elsewhere", `${path}/new`);
    },
    ...{ kind: "link", severity: "warning", path: "new", isLeft: true },
  },
  {
    about: "a folder that everybody may read",
    make: ({ path }) => chmodSync(`${path}/cur`, 0o755),
    ...{ kind: "wrong-mode", severity: "warning", path: "cur" },
    after: ({ path }) => strictEqual(statSync(`${path}/cur`).mode & 0o777, 0o750),
  },
  {
    about: "a message that its owner may not read",
    make: ({ path }) => chmodSync(`${path}/new/1700000001.M1P1.test`, 0o040),
    ...{ kind: "wrong-mode", severity: "error", path: "new/1700000001.M1P1.test" },
    after: ({ path }) =>
      strictEqual(statSync(`${path}/new/1700000001.M1P1.test`).mode & 0o777, 0o440),
    skip: IS_ROOT ? false : "the message cannot be read besides",
  },
  {
    about: "a message that everybody may change",
    make: ({ path }) => chmodSync(`${path}/new/1700000001.M1P1.test`, 0o646),
    ...{ kind: "wrong-mode", severity: "warning", path: "new/1700000001.M1P1.test" },
    after: ({ path }) =>
      strictEqual(statSync(`${path}/new/1700000001.M1P1.test`).mode & 0o777, 0o644),
  },
  {
    about: "a list of another user's",
    make: ({ sidecar }) => chownSync(sidecar, NOBODY, NOBODY),
    ...{ kind: "wrong-owner", severity: "error", path: LIST },
    after: ({ sidecar }) => strictEqual(statSync(sidecar).uid, 0),
    skip: IS_ROOT ? false : "only root can make it",
  },
  {
    about: "a message of another user's",
    make: ({ path }) => chownSync(`${path}/new/1700000001.M1P1.test`, NOBODY, NOBODY),
    ...{ kind: "wrong-owner", severity: "error", path: "new/1700000001.M1P1.test" },
    after: ({ path }) => strictEqual(statSync(`${path}/new/1700000001.M1P1.test`).uid, 0),
    skip: IS_ROOT ? false : "only root can make it",
  },
  {
    about: "a message of another user's, with a second name elsewhere",
    make: ({ path }) => {
      chownSync(`${path}/new/1700000001.M1P1.test`, NOBODY, NOBODY);
      linkSync(`${path}/new/1700000001.M1P1.test`, `${path}/../another`);
    },
    ...{ kind: "wrong-owner", severity: "error", path: "new/1700000001.M1P1.test", isLeft: true },
    after: ({ path }) => strictEqual(statSync(`${path}/new/1700000001.M1P1.test`).uid, NOBODY),
    skip: IS_ROOT ? false : "only root can make it",
  },
  {
    about: "a message with flags beside new/ and cur/",
    make: ({ path }) => writeFileSync(`${path}/1700000003.M3P1.test:2,S`, message("stray")),
    ...{ kind: "stray-message", severity: "error", path: "1700000003.M3P1.test:2,S" },
    after: (maildir) => {
      strictEqual(maildir.find("1700000003.M3P1.test"), "cur/1700000003.M3P1.test:2,S");
      ok(!existsSync(`${maildir.path}/1700000003.M3P1.test:2,S`));
    },
  },
  {
    about: "a message without flags beside new/ and cur/, which a kill has left with two names",
    make: ({ path }) => {
      writeFileSync(`${path}/1700000003.M3P1.test`, message("stray"));
      linkSync(`${path}/1700000003.M3P1.test`, `${path}/new/1700000003.M3P1.test`);
    },
    ...{ kind: "stray-message", severity: "error", path: "1700000003.M3P1.test" },
    after: (maildir) => {
      strictEqual(maildir.find("1700000003.M3P1.test"), "new/1700000003.M3P1.test");
      ok(!existsSync(`${maildir.path}/1700000003.M3P1.test`));
    },
  },
  {
    about: "a stray whose name another message has",
    make: ({ path }) => writeFileSync(`${path}/1700000001.M1P1.test`, message("another")),
    ...{ kind: "stray-message", severity: "error", path: "1700000001.M1P1.test", isLeft: true },
    after: (maildir) => {
      strictEqual(maildir.read("1700000001.M1P1.test").toString(), message("one"));
      strictEqual(readFileSync(`${maildir.path}/1700000001.M1P1.test`, "utf8"), message("another"));
    },
  },
  {
    about: "a text that begins as a message does",
    make: ({ path }) => writeFileSync(`${path}/notes`, message("notes")),
    ...{ kind: "unknown-file", severity: "warning", path: "notes", isLeft: true },
  },
  {
    about: "a file that is called as a message is",
    make: ({ path }) => writeFileSync(`${path}/1700000003.M3P1.test`, "nothing"),
    ...{ kind: "unknown-file", severity: "warning", path: "1700000003.M3P1.test", isLeft: true },
  },
  {
    about: "a link among messages",
    make: ({ path }) => symlinkSync("/etc/hostname", `${path}/new/1700000003.M3P1.test`),
    ...{ kind: "link", severity: "warning", path: "new/1700000003.M3P1.test", isLeft: true },
  },
  {
    about: "a folder among messages",
    make: ({ path }) => mkdirSync(`${path}/cur/1700000003.M3P1.test`),
    ...{ kind: "not-a-file", severity: "warning", path: "cur/1700000003.M3P1.test", isLeft: true },
  },
  {
    about: "a name with a line end in it",
    make: (maildir) => void maildir.deliver(message("odd"), "1700000003.M3P1.te\nst"),
    ...{ kind: "odd-name", severity: "warning", path: "new/1700000003.M3P1.te\nst", isLeft: true },
  },
  {
    about: "a name that is flags alone",
    make: (maildir) => maildir.place(":2,S", message("odd")),
    ...{ kind: "odd-name", severity: "warning", path: "cur/:2,S", isLeft: true },
  },
  {
    about: "a name that begins with a dot",
    make: (maildir) => maildir.place(".nfs01", message("odd")),
    ...{ kind: "odd-name", severity: "note", path: "cur/.nfs01", isLeft: true },
  },
  {
    about: "two messages with one name",
    make: (maildir) => void maildir.deliver(message("twin"), "1700000002.M2P1.test"),
    ...{ kind: "name-twice", severity: "error", path: "new/1700000002.M2P1.test" },
    after: (maildir) => {
      strictEqual(
        readFileSync(`${maildir.path}/cur/1700000002.M2P1.test:2,S`, "utf8"),
        message("two"),
      );
      const texts = maildir.names("new").map((name) =>
        readFileSync(`${maildir.path}/new/${name}`, "utf8")
      );
      deepStrictEqual(texts.sort(), [message("one"), message("twin")]);
    },
  },
  {
    about: "two names of one message",
    make: ({ path }) =>
      linkSync(`${path}/cur/1700000002.M2P1.test:2,S`, `${path}/new/1700000002.M2P1.test`),
    ...{ kind: "name-twice", severity: "warning", path: "new/1700000002.M2P1.test" },
    after: (maildir) => {
      deepStrictEqual(maildir.names("new"), ["1700000001.M1P1.test"]);
      strictEqual(
        readFileSync(`${maildir.path}/tmp/${maildir.names("tmp")[0]}`, "utf8"),
        message("two"),
      );
    },
  },
  {
    about: "a message with nothing in it",
    make: (maildir) => void maildir.deliver("", "1700000003.M3P1.test"),
    ...{
      kind: "empty-message",
      severity: "warning",
      path: "new/1700000003.M3P1.test",
      isLeft: true,
    },
  },
  {
    about: "a message without a header",
    make: (maildir) => void maildir.deliver("text\n", "1700000003.M3P1.test"),
    ...{ kind: "not-rfc5322", severity: "note", path: "new/1700000003.M3P1.test", isLeft: true },
  },
  {
    about: "a name that lies about the size",
    make: (maildir) => void maildir.deliver(message("three"), "1700000003.M3P1.test,S=5"),
    ...{
      kind: "size-in-name",
      severity: "warning",
      path: "new/1700000003.M3P1.test,S=5",
      isLeft: true,
    },
  },
  {
    about: "a message that somebody has made longer",
    make: (maildir) =>
      writeFileSync(`${maildir.path}/new/1700000001.M1P1.test`, message("changed, longer")),
    ...{ kind: "size-in-list", severity: "warning", path: "new/1700000001.M1P1.test" },
    after: ({ sidecar }) => {
      const octets = message("changed, longer").length;
      ok(new RegExp(`^= \\d+ ${octets} ${octets + 5}$`, "m").test(readFileSync(sidecar, "utf8")));
    },
  },
  {
    about: "a line of the list that cannot be read",
    make: ({ sidecar }) => writeFileSync(sidecar, "nonsense\n", { flag: "a" }),
    ...{ kind: "list-damaged", severity: "error", path: LIST, leaves: "list-kept" },
    after: ({ sidecar }) => ok(readFileSync(`${sidecar}.damaged`, "utf8").endsWith("nonsense\n")),
  },
  {
    about: "a list whose last line has no end",
    make: ({ sidecar }) => writeFileSync(sidecar, "+ 99999999", { flag: "a" }),
    ...{ kind: "list-torn", severity: "warning", path: LIST },
    after: ({ sidecar }) => ok(!readFileSync(sidecar, "utf8").includes("99999999")),
  },
  {
    about: "a list that gives an id twice",
    make: ({ sidecar }) => writeFileSync(sidecar, "+ 1 1 - - other\n", { flag: "a" }),
    ...{ kind: "list-void-lines", severity: "warning", path: LIST },
    after: ({ sidecar }) => ok(!readFileSync(sidecar, "utf8").includes("other")),
  },
  {
    about: "a list of a newer popkeep",
    make: ({ sidecar }) => writeFileSync(sidecar, "popkeep-uidlist 2\n"),
    ...{ kind: "list-unusable", severity: "error", path: LIST, isLeft: true },
    after: ({ sidecar }) => strictEqual(readFileSync(sidecar, "utf8"), "popkeep-uidlist 2\n"),
  },
  {
    about: "a list that is a link",
    make: ({ sidecar }) => {
      renameSync(sidecar, `${sidecar}.elsewhere`);
      symlinkSync(`${sidecar}.elsewhere`, sidecar);
    },
    ...{ kind: "list-unusable", severity: "error", path: LIST, isLeft: true },
  },
  {
    about: "an emptied list",
    make: ({ sidecar }) => writeFileSync(sidecar, ""),
    ...{ kind: "list-damaged", severity: "error", path: LIST, isLeft: true },
    after: ({ sidecar }) => strictEqual(statSync(sidecar).size, 0),
  },
  {
    about: "something else among the deleted",
    make: ({ path }) => {
      mkdirSync(`${path}/popkeep-deleted/2026-11-23`, { recursive: true, mode: 0o700 });
      writeFileSync(`${path}/popkeep-deleted/2026-11-23/mine`, "x");
      writeFileSync(`${path}/popkeep-deleted/2026-11-23/5,1795400000123,client,cur,,1.a:2,S`, "x");
    },
    ...{
      kind: "deleted-name",
      severity: "warning",
      path: "popkeep-deleted/2026-11-23/mine",
      isLeft: true,
    },
  },
  {
    about: "a maildirsize that lies",
    make: ({ path }) => writeFileSync(`${path}/maildirsize`, "10000S\n5 1\n"),
    ...{ kind: "maildirsize-wrong", severity: "warning", path: "maildirsize" },
    after: ({ path }) => {
      const octets = message("one").length + message("two").length;
      strictEqual(
        readFileSync(`${path}/maildirsize`, "utf8").replace(/ +/g, " "),
        `10000S\n ${octets} 2\n`,
      );
    },
  },
  {
    about: "a folder without its mark",
    make: ({ path }) => {
      for (const part of ["new", "cur", "tmp"]) {
        mkdirSync(`${path}/.Work/${part}`, { recursive: true, mode: 0o700 });
      }
      chmodSync(`${path}/.Work`, 0o700);
    },
    ...{ kind: "no-maildirfolder", severity: "note", path: ".Work/maildirfolder" },
    after: ({ path }) => ok(existsSync(`${path}/.Work/maildirfolder`)),
  },
  {
    about: "a message in a folder, of all users'",
    make: ({ path }) => {
      for (const part of ["new", "cur", "tmp"]) {
        mkdirSync(`${path}/.Work/${part}`, { recursive: true, mode: 0o700 });
      }
      chmodSync(`${path}/.Work`, 0o700);
      writeFileSync(`${path}/.Work/maildirfolder`, "");
      writeFileSync(`${path}/.Work/cur/1700000009.M1P1.test:2,`, message("work"));
      chmodSync(`${path}/.Work/cur/1700000009.M1P1.test:2,`, 0o602);
    },
    ...{ kind: "wrong-mode", severity: "warning", path: ".Work/cur/1700000009.M1P1.test:2," },
  },
];

for (const one of CASES) {
  const { about, after, isLeft = false, kind, leaves, make, options = {}, path, severity } = one;
  maildirTest(
    `${about} is found, and ${isLeft ? "left as it is" : "repaired"}`,
    async (maildir) => {
      await sound(maildir);
      deepStrictEqual(await all(findingsOf(maildir)), [], "nothing is wrong before");
      const before = await seen(maildir);
      make(maildir);
      const disk = imageOf(maildir.path);
      const [found, ...others] = await all(findingsOf(maildir, options));
      deepStrictEqual(imageOf(maildir.path), disk, "a check changes nothing");
      deepStrictEqual(
        { ...found, reason: "", repair: "" },
        { kind, severity, path, reason: "", repair: "" },
      );
      deepStrictEqual(others, []);
      strictEqual(await repair(maildir, options), isLeft ? 0 : 1);
      after?.(maildir);
      const kinds = (await all(findingsOf(maildir, options))).map(({ kind }) => kind);
      deepStrictEqual(kinds, isLeft ? [kind] : leaves === undefined ? [] : [leaves]);
      if (isLeft) return;
      for (const [uniqueName, id] of await seen(maildir)) {
        if (before.has(uniqueName)) strictEqual(id, before.get(uniqueName), "ids stay");
      }
      for (const name of before.keys()) ok(maildir.find(name), "messages stay");
    },
    { skip: one.skip ?? false },
  );
}

/** Names, kinds, modes, owners and times of all that is there. */
function imageOf(path: string): unknown[] {
  return readdirSync(path, { recursive: true, encoding: "latin1" }).sort().map((name) => {
    const { mode, uid, size, mtimeMs, nlink } = lstatSync(`${path}/${name}`);
    return [name, mode, uid, size, mtimeMs, nlink];
  });
}

maildirTest("what an unfinished delivery left is found when it is old enough", async (maildir) => {
  await sound(maildir);
  writeFileSync(`${maildir.path}/tmp/old`, "x");
  deepStrictEqual(await all(findingsOf(maildir)), []);
  const clock = Date.now;
  Date.now = () => clock() + STALE_MS + 60_000;
  try {
    const [found] = await all(findingsOf(maildir));
    strictEqual(found?.kind, "stale-tmp");
    strictEqual(await repair(maildir), 1);
  } finally {
    Date.now = clock;
  }
  deepStrictEqual(maildir.names("tmp"), []);
});

maildirTest("a lock that a dead process left is found, and a live one is not", async (maildir) => {
  await sound(maildir);
  const lock = `${maildir.sidecar}.lock`;
  writeFileSync(lock, "another-host/1 2 3 4\n");
  deepStrictEqual(await all(findingsOf(maildir)), []);
  const longAgo = new Date(Date.now() - 7_200_000);
  utimesSync(lock, longAgo, longAgo);
  const [found, ...others] = await all(findingsOf(maildir));
  deepStrictEqual([found?.kind, others], ["lock-left", []]);
});

maildirTest(
  "a mailbox that is not there has nothing wrong, and one without its root cannot be told of",
  async ({ path }) => {
    deepStrictEqual(await all(findingsOf({ path: `${path}-none` })), []);
    await rejects(all(findingsOf({ path: `${path}-none/below` })), /not mounted/);
  },
);

maildirTest("a folder that is no Maildir is left, however empty", async ({ path }) => {
  for (const part of ["new", "cur", "tmp"]) rmSync(`${path}/${part}`, { recursive: true });
  chmodSync(path, 0o700);
  const [found] = await all(findingsOf({ path }));
  deepStrictEqual([found?.kind, found?.severity], ["no-maildir", "error"]);
  strictEqual(typeof found?.repair, "string");
});

maildirTest(
  "a link that takes a message's place before it is given away leads nowhere",
  async (maildir) => {
    await sound(maildir);
    const secret = `${maildir.path}/../secret`;
    writeFileSync(secret, "secret", { mode: 0o600 });
    chownSync(secret, 1, 1);
    const file = `${maildir.path}/new/1700000001.M1P1.test`;
    chownSync(file, NOBODY, NOBODY);
    for (const plant of ["file", "hard link", "folder"] as const) {
      const [finding] = await all(findingsOf(maildir));
      ok(finding !== undefined && typeof finding.repair !== "string");
      renameSync(`${maildir.path}/new`, `${maildir.path}/../new-${plant}`);
      mkdirSync(`${maildir.path}/new`, { mode: 0o700 });
      if (plant === "file") symlinkSync(secret, file);
      if (plant === "hard link") linkSync(secret, file);
      if (plant === "folder") {
        rmSync(`${maildir.path}/new`, { recursive: true });
        mkdirSync(`${maildir.path}/../trap`);
        renameSync(secret, `${maildir.path}/../trap/1700000001.M1P1.test`);
        symlinkSync("../trap", `${maildir.path}/new`);
      }
      const isDone = await finding.repair.run().catch(() => false);
      strictEqual(isDone, false, plant);
      const kept = plant === "folder" ? `${maildir.path}/../trap/1700000001.M1P1.test` : secret;
      deepStrictEqual([statSync(kept).uid, statSync(kept).mode & 0o777], [1, 0o600], plant);
      rmSync(`${maildir.path}/new`, { recursive: true });
      renameSync(`${maildir.path}/../new-${plant}`, `${maildir.path}/new`);
    }
  },
  { skip: IS_ROOT ? false : "only root gives files away" },
);

maildirTest("a second name of another's file gets no other mode", async (maildir) => {
  await sound(maildir);
  const secret = `${maildir.path}/../secret`;
  writeFileSync(secret, "secret", { mode: 0o600 });
  const file = `${maildir.path}/new/1700000001.M1P1.test`;
  chmodSync(file, 0o646);
  const [finding] = await all(findingsOf(maildir));
  ok(finding !== undefined && typeof finding.repair !== "string");
  rmSync(file);
  linkSync(secret, file);
  await rejects(finding.repair.run(), /taken its place/);
  strictEqual(statSync(secret).mode & 0o777, 0o600);
});
