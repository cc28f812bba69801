import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { OldListFault } from "../../../src/moving/old_ids.ts";
import {
  LONGEST_LINE_OCTETS,
  OldLineSplitter,
  readOldLines,
} from "../../../src/moving/old_lines.ts";
import { maildirTest } from "../../support/test_maildir.ts";

function split(text: string, pieceOctets: number): (string | undefined)[] {
  const lines: (string | undefined)[] = [];
  const splitter = new OldLineSplitter((line) => lines.push(line?.toString("latin1")));
  const octets = Buffer.from(text, "latin1");
  for (let at = 0; at < octets.length; at += pieceOctets) {
    splitter.push(octets.subarray(at, at + pieceOctets));
  }
  return lines;
}

test("lines are the same in pieces of any size; the last one needs its line end", () => {
  for (const octets of [1, 2, 3, 7, 1_000]) {
    assert.deepEqual(split("one\n\ntwo\r\nth\0ree\nfo", octets), ["one", "", "two\r", undefined]);
  }
});

test("a line that is too long is told of, and the next one is whole", () => {
  const longest = "x".repeat(LONGEST_LINE_OCTETS);
  for (const octets of [1_000, 131_072]) {
    assert.deepEqual(split(`${longest}\n${longest}y\nnext\n`, octets), [
      longest,
      undefined,
      "next",
    ]);
  }
});

maildirTest(
  "a link, a FIFO or a folder in the list's place is refused and not waited for",
  async (maildir) => {
    const disk = new MailboxDisk(maildir.path);
    const at = (name: string) => `${maildir.path}/${name}`;
    writeFileSync(at("file"), "line\n");
    symlinkSync(at("file"), at("link"));
    mkdirSync(at("folder"));
    assert.equal(spawnSync("mkfifo", [at("fifo")]).status, 0);
    for (const name of ["link", "folder", "fifo"]) {
      await assert.rejects(readOldLines(disk, at(name), () => {}), (error) => {
        return error instanceof OldListFault && !error.isMissing &&
          error.message.includes(at(name));
      }, name);
    }
    await assert.rejects(readOldLines(disk, at("none"), () => {}), (error) => {
      return error instanceof OldListFault && error.isMissing;
    });
  },
);
