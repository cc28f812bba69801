import { Buffer } from "node:buffer";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Dirent } from "node:fs";
import { test } from "node:test";
import { Ghosts } from "../../../src/maildir/ghosts.ts";
import { EntryNames } from "../../../src/maildir/listed_names.ts";
import { Matching } from "../../../src/maildir/matching.ts";
import { UniqueIdList } from "../../../src/maildir/unique_id_list.ts";

/** A list of one message, which was removed. */
function listWithRemoved(): UniqueIdList {
  const list = new UniqueIdList();
  for (const line of ["+ 7 12 - - removed", "- 7"]) ok(list.apply(Buffer.from(line)), line);
  return list;
}

/** How many files that a listing of new/ shows are taken for messages without an id. */
async function newcomersIn(list: UniqueIdList, name: string, ghosts?: Ghosts): Promise<number> {
  const matching = new Matching(list, ghosts);
  const file = { name, isFile: () => true } as Dirent;
  await matching.take("new", new EntryNames([file]));
  matching.finish();
  strictEqual(matching.hasGhosts, ghosts !== undefined && name === "removed");
  return matching.newcomers.count;
}

test("a file that is shown though its message was removed is given no other id where others remove too", async () => {
  const ghosts = new Ghosts();
  strictEqual(await newcomersIn(listWithRemoved(), "removed", ghosts), 0);
  strictEqual(await newcomersIn(listWithRemoved(), "removed", ghosts), 0);
  strictEqual(await newcomersIn(listWithRemoved(), "another", ghosts), 1);
  // Here a look shows what is there, and it is a message that was put back.
  strictEqual(await newcomersIn(listWithRemoved(), "removed"), 1);
});

test("a file that stays for longer than others' caches hold is a message", () => {
  const ghosts = new Ghosts();
  const outcomes = [0, 60_000, 119_999, 120_000].map((nowMs) => {
    ghosts.begin();
    const isLeftOut = ghosts.leavesOut(7, nowMs);
    return [isLeftOut, ghosts.end()];
  });
  deepStrictEqual(outcomes, [[true, true], [true, true], [true, true], [false, true]]);
  // Gone for one listing, it is another file when it is there again.
  ghosts.begin();
  strictEqual(ghosts.end(), false);
  ghosts.begin();
  ok(ghosts.leavesOut(7, 200_000));
});
