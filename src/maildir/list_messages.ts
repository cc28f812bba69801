/** Looking into a Maildir without serving it: what `popkeep mailbox` shows. Changes nothing. */

import { type UniqueId } from "../maildrop/unique_id.ts";
import { eachOf, pathIn, storageFailure } from "./disk.ts";
import { compareDelivery, deliverySeconds, flagsOf } from "./file_name.ts";
import { listFolder, type Place, storedOctetsOf } from "./folder.ts";
import { MailboxDisk } from "./mailbox_disk.ts";
import { openMessageFile } from "./message_file.ts";
import { staged } from "./name_blocks.ts";
import type { StoredMessage } from "../maildrop/store.ts";
import { Sidecar } from "./sidecar.ts";

export interface ListedMessage {
  /** Undefined when no session has seen the message yet. */
  readonly uniqueId: UniqueId | undefined;
  readonly storedOctets: number;
  /** Seconds since 1970 that the file name begins with; 0 when it does not. */
  readonly deliveredS: number;
  readonly folder: "new" | "cur";
  /** Octets of the name, a character each. */
  readonly fileName: string;
  readonly flags: string;
  /** Opens the message; undefined when it is gone. The caller closes it. */
  open(): Promise<StoredMessage | undefined>;
}

/**
 * The messages of the Maildir at `path`, in the order a client sees them; those without a unique-id
 * last. Takes no lock and writes nothing. A folder that does not exist has none.
 *
 * @throws {StorageFailure} If it cannot be read.
 */
export async function listMessages(path: string): Promise<ListedMessage[]> {
  try {
    const disk = new MailboxDisk(path);
    const sidecar = new Sidecar(disk);
    await sidecar.refresh();
    const places = new Map<string, Place>();
    for (const folder of ["new", "cur"] as const) {
      await listFolder(disk, folder, (names) => {
        while (names.stageNext()) {
          const uniqueName = staged.text;
          places.set(uniqueName, { folder, fileName: uniqueName + names.info });
        }
      });
    }
    const { list } = sidecar;
    const found: { id: number; uniqueName: string; message: ListedMessage }[] = [];
    await eachOf([...places], 16, async ([uniqueName, place]) => {
      const row = list.findPresent(uniqueName);
      const id = row < 0 ? undefined : list.table.idOf(row);
      const storedOctets = await storedOctetsOf(disk, place);
      if (storedOctets === undefined) return;
      const message: ListedMessage = {
        uniqueId: id === undefined
          ? undefined
          : (list.table.carriedOf(row) ?? String(id)) as UniqueId,
        storedOctets,
        deliveredS: deliverySeconds(uniqueName),
        ...place,
        flags: flagsOf(place.fileName),
        open: () => openMessageFile(disk, pathIn(`${path}/${place.folder}`, place.fileName)),
      };
      found.push({ id: id ?? Infinity, uniqueName, message });
    });
    found.sort((
      a,
      b,
    ) => (a.id === b.id ? compareDelivery(a.uniqueName, b.uniqueName) : a.id - b.id));
    return found.map(({ message }) => message);
  } catch (error) {
    throw storageFailure("list a mailbox", error);
  }
}
