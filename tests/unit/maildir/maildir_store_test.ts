import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { type Maildrop, MessageGone, StorageFailure } from "../../../src/maildrop/store.ts";
import { MaildirStore, type MaildirStoreOptions } from "../../../src/maildir/maildir_store.ts";
import { listMessages } from "../../../src/maildir/list_messages.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

const N = (number: number) => number as MessageNumber;

function storeOf(maildir: TestMaildir, options: Partial<MaildirStoreOptions> = {}) {
  const store = new MaildirStore({
    maildir: maildir.path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
    ...options,
  });
  return { open: () => store.open({ user: "alice", extra: {} }) };
}

function idsOf(drop: Maildrop): string[] {
  return Array.from({ length: drop.snapshot.count }, (_, i) => drop.snapshot.uniqueIdOf(N(i + 1)));
}

async function contentOf(drop: Maildrop, number: number): Promise<string> {
  const message = await drop.open(N(number));
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = await message.read(new Uint8Array(65_536))) !== undefined;) {
    chunks.push(chunk);
  }
  await message.close();
  return Buffer.concat(chunks).toString("latin1");
}

/** Seconds since 1970. */
const LONG_AGO = 1_600_000_000;

maildirTest("messages of new/ and cur/ are listed in the order of delivery", async (maildir) => {
  maildir.place("1700000002.M1.h:2,S", "second\n");
  maildir.place("1700000003.M1.h", "third\n", "cur");
  maildir.place("1700000001.M1.h", "first\n", "new");
  maildir.place("1700000004.M1.h:2,RS", "fourth\n", "new");
  const drop = await storeOf(maildir).open();
  strictEqual(drop.snapshot.count, 4);
  strictEqual(await contentOf(drop, 1), "first\n");
  strictEqual(await contentOf(drop, 2), "second\n");
  strictEqual(await contentOf(drop, 3), "third\n");
  strictEqual(await contentOf(drop, 4), "fourth\n");
  strictEqual(drop.snapshot.totalOctets, 6 + 7 + 6 + 7);
  strictEqual(drop.snapshot.octetsOf(N(2)), 7);
});

maildirTest(
  "login renames neither a file in new/ nor one in cur/ without info",
  async (maildir) => {
    maildir.place("1700000001.M1.h", "a\n", "cur");
    maildir.place("1700000002.M1.h:2,F", "b\n", "new");
    const drop = await storeOf(maildir).open();
    strictEqual(drop.snapshot.count, 2);
    deepStrictEqual(maildir.names("cur"), ["1700000001.M1.h"]);
    deepStrictEqual(maildir.names("new"), ["1700000002.M1.h:2,F"]);
  },
);

maildirTest(
  "unique-ids are decimal, rise, and stay the same for another process",
  async (maildir) => {
    for (let i = 0; i < 20; i++) maildir.deliver(`${i}\n`);
    const ids = idsOf(await storeOf(maildir).open());
    ok(ids.every((id) => /^[0-9]+$/.test(id)));
    const sorted = ids.map(Number).sort((a, b) => a - b);
    deepStrictEqual(ids.map(Number), sorted);
    deepStrictEqual(idsOf(await storeOf(maildir).open()), ids);
  },
);

maildirTest("a later delivery comes after all others even with an older name", async (maildir) => {
  maildir.deliver("a\n", "1700000009.M1.h");
  const store = storeOf(maildir);
  const [first] = idsOf(await store.open());
  maildir.deliver("b\n", "1600000000.M1.h");
  const ids = idsOf(await store.open());
  strictEqual(ids.length, 2);
  strictEqual(ids[0], first);
  ok(Number(ids[1]) > Number(ids[0]));
});

maildirTest(
  "the id of the newest message is not given again after it was deleted",
  async (maildir) => {
    maildir.deliver("a\n");
    const [gone] = idsOf(await storeOf(maildir).open());
    maildir.remove(`new/${maildir.names("new")[0]}`);
    maildir.deliver("b\n");
    const [next] = idsOf(await storeOf(maildir).open());
    ok(Number(next) > Number(gone));
  },
);

