/**
 * What each thread of this process may do, as the kernel has it: on Linux users, groups and capabilities
 * are a thread's own, and a process has given something up only when every thread has.
 *
 * *Knows*: /proc/self/task, proc_pid_status(5). *Does not know*: what a thread ought to be allowed.
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

export interface ThreadRights {
  readonly isMain: boolean;
  /** Real, effective, saved, and that of the filesystem; likewise the groups. */
  readonly userIds: readonly number[];
  readonly groupIds: readonly number[];
  /** Further groups. */
  readonly groups: readonly number[];
  /** All that it has in any set but the bounding one, which gives nothing: a bit a capability. */
  readonly capabilities: bigint;
  /** Those of them that it can use, or take up, itself. */
  readonly usableCapabilities: bigint;
  /** Whether starting a program could give it more (PR_SET_NO_NEW_PRIVS is not set). */
  readonly canGain: boolean;
}

/** CAP_NET_BIND_SERVICE (linux/capability.h): to listen on ports below 1024. */
export const LOW_PORTS = 1n << 10n;

/** @throws {Error} If /proc is not mounted. */
export function rightsOfThreads(): ThreadRights[] {
  const folder = "/proc/self/task";
  return readdirSync(folder).flatMap((thread) => {
    let status;
    try {
      status = readFileSync(`${folder}/${thread}/status`, "latin1");
    } catch (error) {
      const { code } = error as { code?: unknown };
      // It has ended meanwhile.
      if (code === "ENOENT" || code === "ESRCH") return [];
      throw error;
    }
    return [rightsIn(status, Number(thread) === process.pid)];
  });
}

function rightsIn(status: string, isMain: boolean): ThreadRights {
  const usable = ["CapPrm", "CapEff", "CapAmb"].map((set) => BigInt(`0x${value(status, set)}`))
    .reduce((all, set) => all | set);
  return {
    isMain,
    userIds: numbers(status, "Uid"),
    groupIds: numbers(status, "Gid"),
    groups: numbers(status, "Groups"),
    capabilities: usable | BigInt(`0x${value(status, "CapInh")}`),
    usableCapabilities: usable,
    canGain: value(status, "NoNewPrivs") !== "1",
  };
}

function numbers(status: string, key: string): number[] {
  return value(status, key).split(/\s+/).filter((word) => word !== "").map(Number);
}

function value(status: string, key: string): string {
  const found = new RegExp(`^${key}:[ \\t]*(.*)$`, "m").exec(status)?.[1];
  if (found === undefined) throw new Error(`The system does not tell ${key} of a thread`);
  return found.trim();
}
