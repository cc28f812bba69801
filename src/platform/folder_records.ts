/**
 * A folder read as the system hands it out: records of getdents64(2), without an object or a string a name.
 *
 * Reading a folder may have to wait for a disk, and there is no asking whether it would: only for threads
 * that nobody else depends on.
 *
 * *Knows*: system calls. *Does not know*: what the names are of.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { endianness } from "node:os";
import process from "node:process";
import { openLibrary } from "./foreign_functions.ts";

/** Whether this may work at all here; the library is not asked yet. */
export const mayHaveFolderRecords = process.platform === "linux" && endianness() === "LE";

/** struct linux_dirent64, getdents64(2): where its fields stand; the name ends with a NUL. */
export const RECORD = { length: 16, kind: 18, name: 19 } as const;

/** `d_type` of a plain file. Filesystems that do not say what something is give 0. */
export const PLAIN_FILE = 8;

const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK | O_CLOEXEC;

/** An open folder. Its owner closes it. */
export interface FolderRecords {
  /** Fills `target` with whole records; returns how many octets, 0 at the end, undefined if it fails. */
  read(target: Uint8Array): number | undefined;
  close(): void;
}

export type OpenFolder = (path: string) => FolderRecords | undefined;

/** What opens folders; undefined where the system has no such functions. */
export function folderRecordsOpener(): OpenFolder | undefined {
  if (!mayHaveFolderRecords) return undefined;
  try {
    const { functions } = openLibrary(["libc.so.6"], {
      openat: { takes: ["i32", "buffer", "i32"], gives: "i32" },
      // ssize_t: what it can be here goes into its lower half.
      getdents64: { takes: ["i32", "buffer", "size"], gives: "i32" },
      close: { takes: ["i32"], gives: "i32" },
    });
    return (path) => {
      if (path.includes("\0")) return undefined;
      const fd = functions.openat(AT_FDCWD, Buffer.from(`${path}\0`, "utf8"), FLAGS);
      if (fd < 0) return undefined;
      return {
        read(target) {
          const octets = functions.getdents64(fd, target, target.length);
          return octets < 0 ? undefined : octets;
        },
        close: () => void functions.close(fd),
      };
    };
  } catch {
    return undefined;
  }
}
