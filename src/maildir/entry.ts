/** One message of a mailbox's table, as sessions hold it: made when it is asked for, and not kept. */

import type { FolderName, MessageTable } from "./message_table.ts";

export class Entry {
  readonly table: MessageTable;
  readonly row: number;

  constructor(table: MessageTable, row: number) {
    this.table = table;
    this.row = row;
  }

  get id(): number {
    return this.table.idOf(this.row);
  }

  /** A unique-id of another server that clients know it by. */
  get carried(): string | undefined {
    return this.table.carriedOf(this.row);
  }

  get uniqueName(): string {
    return this.table.uniqueNameOf(this.row);
  }

  /** Where its file was when last seen; undefined when it was not in the last listing. */
  get folder(): FolderName | undefined {
    return this.table.folderOf(this.row);
  }

  get fileName(): string {
    return this.table.fileNameOf(this.row);
  }

  /** Octets of its file. */
  get storedOctets(): number {
    return this.table.storedOf(this.row);
  }

  /** Octets as sent, before byte-stuffing; undefined until counted. */
  get exactOctets(): number | undefined {
    return this.table.exactOf(this.row);
  }

  setExactOctets(octets: number): void {
    this.table.setExact(this.row, octets);
  }

  /** Says that its file is in cur/ now, under a name that begins with the unique name. */
  setInCur(fileName: string): void {
    this.table.setPlace(this.row, "cur", fileName.slice(this.uniqueName.length));
  }

  /** Says that popkeep removed its file. */
  setRemoved(): void {
    this.table.setRemoved(this.row);
    this.table.setNowhere(this.row);
  }
}