maildirTest("ids stay unique when the sidecar is deleted", async (maildir) => {
  maildir.deliver("a\n");
  maildir.deliver("b\n");
  const before = idsOf(await storeOf(maildir).open());
  rmSync(maildir.sidecar);
  const after = idsOf(await storeOf(maildir).open());
  strictEqual(after.length, 2);
  ok(after.every((id) => Number(id) > Number(before.at(-1))));
});

maildirTest("a running server puts a deleted sidecar back with the same ids", async (maildir) => {
  maildir.deliver("a\n");
  const store = storeOf(maildir);
  const before = idsOf(await store.open());
  rmSync(maildir.sidecar);
  deepStrictEqual(idsOf(await store.open()), before);
  deepStrictEqual(idsOf(await storeOf(maildir).open()), before);
});

maildirTest(
  "no id is reused when an older sidecar is restored over the newer one",
  async (maildir) => {
    maildir.deliver("a\n");
    const old = idsOf(await storeOf(maildir).open());
    copyFileSync(maildir.sidecar, `${maildir.path}/backup`);
    maildir.deliver("b\n");
    const running = storeOf(maildir);
    const given = idsOf(await running.open());
    maildir.deliver("c\n");
    copyFileSync(`${maildir.path}/backup`, maildir.sidecar);
    const after = idsOf(await running.open());
    strictEqual(after.length, 3);
    strictEqual(after[0], old[0]);
    ok(!after.slice(1).includes(given[1] ?? ""));
    deepStrictEqual(idsOf(await storeOf(maildir).open()), after);
  },
);

maildirTest(
  "a torn last line is dropped and the next ids are written after it",
  async (maildir) => {
    maildir.deliver("a\n");
    const [first] = idsOf(await storeOf(maildir).open());
    writeFileSync(maildir.sidecar, readFileSync(maildir.sidecar, "latin1") + "+ 17953851093", {});
    maildir.deliver("b\n");
    const ids = idsOf(await storeOf(maildir).open());
    strictEqual(ids[0], first);
    strictEqual(ids.length, 2);
    deepStrictEqual(idsOf(await storeOf(maildir).open()), ids);
    ok(readFileSync(maildir.sidecar, "latin1").endsWith("\n"));
  },
);

maildirTest("a sidecar cut anywhere keeps whole lines and never repeats an id", async (maildir) => {
  for (let i = 0; i < 3; i++) maildir.deliver(`${i}\n`);
  const ids = idsOf(await storeOf(maildir).open());
  const whole = readFileSync(maildir.sidecar);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(maildir.sidecar, whole.subarray(0, length));
    const after = idsOf(await storeOf(maildir).open());
    strictEqual(after.length, 3);
    strictEqual(new Set(after).size, 3);
    const fresh = after.filter((id) => !ids.includes(id));
    ok(fresh.every((id) => Number(id) > Number(ids.at(-1))), `cut at ${length}`);
  }
});

maildirTest("a damaged sidecar is rebuilt from the lines that are whole", async (maildir) => {
  for (let i = 0; i < 3; i++) maildir.deliver(`${i}\n`);
  const ids = idsOf(await storeOf(maildir).open());
  const lines = readFileSync(maildir.sidecar, "latin1").split("\n");
  lines[3] = "\0\0\0\0garbage";
  writeFileSync(maildir.sidecar, lines.join("\n"));
  maildir.deliver("new\n");
  const after = idsOf(await storeOf(maildir).open());
  strictEqual(after.length, 4);
  strictEqual(after[0], ids[0]);
  strictEqual(after[1], ids[2]);
  ok(Number(after[2]) > Number(ids[2]));
  ok(existsSync(`${maildir.sidecar}.damaged`));
});

