/**
 * Where an old server's unique-ids are read, as the options of `popkeep import-uids` say.
 *
 * *Knows*: options, which reader is for what. *Does not know*: what becomes of the ids.
 */

import { resolve } from "node:path";
import { mailboxPath } from "../maildir/location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { CYRUS_UIDL_FORMATS, type CyrusUidlFormat } from "../moving/cyrus_index.ts";
import { cyrusMaildrop } from "../moving/cyrus_mailbox.ts";
import { DOVECOT_UIDL_FORMAT, parseDovecotUidlFormat } from "../moving/dovecot_uidl_format.ts";
import {
  COURIER_LIST,
  courierIds,
  DOVECOT_LIST,
  dovecotIds,
  qmailIds,
} from "../moving/named_sources.ts";
import type { OldIds } from "../moving/old_ids.ts";
import { pairedIds } from "../moving/pairing.ts";
import type { PresentMessages } from "../moving/present_messages.ts";
import type { Progress } from "../moving/progress.ts";
import { xUidlIds } from "../moving/x_uidl_header.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import type { ImportPlace } from "./import_places.ts";
import { LIVE_OPTIONS, type LiveOptions, liveSource } from "./live_source.ts";
import { printable } from "./printable.ts";

export const SOURCES = ["dovecot", "courier", "cyrus", "qmail", "x-uidl", "live"] as const;

/** What commander hands over. */
export interface SourceOptions extends LiveOptions {
  readonly from: typeof SOURCES[number];
  readonly source?: string;
  readonly uidlFormat?: string;
  readonly uidlDuplicates?: string;
  readonly reuseXuidl?: boolean;
}

export interface OldSource {
  /** The old ids of a mailbox's messages. @throws What the readers of src/moving and src/net throw. */
  readonly idsOf: (
    place: ImportPlace,
    present: PresentMessages,
    progress: Progress,
  ) => Promise<OldIds>;
}

/** Options that say something to some sources only. */
const OPTIONS_OF: Readonly<Record<string, readonly (keyof SourceOptions)[]>> = {
  dovecot: ["source", "uidlFormat", "uidlDuplicates", "reuseXuidl"],
  courier: ["source"],
  cyrus: ["source", "uidlFormat"],
  qmail: [],
  "x-uidl": [],
  live: LIVE_OPTIONS,
};

/** @throws {Failure} If the options do not go together, or a file that they name cannot be read. */
export function openOldSource(options: SourceOptions): OldSource {
  refuseOthersOptions(options);
  switch (options.from) {
    case "dovecot": {
      const format = parseDovecotUidlFormat(options.uidlFormat ?? DOVECOT_UIDL_FORMAT);
      if ("fault" in format) throw new Failure(ExitCode.usage, `--uidl-format: ${format.fault}`);
      const { reuseXuidl = false, uidlDuplicates } = options;
      const how = { format, reuseXuidl, renameDuplicates: uidlDuplicates === "rename" };
      return {
        idsOf: async (place, present, progress) =>
          dovecotIds(present, await listPath(place, options, DOVECOT_LIST), how, progress),
      };
    }
    case "courier":
      return {
        idsOf: async (place, present) =>
          courierIds(present, await listPath(place, options, COURIER_LIST)),
      };
    case "cyrus":
      return cyrusSource(options);
    case "qmail":
      return { idsOf: (_, present) => Promise.resolve(qmailIds(present)) };
    case "x-uidl":
      return { idsOf: (_, present, progress) => xUidlIds(present, progress) };
    case "live":
      return liveSource(options);
  }
}

function refuseOthersOptions(options: SourceOptions): void {
  const own = OPTIONS_OF[options.from] ?? [];
  for (const others of Object.values(OPTIONS_OF)) {
    for (const key of others) {
      if (own.includes(key) || options[key] === undefined) continue;
      const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw new Failure(ExitCode.usage, `--${name} says nothing to --from ${options.from}`);
    }
  }
}

function cyrusSource({ source, uidlFormat = "cyrus" }: SourceOptions): OldSource {
  if (source === undefined) {
    throw new Failure(
      ExitCode.usage,
      "--from cyrus needs --source, the mailbox's folder in Cyrus's spool, as its mbpath tells it",
    );
  }
  if (!Object.hasOwn(CYRUS_UIDL_FORMATS, uidlFormat)) {
    const known = Object.keys(CYRUS_UIDL_FORMATS).join(", ");
    throw new Failure(ExitCode.usage, `--uidl-format of cyrus is one of ${known}`);
  }
  return {
    idsOf: async (place, present, progress) => {
      const folder = sourcePath(place, source);
      const disk = new MailboxDisk(folder);
      const old = await cyrusMaildrop(disk, folder, uidlFormat as CyrusUidlFormat);
      return await pairedIds(present, old, progress);
    },
  };
}

/** Where the list is: in the Maildir, in the folder that is named, or the file that is. */
async function listPath(
  place: ImportPlace,
  { source }: SourceOptions,
  name: string,
): Promise<string> {
  if (source === undefined) return `${place.disk.path}/${name}`;
  const path = sourcePath(place, source);
  const isFolder = await new MailboxDisk(path).stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? `${path}/${name}` : path;
}

/** @throws {Failure} If a part of the user's name that is to stand in it cannot be a folder's name. */
function sourcePath({ account }: ImportPlace, source: string): string {
  // Not by the entry's own place for mail, which is another matter.
  const path = mailboxPath(resolve(source), { ...account, extra: {} });
  if (path !== undefined) return path;
  throw new Failure(
    ExitCode.badData,
    `--source ${printable(source)} gives no path for ${printable(account.user)}`,
  );
}
