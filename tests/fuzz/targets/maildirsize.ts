/**
 * A maildirsize of any octets in a Maildir with known mail: it is believed only where the plainest reading of the
 * format says the same, and what comes of it is never worse than a count.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { countDelivered, maildirSizeNow } from "../../../src/maildir/maildirsize.ts";
import { usageNow } from "../../../src/maildir/quota_count.ts";
import { TestMaildir } from "../../support/test_maildir.ts";
import { forget, memoryFolder } from "../memory_folder.ts";
import type { FuzzTarget } from "../target.ts";

const LIMITS = { octets: 1_000, messages: 10 };

/** What there is really. */
const TRUTH = { octets: 7, messages: 1 };

let root: string | undefined;
let maildir: TestMaildir | undefined;

export const maildirsize: FuzzTarget = {
  name: "maildirsize",
  executions: 400,
  maxOctets: 6_000,
  async attempt(input) {
    root ??= memoryFolder();
    if (maildir === undefined) {
      maildir = new TestMaildir(`${root}/mail`);
      maildir.place("1.a,S=7:2,S", "1234567");
    }
    const { path } = maildir;
    const file = `${path}/maildirsize`;
    writeFileSync(file, input);
    const disk = new MailboxDisk(path);
    const plain = plainReading(Buffer.from(input).toString("latin1"));
    const { used } = await maildirSizeNow(disk, { limits: LIMITS });
    assert.deepEqual(used, plain);
    const location = { inbox: path, folders: path, layout: "maildir++", root } as const;
    const place = { location: { ...location, utf8Names: false }, ignored: [] };
    assert.deepEqual(await usageNow(place, { limits: LIMITS }), plain ?? TRUTH);
    // However it was, it can be added to now, and says what it is to say.
    await countDelivered(disk, 3);
    const after = plainReading(readFileSync(file, "latin1"));
    const sum = plain ?? TRUTH;
    if (input.length < 5_000) {
      const then = { octets: sum.octets + 3, messages: sum.messages + 1 };
      const isOver = then.octets > LIMITS.octets || then.messages > LIMITS.messages;
      assert.deepEqual(after, isOver ? undefined : then);
    }
  },
  end: () => forget(root),
};

/** The format, read line by line as README.maildirquota tells it; undefined where it is not believed. */
function plainReading(text: string): { octets: number; messages: number } | undefined {
  if (text.length >= 5_120 || !text.endsWith("\n")) return undefined;
  const [definition = "", ...lines] = text.slice(0, -1).split("\n");
  const parts = definition.split(",");
  if (!parts.every((part) => /^[0-9]{1,15}[SC]$/.test(part)) || definition.length > 100) {
    return undefined;
  }
  const limit = (letter: string) =>
    Number(parts.findLast((part) => part.endsWith(letter))?.slice(0, -1) ?? 0);
  if (limit("S") !== LIMITS.octets || limit("C") !== LIMITS.messages) return undefined;
  let octets = 0n;
  let messages = 0n;
  for (const line of lines) {
    const words = line.replace(/^[ \t]+|[ \t]+$/g, "").split(/[ \t]+/);
    if (words.length !== 2 || !words.every((word) => /^-?[0-9]{1,16}$/.test(word))) {
      return undefined;
    }
    octets += BigInt(words[0]!);
    messages += BigInt(words[1]!);
  }
  const isSum = lines.length > 0 && octets >= 0n && messages >= 0n &&
    octets <= BigInt(Number.MAX_SAFE_INTEGER) && messages <= BigInt(Number.MAX_SAFE_INTEGER);
  if (!isSum) return undefined;
  const sum = { octets: Number(octets), messages: Number(messages) };
  // It was written a moment ago: believed above the limits where it is one line.
  const isOver = sum.octets > LIMITS.octets || sum.messages > LIMITS.messages;
  return isOver && lines.length > 1 ? undefined : sum;
}
