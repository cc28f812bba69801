/**
 * What can be told of messages only by reading them: whether they can be read at all, whether they are Internet
 * messages, and whether the list of unique-ids has their sizes right.
 *
 * A message is never changed (C0011: what is sent is made right on its way). Repair writes down the sizes that are
 * right, a line in the list for each, as the server does for sizes that it learns: killed anywhere, the line is
 * there, or not, or torn, which says nothing.
 *
 * One message is read at a time, in pieces, whatever its size.
 *
 * *Knows* messages and the list. *Does not know* folders.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { DiskTimeout, isMissing, pathIn } from "../maildir/disk.ts";
import { uniqueNameOf } from "../maildir/file_name.ts";
import { openMessageFile } from "../maildir/message_file.ts";
import { Sidecar } from "../maildir/sidecar.ts";
import { UniqueIdLines } from "../maildir/unique_id_lines.ts";
import type { UniqueIdList } from "../maildir/unique_id_list.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { CanonicalCounter } from "../message/canonical.ts";
import type { CheckedMaildir } from "./checked_maildir.ts";
import { fieldFaults } from "./field_contents.ts";
import type { Finding } from "./finding.ts";
import { underLock } from "./id_list.ts";
import type { FoundMessages } from "./message_entries.ts";
import { FormReader, type MessageForm } from "./message_form.ts";

/** Times that a line is appended while others append at the same time. */
const TRIES = 5;

interface Sizes {
  readonly storedOctets: number;
  /** With CRLF line ends; undefined where the message was not read. */
  readonly exactOctets: number | undefined;
}

/**
 * @param list of unique-ids; undefined where there is none.
 * @param onMessage is told each message before it is looked at, and how many there are.
 * @param reads whether messages are read; else sizes alone are compared.
 */
export async function* checkContents(
  maildir: CheckedMaildir,
  { table }: FoundMessages,
  { list, reads, onMessage }: {
    readonly list: UniqueIdList | undefined;
    readonly reads: boolean;
    readonly onMessage: (messages: number) => void;
  },
): AsyncGenerator<Finding> {
  const sidecar = new Sidecar(maildir.disk);
  for (let row = 0; row < table.count; row++) {
    onMessage(table.count);
    const folder = table.folderOf(row);
    if (folder === undefined) continue;
    const fileName = table.fileNameOf(row);
    const inside = `${folder}/${fileName}`;
    let sizes: Sizes = { storedOctets: table.storedOf(row), exactOctets: undefined };
    if (sizes.storedOctets === 0) yield emptyMessage(maildir, inside);
    else if (reads) {
      const outcome = await readMessage(maildir, inside);
      if (outcome === "gone") continue;
      if (typeof outcome === "string") {
        yield unreadable(maildir, inside, outcome);
        continue;
      }
      sizes = outcome.sizes;
      const faults = [...outcome.form.faults, ...await fieldFaults(outcome.form.fields)];
      if (faults.length > 0) yield notRfc5322(maildir, inside, faults);
    }
    if (list !== undefined) {
      yield* sizeFindings(
        { maildir, sidecar, list, inside, uniqueName: uniqueNameOf(fileName) },
        sizes,
      );
    }
    if (row % 256 === 255) await nextTurn();
  }
}

interface Read {
  readonly sizes: Sizes;
  readonly form: MessageForm;
}

/** Reads a message; a text says why that cannot be done. */
async function readMessage(
  { disk, path }: CheckedMaildir,
  inside: string,
): Promise<Read | "gone" | string> {
  try {
    const message = await openMessageFile(disk, pathIn(path, inside));
    if (message === undefined) return "gone";
    try {
      const form = new FormReader();
      const counter = new CanonicalCounter();
      for (let chunk; (chunk = await message.read()) !== undefined;) {
        form.push(chunk);
        counter.push(chunk);
      }
      const { storedOctets } = message;
      const exactOctets = storedOctets === 0 ? 0 : counter.end();
      return { sizes: { storedOctets, exactOctets }, form: form.end() };
    } finally {
      await message.close();
    }
  } catch (error) {
    if (isMissing(error)) return "gone";
    if (error instanceof DiskTimeout) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

function emptyMessage(maildir: CheckedMaildir, inside: string): Finding {
  return {
    severity: "warning",
    kind: "empty-message",
    path: maildir.nameOf(inside),
    reason: "there is nothing in it, as after a crash of who delivered it",
    repair: "a client may have seen it; whoever has the mail may remove it",
  };
}

function unreadable(maildir: CheckedMaildir, inside: string, reason: string): Finding {
  return {
    severity: "error",
    kind: "unreadable",
    path: maildir.nameOf(inside),
    reason: `it is listed and cannot be read: ${reason}`,
    repair: "what is lost is on the disk or in a backup",
  };
}

function notRfc5322(
  maildir: CheckedMaildir,
  inside: string,
  faults: readonly string[],
): Finding {
  return {
    severity: "note",
    kind: "not-rfc5322",
    path: maildir.nameOf(inside),
    reason: `the message ${faults.join("; ")}`,
    repair: "no message is ever changed",
  };
}

interface SizedMessage {
  readonly maildir: CheckedMaildir;
  /** The same for all, so that it is read once. */
  readonly sidecar: Sidecar;
  readonly list: UniqueIdList;
  readonly inside: string;
  readonly uniqueName: string;
}

function* sizeFindings(message: SizedMessage, sizes: Sizes): Generator<Finding> {
  const { maildir, list: { table }, inside, uniqueName } = message;
  const row = table.findText(uniqueName);
  if (row < 0 || table.isRemoved(row)) return;
  const reason = disagreement(sizes, table.storedOf(row), table.exactOf(row));
  if (reason === undefined) return;
  yield {
    severity: "warning",
    kind: "size-in-list",
    path: maildir.nameOf(inside),
    reason,
    repair: {
      what: `write down that it has ${sizes.storedOctets} octets`,
      run: () => mendSizes(message),
    },
  };
}

function disagreement(
  { storedOctets, exactOctets }: Sizes,
  storedInList: number,
  exactInList: number | undefined,
): string | undefined {
  if (storedInList !== storedOctets) {
    return `the unique-id list says ${storedInList} octets, and it has ${storedOctets}: ` +
      "clients are told a size that is wrong";
  }
  if (exactOctets === undefined || exactInList === undefined) return undefined;
  if (exactInList === exactOctets) return undefined;
  return `the unique-id list says ${exactInList} octets as sent, and it has ${exactOctets}`;
}

/** Has the list say the sizes that the message has now. */
async function mendSizes({ maildir, sidecar, inside, uniqueName }: SizedMessage): Promise<boolean> {
  const outcome = await readMessage(maildir, inside);
  if (outcome === "gone") return false;
  if (typeof outcome === "string") throw new StorageFailure("SYS/TEMP", outcome);
  const { storedOctets, exactOctets } = outcome.sizes;
  let isMended = false;
  await underLock(sidecar, async () => {
    for (let tries = 0; tries < TRIES; tries++) {
      await sidecar.refreshFromFile();
      const { table } = sidecar.list;
      const row = table.findText(uniqueName);
      if (row < 0 || table.isRemoved(row)) return;
      table.setStored(row, storedOctets);
      table.setExact(row, exactOctets);
      const lines = new UniqueIdLines();
      lines.addSizes(table, row);
      if (await sidecar.append([lines.octets], true)) {
        isMended = true;
        return;
      }
    }
    throw new StorageFailure("SYS/TEMP", "others kept writing the unique-id list");
  });
  return isMended;
}