maildirTest("a damaged sidecar is rebuilt though no mail has come", async (maildir) => {
  for (let i = 0; i < 3; i++) maildir.deliver(`${i}\n`);
  const ids = idsOf(await storeOf(maildir).open());
  const whole = readFileSync(maildir.sidecar, "latin1");
  for (const damaged of [`${whole}garbage\n`, `x${whole}`, whole.replace("\n+ ", "\n+  ")]) {
    writeFileSync(maildir.sidecar, damaged);
    const after = idsOf(await storeOf(maildir).open());
    const kept = readFileSync(maildir.sidecar, "latin1");
    ok(kept.startsWith("popkeep-uidlist 1\n") && !/garbage|\+ {2}/.test(kept), kept);
    strictEqual(readFileSync(`${maildir.sidecar}.damaged`, "latin1"), damaged);
    deepStrictEqual(idsOf(await storeOf(maildir).open()), after, "and is not changed again");
    if (!damaged.includes("+  ")) deepStrictEqual(after, ids);
  }
});

maildirTest("a sidecar that was emptied is put back by who knows what it said", async (maildir) => {
  for (let i = 0; i < 3; i++) maildir.deliver(`${i}\n`);
  const store = storeOf(maildir);
  const ids = idsOf(await store.open());
  truncateSync(maildir.sidecar);
  deepStrictEqual(idsOf(await store.open()), ids);
  deepStrictEqual(idsOf(await storeOf(maildir).open()), ids, "on the disk, too");
  truncateSync(maildir.sidecar);
  const anew = idsOf(await storeOf(maildir).open());
  ok(anew.every((id) => Number(id) > Number(ids.at(-1))), "who knows nothing repeats no id");
});

maildirTest("a sidecar of a later version is refused and left as it is", async (maildir) => {
  maildir.deliver("a\n");
  writeFileSync(maildir.sidecar, "popkeep-uidlist 2\nsomething\n");
  await rejects(async () => await storeOf(maildir).open(), StorageFailure);
  strictEqual(readFileSync(maildir.sidecar, "latin1"), "popkeep-uidlist 2\nsomething\n");
});

maildirTest("twenty logins at once by two servers give every message one id", async (maildir) => {
  for (let i = 0; i < 200; i++) maildir.deliver(`${i}\n`);
  const stores = [storeOf(maildir), storeOf(maildir)];
  const drops = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (stores[i % 2] ?? storeOf(maildir)).open()),
  );
  const ids = idsOf(drops[0] as Maildrop);
  strictEqual(new Set(ids).size, 200);
  for (const drop of drops) deepStrictEqual(idsOf(drop), ids);
});

maildirTest("a message renamed after login is found again", async (maildir) => {
  const name = maildir.deliver("hello\n");
  const drop = await storeOf(maildir).open();
  maildir.rename(`new/${name}`, `cur/${name}:2,F`);
  strictEqual(await contentOf(drop, 1), "hello\n");
  maildir.rename(`cur/${name}:2,F`, `cur/${name}:2,FS`);
  strictEqual(await contentOf(drop, 1), "hello\n");
});

maildirTest(
  "a message removed after login is gone, and others can still be read",
  async (maildir) => {
    const name = maildir.deliver("a\n");
    maildir.deliver("b\n");
    const drop = await storeOf(maildir).open();
    maildir.remove(`new/${name}`);
    await rejects(async () => await drop.open(N(1)), MessageGone);
    strictEqual(await contentOf(drop, 2), "b\n");
    strictEqual(drop.snapshot.count, 2);
  },
);

maildirTest("what is delivered after login is not in the snapshot", async (maildir) => {
  maildir.deliver("a\n");
  const store = storeOf(maildir);
  const drop = await store.open();
  maildir.deliver("b\n");
  const later = await store.open();
  strictEqual(drop.snapshot.count, 1);
  strictEqual(later.snapshot.count, 2);
});

maildirTest("a file in new/ and in cur/ under one unique name is one message", async (maildir) => {
  maildir.place("1700000001.M1.h", "a\n", "new");
  maildir.place("1700000001.M1.h:2,S", "a\n", "cur");
  strictEqual((await storeOf(maildir).open()).snapshot.count, 1);
});

