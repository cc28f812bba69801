/**
 * An open file whose calls are made by another thread than the one that serves, whatever its filesystem does.
 *
 * Bun makes all of them so. Deno makes some on the thread that asks (open_file_deno.ts).
 *
 * *Knows*: which runtime this is. *Does not know*: what the file is, nor who waits how long.
 */

import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { openFilesUnderDeno } from "./open_file_deno.ts";

/** What is asked of an open file about itself. */
export type FileStats = Pick<
  Stats,
  | "dev"
  | "ino"
  | "mode"
  | "nlink"
  | "uid"
  | "gid"
  | "size"
  | "mtimeMs"
  | "ctimeMs"
  | "birthtimeMs"
  | "isFile"
  | "isDirectory"
>;

/** As `FileHandle`, of which it is a part; errors are those of `node:fs`. */
export interface OpenFile {
  /** The system's number of the file; valid until it is closed. */
  readonly fd: number;
  read(
    target: Uint8Array,
    from: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  /** All of a file that nothing was read from yet. */
  readFile(encoding: "latin1"): Promise<string>;
  /** Writes to where the file stands, or to its end. */
  write(
    octets: Uint8Array,
    from: number,
    length: number,
  ): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<FileStats>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  truncate(octets: number): Promise<void>;
  chown(userId: number, groupId: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  close(): Promise<void>;
}

const openFile: (handle: FileHandle) => OpenFile = "Deno" in globalThis
  ? openFilesUnderDeno()
  : (handle) => handle;

/** Takes over what `node:fs` opened. Where Deno is not allowed --allow-ffi, some of its calls wait here. */
export function openFileOf(handle: FileHandle): OpenFile {
  return openFile(handle);
}
