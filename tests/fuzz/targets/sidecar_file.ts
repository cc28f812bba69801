/**
 * A Maildir whose sidecar holds any octets: a login works or says that it cannot, ids rise, stay for another
 * server, and a message that comes afterwards gets none that the file speaks of.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { StorageFailure } from "../../../src/maildrop/store.ts";
import { TestMaildir } from "../../support/test_maildir.ts";
import { forget, memoryFolder } from "../memory_folder.ts";
import { PlainUniqueIdList } from "../plain_unique_id_list.ts";
import type { FuzzTarget } from "../target.ts";

const NAMES = ["1700000000.M1P1.host,S=10", "1700000004.M9P1.host", "1700000009.M1P1.host"];
const LATER = "1700000020.M1P1.host";

let root: string | undefined;
let maildir: TestMaildir;

/** Made when first needed, since every target is loaded wherever one is. */
function prepare(): void {
  if (root !== undefined) return;
  root = memoryFolder();
  maildir = new TestMaildir(`${root}/Maildir`);
  for (const name of NAMES) maildir.place(`${name}:2,`, "Subject: a");
}

export const sidecarFile: FuzzTarget = {
  name: "sidecar_file",
  executions: 300,
  async attempt(input) {
    prepare();
    writeFileSync(maildir.sidecar, input);
    try {
      await check(input);
    } finally {
      rmSync(`${maildir.path}/cur/${LATER}:2,`, { force: true });
      for (const name of readdirSync(maildir.path)) {
        if (name.startsWith("popkeep-uidlist")) rmSync(`${maildir.path}/${name}`);
      }
    }
  },
  end: () => forget(root),
};

async function check(input: Uint8Array): Promise<void> {
  const text = Buffer.from(input).toString("latin1");
  const isLater = /^popkeep-uidlist (?!1\n)[0-9]{1,9}\n/.test(text);
  let ids: string[];
  try {
    ids = await idsOf(store());
  } catch (error) {
    assert.ok(error instanceof StorageFailure && isLater, String(error));
    return;
  }
  assert.ok(!isLater, "a file of a later version was taken");
  assert.deepEqual(await idsOf(store()), ids, "another server shows other ids");
  const plain = new PlainUniqueIdList();
  for (const line of text.split("\n").slice(0, -1)) plain.apply(line);
  // A file that leaves no ids gives none, rather than some that cannot be written down.
  if (plain.next > Number.MAX_SAFE_INTEGER - 2 ** 32) return;
  assert.equal(ids.length, NAMES.length);
  maildir.place(`${LATER}:2,`, "Subject: b");
  const later = (await idsOf(store())).at(-1);
  const known = plain.rows.find(({ name, removed }) => name === LATER && !removed);
  if (known !== undefined) return;
  assert.ok(Number(later) >= plain.next, `${later} was given, though ${plain.next} comes next`);
  assert.ok(!ids.includes(later!), "an id was given twice");
}

function store(): MaildirStore {
  return new MaildirStore({
    maildir: maildir.path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: false,
  });
}

async function idsOf(store: MaildirStore): Promise<string[]> {
  const drop = await store.open({ user: "alice", extra: {} });
  const { snapshot } = drop;
  const ids = Array.from(
    { length: snapshot.count },
    (_, index) => String(snapshot.uniqueIdOf(index + 1 as MessageNumber)),
  );
  drop.close();
  return ids;
}
