/**
 * The filesystems that mailboxes are on, each with a gate for the calls that wait for it and a thread that
 * lists its large folders: one that hangs keeps nobody on another one waiting.
 *
 * *Knows* mounts. *Does not know* mailboxes.
 */

import { type MountTable, mountTable } from "../platform/mount_table.ts";
import { DiskGate, ThreadShares } from "./disk_gate.ts";
import { ListingThread } from "./listing_thread.ts";

/** One filesystem. */
export class FileSystem {
  readonly gate: DiskGate;
  /** Started when it is first needed. */
  readonly listingThread = new ListingThread();

  /** @param name what the log calls it. */
  constructor(name: string, shares: ThreadShares) {
    this.gate = new DiskGate(name, shares);
  }
}

/** Stands for the device where the system does not tell of mounts. */
const ANY_DEVICE = -1;

export class FileSystems {
  readonly #mounts: MountTable;
  readonly #shares: ThreadShares;
  readonly #byDevice = new Map<number, FileSystem>();
  #cleanedAt = 0;

  constructor(mounts: MountTable = mountTable, shares = new ThreadShares()) {
    this.#mounts = mounts;
    this.#shares = shares;
  }

  /** Another number whenever what was said of a path may not hold any more. */
  get generation(): number {
    return this.#mounts.generation;
  }

  /**
   * The filesystem of a path, links on the way apart.
   *
   * @param device of what was looked at there, where it is known: it is right about links too.
   */
  of(path: string, device?: number): FileSystem {
    this.#forgetUnmounted();
    const seen = device === undefined ? undefined : this.#mounts.mountOfDevice(device);
    const mount = seen ?? this.#mounts.mountOf(path);
    const key = mount?.device ?? ANY_DEVICE;
    let found = this.#byDevice.get(key);
    if (found === undefined) {
      const name = mount === undefined ? "all mail" : `${mount.path} (${mount.kind})`;
      found = new FileSystem(name, this.#shares);
      this.#byDevice.set(key, found);
    }
    return found;
  }

  /** What still waits for one that is gone keeps its threads, and is in nobody's way. */
  #forgetUnmounted(): void {
    const { generation } = this;
    if (generation === this.#cleanedAt) return;
    this.#cleanedAt = generation;
    for (const device of this.#byDevice.keys()) {
      const isThere = device === ANY_DEVICE || this.#mounts.mountOfDevice(device) !== undefined;
      if (!isThere) this.#byDevice.delete(device);
    }
  }
}

/** Those of this process. */
export const fileSystems = new FileSystems();