maildirTest("update removes the marked messages and no other", async (maildir) => {
  for (let i = 1; i <= 4; i++) maildir.deliver(`${i}\n`, `170000000${i}.M1.h`);
  const drop = await storeOf(maildir).open();
  deepStrictEqual(await drop.update([N(2), N(4)], []), { removed: 2, left: 0 });
  deepStrictEqual(maildir.names("new"), ["1700000001.M1.h", "1700000003.M1.h"]);
});

maildirTest(
  "update removes a message that was renamed, and counts one that is gone",
  async (maildir) => {
    maildir.deliver("1\n", "1700000001.M1.h");
    maildir.deliver("2\n", "1700000002.M1.h");
    const drop = await storeOf(maildir).open();
    maildir.rename("new/1700000001.M1.h", "cur/1700000001.M1.h:2,RS");
    maildir.remove("new/1700000002.M1.h");
    deepStrictEqual(await drop.update([N(1), N(2)], []), { removed: 2, left: 0 });
    deepStrictEqual([...maildir.names("new"), ...maildir.names("cur")], []);
  },
);

maildirTest("close without update removes nothing", async (maildir) => {
  maildir.deliver("1\n");
  const drop = await storeOf(maildir).open();
  drop.close();
  drop.close();
  strictEqual(maildir.names("new").length, 1);
});

maildirTest("retrieved messages are seen after update, others are not touched", async (maildir) => {
  maildir.deliver("1\n", "1700000001.M1.h");
  maildir.deliver("2\n", "1700000002.M1.h");
  maildir.place("1700000003.M1.h:2,F", "3\n");
  const drop = await storeOf(maildir).open();
  await drop.update([], [N(1), N(3)]);
  deepStrictEqual(maildir.names("new"), ["1700000002.M1.h"]);
  deepStrictEqual(maildir.names("cur"), ["1700000001.M1.h:2,S", "1700000003.M1.h:2,FS"]);
  strictEqual(await contentOf(drop, 1), "1\n");
});

maildirTest("marking as seen never replaces a file", async (maildir) => {
  maildir.place("1700000001.M1.h", "one\n", "new");
  const drop = await storeOf(maildir).open();
  maildir.place("1700000001.M1.h:2,S", "other\n", "cur");
  await drop.update([], [N(1)]);
  deepStrictEqual(maildir.names("new"), ["1700000001.M1.h"]);
  strictEqual(readFileSync(`${maildir.path}/cur/1700000001.M1.h:2,S`, "latin1"), "other\n");
});

maildirTest("with mark_retrieved_as_seen off nothing is renamed", async (maildir) => {
  const name = maildir.deliver("1\n");
  const drop = await storeOf(maildir, { markRetrievedAsSeen: false }).open();
  await drop.update([], [N(1)]);
  deepStrictEqual(maildir.names("new"), [name]);
});

maildirTest(
  "exact sizes count CRLF for every line and the last one that has none",
  async (maildir) => {
    maildir.deliver("a\nb\r\nc");
    const store = storeOf(maildir, { exactSizes: true });
    strictEqual((await store.open()).snapshot.octetsOf(N(1)), 9);
    strictEqual((await storeOf(maildir).open()).snapshot.octetsOf(N(1)), 6);
  },
);

maildirTest("exact sizes are counted once: the sidecar remembers them", async (maildir) => {
  const name = maildir.deliver("a\nb\n");
  await storeOf(maildir, { exactSizes: true }).open();
  ok(/^\+ [0-9]+ 4 6 /m.test(readFileSync(maildir.sidecar, "latin1")));
  // Another content of the same length would count otherwise; it is not read again.
  writeFileSync(`${maildir.path}/new/${name}`, "abc\n");
  strictEqual((await storeOf(maildir, { exactSizes: true }).open()).snapshot.octetsOf(N(1)), 6);
});

