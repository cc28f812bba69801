/** `popkeep mailbox export` onto a disk that is full: it says which one that is, and nothing stays of what was written. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { ExitCode } from "../../src/cli/exit_codes.ts";
import {
  EmlFolder,
  type ExportTarget,
  MaildirFolder,
  MboxFile,
} from "../../src/cli/export_target.ts";
import { failureFrom } from "../../src/cli/failure.ts";

const MOUNTED = spawnSync("unshare", ["--mount", "true"]).status === 0;

async function* long() {
  for (let piece = 0; piece < 64; piece++) yield new Uint8Array(16_384).fill(97);
  await Promise.resolve();
}

async function exportTo(target: ExportTarget): Promise<unknown> {
  try {
    await target.beginFolder("INBOX");
    await target.add({
      fileName: "1.M1.h:2,S",
      isNew: false,
      dateMs: 0,
      sender: undefined,
      octets: long(),
    });
    await target.finish();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await target.giveUp();
  }
}

test(
  "an export to a disk that is full says where that is, and leaves nothing there",
  { skip: !MOUNTED && "nothing can be mounted here" },
  async () => {
    const disk = mkdtempSync(`${tmpdir()}/popkeep-export-disk-`);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
    try {
      const path = `${disk}/mail`;
      for (const target of [new MboxFile(path), new EmlFolder(path), new MaildirFolder(path)]) {
        const { exitCode, messages } = failureFrom(await exportTo(target));
        assert.deepEqual(messages, [`${path}.partial: the disk is full`]);
        assert.equal(exitCode, ExitCode.inputOutput);
        assert.deepEqual(readdirSync(disk), []);
      }
    } finally {
      execFileSync("umount", [disk]);
      rmSync(disk, { recursive: true });
    }
  },
);
