/**
 * What a process that does not run as root has of root's all the same: an id to go back to, or capabilities.
 * Whoever got such a process to run code of his would be root, or as good as.
 *
 * *Knows*: what the kernel says of this process's threads. *Does not know*: who may have what.
 */

import process from "node:process";
import { LOW_PORTS, rightsOfThreads, type ThreadRights } from "./thread_rights.ts";

export interface PartOfRoot {
  /** Each as a clause, such as "its real user id is 0". That it may listen on any port is none. */
  readonly rights: readonly string[];
  /** Whether it may what root's group may. */
  readonly isInRootsGroup: boolean;
}

/** Where the system does not tell, by the real user id alone. */
export function partOfRoot(): PartOfRoot {
  let threads: ThreadRights[];
  try {
    threads = rightsOfThreads();
  } catch {
    const isRoots = process.getuid?.() === 0;
    return { rights: isRoots ? ["its real user id is 0"] : [], isInRootsGroup: false };
  }
  return {
    rights: [...new Set(threads.flatMap(rightsIn))],
    isInRootsGroup: threads.some(({ groupIds, groups }) => [...groupIds, ...groups].includes(0)),
  };
}

const IDS = ["real", "effective", "saved", "filesystem"];

function rightsIn({ userIds, usableCapabilities }: ThreadRights): string[] {
  const rights = userIds.flatMap((id, at) => id === 0 ? [`its ${IDS[at]} user id is 0`] : []);
  const more = usableCapabilities & ~LOW_PORTS;
  if (more === 0n) return rights;
  const shown = more.toString(16).padStart(16, "0");
  return [...rights, `it has the capabilities ${shown}, which capsh --decode names`];
}