maildirTest("exact sizes are added for messages that have an id already", async (maildir) => {
  const name = maildir.deliver("a\nb\n");
  await storeOf(maildir).open();
  ok(/^\+ [0-9]+ 4 - /m.test(readFileSync(maildir.sidecar, "latin1")));
  await storeOf(maildir, { exactSizes: true }).open();
  ok(/^= [0-9]+ 4 6$/m.test(readFileSync(maildir.sidecar, "latin1")));
  writeFileSync(`${maildir.path}/new/${name}`, "abc\n");
  strictEqual((await storeOf(maildir, { exactSizes: true }).open()).snapshot.octetsOf(N(1)), 6);
});

maildirTest("large and many messages are counted wherever their octets are", async (maildir) => {
  const lines = [1, 20_000, 3_000_000, 0, ...Array.from({ length: 40 }, (_, n) => n * 997)];
  for (const count of lines) maildir.deliver("\n".repeat(count));
  // Some are not in memory then, where the filesystem lets go of what is on the disk.
  for (const name of maildir.names("new").slice(1, 20)) {
    const file = `${maildir.path}/new/${name}`;
    const options = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
    spawnSync("dd", ["if=/dev/null", `of=${file}`, ...options]);
  }
  const { snapshot } = await storeOf(maildir, { exactSizes: true }).open();
  deepStrictEqual(lines.map((_, n) => snapshot.octetsOf(N(n + 1))), lines.map((n) => 2 * n));
});

maildirTest("hints that are right are used, hints that lie are found out", async (maildir) => {
  maildir.deliver("a\nb\n", "1700000001.M1.h,S=4,W=6");
  maildir.deliver("a\nb\n", "1700000002.M1.h,S=400,W=600");
  maildir.deliver("a\nb\n", "1700000003.M1.h,S=4,W=8");
  const exact = (await storeOf(maildir, { exactSizes: true }).open()).snapshot;
  deepStrictEqual([1, 2, 3].map((n) => exact.octetsOf(N(n))), [6, 6, 6]);
  const stored = (await storeOf(maildir).open()).snapshot;
  deepStrictEqual([1, 2, 3].map((n) => stored.octetsOf(N(n))), [4, 4, 4]);
});

maildirTest(
  "among many newcomers a lying hint in the sample has all of them measured",
  async (maildir) => {
    for (let i = 0; i < 300; i++) {
      maildir.deliver("a\nb\n", `170000${1000 + i}.M1.h,S=400`);
    }
    strictEqual((await storeOf(maildir).open()).snapshot.totalOctets, 1200);
  },
);

maildirTest("descending order numbers the newest first and keeps the ids", async (maildir) => {
  maildir.deliver("1\n");
  maildir.deliver("22\n");
  const ascending = await storeOf(maildir).open();
  const descending = await storeOf(maildir, { sortOrder: "descending" }).open();
  deepStrictEqual(idsOf(descending), idsOf(ascending).reverse());
  strictEqual(descending.snapshot.octetsOf(N(1)), 3);
  strictEqual(await contentOf(descending, 1), "22\n");
});

maildirTest(
  "a mailbox that does not exist yet is empty, and stays nonexistent",
  async (maildir) => {
    rmSync(maildir.path, { recursive: true });
    const drop = await storeOf(maildir).open();
    strictEqual(drop.snapshot.count, 0);
    ok(!existsSync(maildir.path));
  },
);

maildirTest("an empty Maildir gets no sidecar", async (maildir) => {
  strictEqual((await storeOf(maildir).open()).snapshot.count, 0);
  ok(!existsSync(maildir.sidecar));
});

maildirTest(
  "a folder that has just been made may become a Maildir, and is empty",
  async (maildir) => {
    rmSync(maildir.path, { recursive: true });
    mkdirSync(`${maildir.path}/tmp`, { recursive: true });
    const store = storeOf(maildir);
    strictEqual((await store.open()).snapshot.count, 0);
    mkdirSync(`${maildir.path}/new`);
    writeFileSync(`${maildir.path}/new/1700000000.a`, "1\n");
    strictEqual((await store.open()).snapshot.count, 1);
  },
);

maildirTest("a folder that is no Maildir is a permanent failure", async (maildir) => {
  rmSync(maildir.path, { recursive: true });
  mkdirSync(maildir.path);
  utimesSync(maildir.path, LONG_AGO, LONG_AGO);
  await rejects(async () => await storeOf(maildir).open(), {
    name: "StorageFailure",
    kind: "SYS/PERM",
  });
});

