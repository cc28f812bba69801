/**
 * Unique-ids as popkeep makes them of a real Dovecot's list are those that this Dovecot shows: for formats of all
 * kinds, for X-UIDL fields, and for duplicates.
 */

import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { MailboxDisk } from "../../src/maildir/mailbox_disk.ts";
import { parseDovecotUidlFormat } from "../../src/moving/dovecot_uidl_format.ts";
import { dovecotIds } from "../../src/moving/named_sources.ts";
import { PresentMessages } from "../../src/moving/present_messages.ts";
import { NO_PROGRESS } from "../../src/moving/progress.ts";
import { unprivileged } from "../support/daemon.ts";
import { DovecotServer } from "../support/dovecot_server.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { clientTest } from "../support/real_client.ts";
import { TestMaildir } from "../support/test_maildir.ts";

/** One Dovecot each: under Deno, whose readers are the same, some of them. */
const FORMATS = [
  "%08Xu%08Xv",
  "%v.%u",
  "%u",
  "%g",
  "%f",
  "UID%u-%v",
  "%Xv-%4u",
  "%04u.%Rv",
  "%4v.%u",
  "%2.4v.%u",
  "%-4v.%u",
  "%-4.2v.%u",
  "%UXv.%u",
  "%Lf",
  "%%%u",
].filter((_, at) => !("Deno" in globalThis) || at % 5 === 0);

const NAMES = [1, 2, 3, 4, 5].map((n) => `170000000${n}.M${n}P1.host`);

/** Written by hand, as other versions, migrations, and crashes leave them. */
const LISTS = {
  "version 1": `1 1275660208 9\n${NAMES.map((name, n) => `${n + 2} ${name}\n`).join("")}`,
  "unique-ids and an order of their own": "3 V1275660208 N20 G3085f01b7f11094c501100008c4a11c1\n" +
    ["O7 Pkept", "P", "W5 O2", "S5 W6 Pother Gaa", ""].map((fields, n) =>
      `${n + 2} ${fields}${fields === "" ? "" : " "}:${NAMES[n]}:2,S\n`
    ).join(""),
  "a file that is named again": "3 V1275660208 N20 G3085f01b7f11094c501100008c4a11c1\n" +
    [0, 1, 2, 0, 3, 4].map((n, line) => `${line + 2} ${line === 0 ? "Pfirst " : ""}:${NAMES[n]}\n`)
      .join(""),
};

const REUSE = "pop3_reuse_xuidl = yes\n";
const RENAME = "pop3_uidl_duplicates = rename\n";

if (process.getuid?.() === 0) {
  clientTest(["dovecot"], "unique-ids of a list are those that Dovecot shows", async (folder) => {
    const homes = `${folder}/homes`;
    mkdirSync(homes);
    const maildir = new TestMaildir(`${homes}/alice/Maildir`);
    for (let n = 1; n <= 12; n++) {
      // Some have a field of their own, some the same one as others.
      const field = n % 4 === 0 ? "X-UIDL: twin\n" : n % 4 === 1 ? `X-UIDL:  own-${n}\n` : "";
      maildir.deliver(`${field}Subject: ${n}\n\n`);
    }
    own(homes);
    await listedBy(folder, homes, "");
    for (const format of FORMATS) await compare(folder, { format, settings: "" });
    await compare(folder, { format: "%u", settings: REUSE });
    await compare(folder, { format: "%u", settings: REUSE + RENAME });
    await compare(folder, { format: "%1u", settings: RENAME });
  });
  for (const [what, list] of Object.entries(LISTS)) {
    clientTest(["dovecot"], `a list is read as Dovecot reads it: ${what}`, async (folder) => {
      const homes = `${folder}/homes`;
      mkdirSync(homes);
      const maildir = new TestMaildir(`${homes}/alice/Maildir`);
      for (const name of NAMES) maildir.place(`${name}:2,S`, `Subject: ${name}\n\n`);
      const path = `${maildir.path}/dovecot-uidlist`;
      writeFileSync(path, list);
      own(homes);
      // Before Dovecot has it, which may write it anew.
      const ours = await idsOf(maildir.path, { format: "%u-%v", settings: "" });
      assert.equal(ours.length, NAMES.length);
      assert.deepEqual(ours, await listedBy(folder, homes, "pop3_uidl_format = %u-%v\n"));
    });
  }
} else test("unique-ids that Dovecot shows", { skip: "takes root, as Dovecot does" }, () => {});

interface Compared {
  readonly format: string;
  readonly settings: string;
}

let servers = 0;

async function compare(folder: string, { format, settings }: Compared): Promise<void> {
  const homes = `${folder}/homes`;
  const shown = await listedBy(folder, homes, `pop3_uidl_format = ${format}\n${settings}`);
  const ours = await idsOf(`${homes}/alice/Maildir`, { format, settings });
  assert.deepEqual(ours, shown, `${format} ${settings}`);
}

/** As popkeep makes them, in their order. */
async function idsOf(path: string, { format, settings }: Compared) {
  const present = await PresentMessages.of(new MailboxDisk(path));
  const made = parseDovecotUidlFormat(format);
  assert.ok(typeof made === "function", JSON.stringify(made));
  const { ids, order } = await dovecotIds(present, `${path}/dovecot-uidlist`, {
    format: made,
    reuseXuidl: settings.includes(REUSE),
    renameDuplicates: settings.includes(RENAME),
  }, NO_PROGRESS);
  return order.map((row) => ids[row]);
}

async function listedBy(folder: string, homes: string, settings: string): Promise<string[]> {
  const its = `${folder}/dovecot-${++servers}`;
  mkdirSync(its);
  for (const path of [folder, homes]) chmodSync(path, 0o755);
  const dovecot = await DovecotServer.start(its, {
    homes,
    owner: unprivileged()!,
    password: "secret",
    users: ["alice"],
    settings,
  });
  const client = await Pop3Client.connect({ port: dovecot.port });
  try {
    await client.login("alice", "secret");
    const listing = await client.listing("UIDL");
    await client.quit();
    return listing.map((line) => line.replace(/^[0-9]+ /, ""));
  } finally {
    client.disconnect();
    await dovecot.stop();
  }
}

/** Gives all of it to whom Dovecot serves it as. */
function own(folder: string): void {
  const { uid, gid } = unprivileged()!;
  const names = readdirSync(folder, { recursive: true }).map((name) => `${folder}/${name}`);
  for (const name of [folder, ...names]) chownSync(name, uid, gid);
}
