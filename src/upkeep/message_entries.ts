/**
 * What lies in new/ and cur/: which of it is a message that can be served, and what is not.
 *
 * Both folders are listed, and each file is looked at once. Of a file that is listed under two names, as one that is
 * renamed meanwhile may be, nothing is said unless both are there at one time.
 *
 * *Knows* names and kinds. *Does not know* what is in messages, or the unique-id list.
 */

import { Buffer, isUtf8 } from "node:buffer";
import type { Dirent, Stats } from "node:fs";
import { isMissing, pathIn } from "../maildir/disk.ts";
import { sizeHints, uniqueNameOf } from "../maildir/file_name.ts";
import { MessageTable } from "../maildir/message_table.ts";
import { staged } from "../maildir/name_blocks.ts";
import type { CheckedMaildir } from "./checked_maildir.ts";
import type { Finding } from "./finding.ts";
import type { Parts } from "./maildir_parts.ts";
import { type FilePlace, moveAside, rename } from "./move_message.ts";
import { rightsFindings } from "./rights.ts";

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** The messages of a Maildir, by their unique names: what is served of them. */
export interface FoundMessages {
  readonly table: MessageTable;
}

/**
 * Tells what is wrong of all but messages' content; returns the messages.
 *
 * @param onFile is told each file before it is looked at, and how many there are in its folder.
 */
export async function* checkEntries(
  maildir: CheckedMaildir,
  { folders, owner }: Parts,
  onFile: (files: number) => void,
): AsyncGenerator<Finding, FoundMessages> {
  const table = new MessageTable();
  const twins: { readonly one: FilePlace; readonly other: FilePlace }[] = [];
  for (const inside of ["new", "cur"] as const) {
    if (!folders.includes(inside)) continue;
    const entries = await maildir.disk.entries(`${maildir.path}/${inside}`);
    for (const entry of entries) {
      onFile(entries.length);
      const { name } = entry;
      const odd = oddName(maildir, inside, name);
      if (odd !== undefined) yield odd;
      if (name.startsWith(".") || name.startsWith(":")) continue;
      const found = await lookAt(maildir, inside, entry);
      if (found === undefined) continue;
      if (!found.isFile()) {
        yield noFile(maildir, inside, name, found);
        continue;
      }
      yield* rightsFindings({ maildir, owner, place: { inside, name }, found });
      yield* hintFindings(maildir, { inside, name }, found.size);
      staged.putText(uniqueNameOf(name));
      const row = table.find();
      if (row < 0) place(table, table.add(), { inside, name }, found.size);
      else {
        const other = placeOf(table, row);
        const here: FilePlace = { inside, name };
        // The server takes the one in cur/, and of several there any.
        if (inside === "cur" && other.inside === "new") {
          place(table, row, here, found.size);
          twins.push({ one: other, other: here });
        } else twins.push({ one: here, other });
      }
    }
  }
  for (const { one, other } of twins) yield* twinFindings(maildir, one, other);
  return { table };
}

function place(table: MessageTable, row: number, { inside, name }: FilePlace, octets: number) {
  table.setPlace(row, inside === "new" ? "new" : "cur", name.slice(uniqueNameOf(name).length));
  table.setStored(row, octets);
}

function placeOf(table: MessageTable, row: number): FilePlace {
  return { inside: table.folderOf(row) ?? "cur", name: table.fileNameOf(row) };
}

async function lookAt(
  { disk, path }: CheckedMaildir,
  inside: string,
  { name }: Dirent,
): Promise<Stats | undefined> {
  try {
    return await disk.lstat(pathIn(`${path}/${inside}`, name));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function oddName(maildir: CheckedMaildir, inside: string, name: string): Finding | undefined {
  const about = (severity: Finding["severity"], reason: string, why: string): Finding => ({
    severity,
    kind: "odd-name",
    path: maildir.nameOf(`${inside}/${name}`),
    reason,
    repair: why,
  });
  const identity =
    "a message is known by its name, and another would have clients download it again";
  if (name.startsWith(".")) {
    return about(
      "note",
      "its name begins with a dot: no reader takes it for a message",
      "nor does repair",
    );
  }
  if (name.startsWith(":")) {
    return about(
      "warning",
      "its name has nothing before its flags: it is served to nobody",
      "it may be no message",
    );
  }
  if (CONTROL.test(name)) {
    return about(
      "warning",
      "its name has control characters in it, over which other programs may stumble",
      identity,
    );
  }
  if (!isUtf8(Buffer.from(name, "latin1"))) {
    return about("note", "its name is no UTF-8, over which other programs may stumble", identity);
  }
  return undefined;
}

function noFile(
  maildir: CheckedMaildir,
  inside: string,
  name: string,
  found: Stats,
): Finding {
  const isLink = found.isSymbolicLink();
  return {
    severity: "warning",
    kind: isLink ? "link" : "not-a-file",
    path: maildir.nameOf(`${inside}/${name}`),
    reason: isLink
      ? "it is a link, and so served to nobody"
      : found.isDirectory()
      ? "it is a folder, and what is in it is served to nobody"
      : "it is no file, and so served to nobody",
    repair: "whoever made it knows what it is for",
  };
}

function* hintFindings(
  maildir: CheckedMaildir,
  { inside, name }: FilePlace,
  octets: number,
): Generator<Finding> {
  const { storedOctets } = sizeHints(uniqueNameOf(name));
  if (storedOctets === undefined || storedOctets === octets) return;
  yield {
    severity: "warning",
    kind: "size-in-name",
    path: maildir.nameOf(`${inside}/${name}`),
    reason:
      `its name says ${storedOctets} octets (,S=), and it has ${octets}; quotas go by the name`,
    repair: "the name is what clients' unique-ids hang on; popkeep serves the size that is right",
  };
}

async function* twinFindings(
  maildir: CheckedMaildir,
  one: FilePlace,
  other: FilePlace,
): AsyncGenerator<Finding> {
  const facts = await bothAtOnce(maildir, one, other);
  if (facts === undefined) return;
  const path = maildir.nameOf(`${one.inside}/${one.name}`);
  const otherPath = `${other.inside}/${other.name}`;
  if (facts.one.ino === facts.other.ino) {
    yield {
      severity: "warning",
      kind: "name-twice",
      path,
      reason: `it is the same file as ${otherPath}`,
      repair: {
        what: `move this second name of it to ${maildir.nameOf("tmp")}/`,
        run: () => moveAside(maildir, one, other),
      },
    };
    return;
  }
  yield {
    severity: "error",
    kind: "name-twice",
    path,
    reason: `${otherPath} has the same unique name, and one of both is served to nobody`,
    repair: {
      what: "give it a name of its own, so that both are served",
      run: () => rename(maildir, one, other),
    },
  };
}

/** What both are, if they were there at one time. */
async function bothAtOnce(
  { disk, path }: CheckedMaildir,
  one: FilePlace,
  other: FilePlace,
): Promise<{ readonly one: Stats; readonly other: Stats } | undefined> {
  const look = ({ inside, name }: FilePlace) => disk.lstat(pathIn(`${path}/${inside}`, name));
  try {
    const first = await look(one);
    const second = await look(other);
    await look(one);
    return first.isFile() && second.isFile() ? { one: first, other: second } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