maildirTest("a file where the Maildir should be is a permanent failure", async (maildir) => {
  rmSync(maildir.path, { recursive: true });
  writeFileSync(maildir.path, "");
  await rejects(async () => await storeOf(maildir).open(), {
    name: "StorageFailure",
    kind: "SYS/PERM",
  });
});

maildirTest("FIFOs, sockets, links, folders and dot files are no messages", async (maildir) => {
  maildir.deliver("1\n");
  mkdirSync(`${maildir.path}/cur/folder`);
  symlinkSync("nowhere", `${maildir.path}/cur/broken`);
  writeFileSync(`${maildir.path}/secret`, "secret\n");
  symlinkSync("../secret", `${maildir.path}/cur/link`);
  writeFileSync(`${maildir.path}/cur/.hidden`, "hidden\n");
  strictEqual(spawnSync("mkfifo", [`${maildir.path}/cur/fifo`]).status, 0);
  const listening = createServer().listen(`${maildir.path}/cur/socket`);
  await new Promise((done) => listening.once("listening", done));
  const store = storeOf(maildir);
  strictEqual((await store.open()).snapshot.count, 1);
  maildir.deliver("2\n");
  strictEqual((await store.open()).snapshot.count, 2);
  listening.close();
});

maildirTest(
  "a message that turned into a link or FIFO is gone and holds nobody up",
  async (maildir) => {
    const names = [maildir.deliver("1\n"), maildir.deliver("2\n")];
    const drop = await storeOf(maildir).open();
    for (const name of names) maildir.remove(`new/${name}`);
    symlinkSync("/etc/passwd", `${maildir.path}/new/${names[0]}`);
    strictEqual(spawnSync("mkfifo", [`${maildir.path}/new/${names[1]}`]).status, 0);
    await rejects(async () => await drop.open(N(1)), MessageGone);
    await rejects(async () => await drop.open(N(2)), MessageGone);
  },
);

maildirTest(
  "names with spaces, percent signs, newlines and UTF-8 keep their ids",
  async (maildir) => {
    for (const name of ["a b", "a%20b", "line\nbreak", "müll", "tab\t"]) {
      writeFileSync(`${maildir.path}/new/${name}`, "x\n");
    }
    const ids = idsOf(await storeOf(maildir).open());
    strictEqual(new Set(ids).size, 5);
    const again = await storeOf(maildir).open();
    deepStrictEqual(idsOf(again), ids);
    for (let n = 1; n <= 5; n++) strictEqual(await contentOf(again, n), "x\n");
  },
);

maildirTest(
  "a file name that is not UTF-8 is served, or left out where the runtime cannot",
  async (maildir) => {
    maildir.deliver("1\n");
    const name = Buffer.from(`${maildir.path}/cur/1700000000.caf\xe9:2,S`, "latin1");
    const made = spawnSync("python3", [
      "-c",
      "import sys;open(bytes.fromhex(sys.argv[1]),'w').write('x\\n')",
      name.toString("hex"),
    ]);
    strictEqual(made.status, 0);
    const drop = await storeOf(maildir).open();
    if ("Deno" in globalThis) {
      strictEqual(drop.snapshot.count, 1);
      return;
    }
    strictEqual(drop.snapshot.count, 2);
    strictEqual(await contentOf(drop, 1), "x\n");
    deepStrictEqual(await drop.update([N(1)], []), { removed: 1, left: 0 });
  },
);

maildirTest("an unchanged mailbox is not listed again", async (maildir) => {
  maildir.deliver("1\n");
  const longAgo = new Date(Date.now() - 60_000);
  const store = storeOf(maildir);
  await store.open();
  // ctime cannot be set, so the folder has to rest as long as its clock may tick.
  await new Promise((done) => setTimeout(done, 2_100));
  const settled = (await store.open()).snapshot;
  strictEqual((await store.open()).snapshot, settled);
  utimesSync(`${maildir.path}/new`, longAgo, longAgo);
  ok((await store.open()).snapshot !== settled);
});

