import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  appendFileSync,
  constants,
  type Dirent,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import { test } from "node:test";
import type { DiskFile, FileStats } from "../../../src/maildir/disk_file.ts";
import type { DotLock } from "../../../src/maildir/dot_lock.ts";
import { giveIds } from "../../../src/maildir/giving_ids.ts";
import { EntryNames } from "../../../src/maildir/listed_names.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { Matching } from "../../../src/maildir/matching.ts";
import { Sidecar, SIDECAR_NAME } from "../../../src/maildir/sidecar.ts";
import { HEADER } from "../../../src/maildir/unique_id_list.ts";

/** A time long ago, which another host's clock gives to what it adds. */
const THEN = new Date(1_600_000_000_000);

/**
 * What a client of a shared filesystem shows that goes by a file's time: who opens the list to read it sees what was
 * there when its time was last another one; who opens it to write sees how long it is.
 */
class RememberingDisk extends MailboxDisk {
  #remembered: { readonly stats: FileStats; readonly timeMs: number } | undefined;
  timesSet = 0;

  override get isOfThisMachine(): boolean {
    return false;
  }

  override async openOwn(path: string, flags: number): Promise<DiskFile> {
    const file = await super.openOwn(path, flags);
    if (flags !== constants.O_RDONLY) return file;
    const stats = await file.stat();
    const timeMs = Number(stats.mtimeMs);
    if (this.#remembered?.timeMs !== timeMs) this.#remembered = { stats, timeMs };
    const { stats: shown } = this.#remembered;
    const end = Number(shown.size);
    return new Proxy(file, {
      get(target, name) {
        if (name === "stat") return () => Promise.resolve(shown);
        if (name === "read") {
          return (octets: Uint8Array, from: number, length: number, position: number) =>
            target.read(octets, from, Math.max(0, Math.min(length, end - position)), position);
        }
        const value = target[name as keyof DiskFile];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  override setTimes(path: string, to: Date): Promise<void> {
    this.timesSet++;
    return super.setTimes(path, to);
  }
}

test("a list that another host has added to without its time having changed is read all the same", async () => {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-giving-`);
  try {
    const path = `${folder}/${SIDECAR_NAME}`;
    writeFileSync(path, `${HEADER}+ 7 12 - - first\n`);
    utimesSync(path, THEN, THEN);
    const disk = new RememberingDisk(folder);
    const sidecar = new Sidecar(disk);
    await sidecar.refreshFromFile();
    strictEqual(sidecar.list.next, 8);

    appendFileSync(path, "+ 8 12 - - theirs\n");
    utimesSync(path, THEN, THEN);
    const matching = new Matching(sidecar.list);
    const names = ["first", "theirs", "ours"].map((name) =>
      ({ name, isFile: () => true }) as Dirent
    );
    await matching.take("new", new EntryNames(names));
    matching.finish();
    const { newcomers } = matching;
    strictEqual(newcomers.count, 2, "of theirs nothing is known yet");
    const rows = Uint32Array.of(0, 1);
    const lock = { isHeld: () => Promise.resolve(true) } as unknown as DotLock;
    strictEqual(await giveIds({ sidecar, matching, rows, lock }), true);

    strictEqual(disk.timesSet, 1);
    const lines = readFileSync(path, "latin1").slice(HEADER.length).trimEnd().split("\n");
    const ids = lines.map((line) => Number(line.split(" ")[1]));
    deepStrictEqual(lines.map((line) => line.split(" ").at(-1)), ["first", "theirs", "ours"]);
    deepStrictEqual(ids.slice(0, 2), [7, 8]);
    ok(ids[2]! > 8);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