maildirTest("mailboxes beyond the cache's memory are forgotten once closed", async (maildir) => {
  maildir.deliver("1\n");
  const small = storeOf(maildir, { cacheOctets: 0 });
  const large = storeOf(maildir);
  (await small.open()).close();
  (await large.open()).close();
  await new Promise((done) => setTimeout(done, 2_100));
  const [one, other] = [await large.open(), await small.open()];
  // Those that are open are kept.
  strictEqual((await small.open()).snapshot, other.snapshot);
  one.close();
  strictEqual((await large.open()).snapshot, one.snapshot);
  (await small.open()).close();
  strictEqual((await small.open()).snapshot, other.snapshot);
  const again = storeOf(maildir, { cacheOctets: 0 });
  const before = await again.open();
  before.close();
  const after = await again.open();
  ok(after.snapshot !== before.snapshot);
  deepStrictEqual(idsOf(after), idsOf(before));
});

maildirTest(
  "a delivery within the same clock tick as a login is seen by the next one",
  async (maildir) => {
    const store = storeOf(maildir);
    for (let i = 1; i <= 30; i++) {
      maildir.deliver(`${i}\n`);
      strictEqual((await store.open()).snapshot.count, i);
    }
  },
);

maildirTest("a message missing from one listing keeps its id", async (maildir) => {
  const name = maildir.deliver("1\n");
  maildir.deliver("2\n");
  const store = storeOf(maildir);
  const ids = idsOf(await store.open());
  maildir.rename(`new/${name}`, "away");
  deepStrictEqual(idsOf(await store.open()), ids.slice(1));
  maildir.rename("away", `cur/${name}:2,S`);
  deepStrictEqual(idsOf(await store.open()), ids);
  deepStrictEqual(idsOf(await storeOf(maildir).open()), ids);
});

maildirTest(
  "compaction drops removed messages, keeps missing ones and the counter",
  async (maildir) => {
    for (let i = 0; i < 150; i++) maildir.deliver(`${i}\n`);
    const store = storeOf(maildir);
    const drop = await store.open();
    const ids = idsOf(drop);
    const hidden = maildir.names("new").at(-1) ?? "";
    const marked = Array.from({ length: 148 }, (_, i) => N(i + 1));
    await drop.update(marked, []);
    maildir.rename(`new/${hidden}`, "away");
    maildir.deliver("fresh\n");
    const after = idsOf(await store.open());
    const lines = readFileSync(maildir.sidecar, "latin1").trim().split("\n");
    ok(lines.length < 10, `the list still has ${lines.length} lines`);
    strictEqual(after[0], ids[148]);
    ok(Number(after[1]) > Number(ids[149]));
    maildir.rename("away", `cur/${hidden}`);
    deepStrictEqual(idsOf(await storeOf(maildir).open()), [ids[148], ids[149], after[1]]);
  },
);

maildirTest(
  "the sidecar and its folder belong to the owner of the Maildir alone",
  async (maildir) => {
    maildir.deliver("1\n");
    await storeOf(maildir).open();
    strictEqual(statSync(maildir.sidecar).mode & 0o777, 0o600);
    deepStrictEqual(maildir.names("tmp"), []);
    ok(!existsSync(`${maildir.sidecar}.lock`));
  },
);

maildirTest(
  "listing for the command line shows ids as served and changes nothing",
  async (maildir) => {
    maildir.deliver("1\n");
    const drop = await storeOf(maildir).open();
    maildir.deliver("22\n");
    const before = readFileSync(maildir.sidecar, "latin1");
    const listed = await listMessages(maildir.path);
    deepStrictEqual(listed.map((one) => one.uniqueId), [drop.snapshot.uniqueIdOf(N(1)), undefined]);
    deepStrictEqual(listed.map((one) => one.storedOctets), [2, 3]);
    strictEqual(readFileSync(maildir.sidecar, "latin1"), before);
  },
);
