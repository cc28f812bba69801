/**
 * What /proc says about a server and about the machine: processor time, memory, and how busy others are.
 *
 * A server is the tree below the processes that its script started. *Does not know* servers or loads.
 */

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Linux counts processor time for programs in hundredths of a second on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // the process has ended meanwhile
  }
}

function childrenOf(pid: number): number[] {
  let threads: string[] = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    readOrNothing(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number)
  );
}

function treeOf(roots: readonly number[]): number[] {
  const tree: number[] = [];
  const left = [...roots];
  for (let pid; (pid = left.pop()) !== undefined;) {
    tree.push(pid);
    left.push(...childrenOf(pid));
  }
  return tree;
}

/** Processor time of the tree, seconds, with that of its dead whom a parent has awaited. */
export function processorSeconds(roots: readonly number[]): number {
  let ticks = 0;
  for (const pid of treeOf(roots)) {
    // The name, in parentheses, may hold blanks. Behind it: utime, stime, cutime, cstime from the 12th on.
    const fields = readOrNothing(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Memory of a tree of processes. */
export interface TreeMemory {
  /** Each process's share of the pages that it maps (PSS), KiB. */
  readonly pssKib: number;
  /**
   * The part of it that is no file's, KiB. Pages of executables and libraries are in the system's cache once,
   * whoever maps them, and are dropped when memory is short.
   */
  readonly ownKib: number;
  readonly processes: number;
}

export function memoryOf(roots: readonly number[]): TreeMemory {
  let pssKib = 0;
  let fileKib = 0;
  let processes = 0;
  for (const pid of treeOf(roots)) {
    const text = readOrNothing(`/proc/${pid}/smaps_rollup`);
    const kib = (key: string) => Number(new RegExp(`^${key}: +([0-9]+) kB`, "m").exec(text)?.[1]);
    if (Number.isNaN(kib("Pss"))) continue;
    pssKib += kib("Pss");
    fileKib += kib("Pss_File");
    processes++;
  }
  return { pssKib, ownKib: pssKib - fileKib, processes };
}

/** Memory in use on the whole machine, KiB, caches of files left out: kernel memory of sockets shows here. */
export function machineMemoryKib(): number {
  const text = readFileSync("/proc/meminfo", "latin1");
  const kib = (key: string) =>
    Number(new RegExp(`^${key}: +([0-9]+) kB`, "m").exec(text)?.[1] ?? 0);
  return kib("MemTotal") - kib("MemFree") - kib("Buffers") - kib("Cached") - kib("SReclaimable");
}

/** Processor time of the whole machine so far, in the order of proc_stat(5), ticks. */
function machineTicks(): number[] {
  return readFileSync("/proc/stat", "latin1").split("\n", 1)[0]!.split(/ +/).slice(1).map(Number);
}

function machineProcessorSeconds(): number {
  const [user, nice, system, , , irq, softirq] = machineTicks();
  return (user! + nice! + system! + irq! + softirq!) / TICKS_PER_SECOND;
}

/** Processor time, seconds, that a virtual machine wanted and its host gave to others. */
export function stolenSeconds(): number {
  const [, , , , , , , stolen = 0] = machineTicks();
  return stolen / TICKS_PER_SECOND;
}

/** How long is looked whether others are busy; at hundredths of a second, long enough to tell. */
const LOOK_MS = 500;

/** Waits, 8 s at most, until others use under a tenth of a core; resolves with what they use, in cores. */
export async function calm(): Promise<number> {
  let used = 0;
  for (let tries = 0; tries < 16; tries++) {
    const before = machineProcessorSeconds();
    await sleep(LOOK_MS);
    used = (machineProcessorSeconds() - before) * 1000 / LOOK_MS;
    if (used < 0.1) break;
  }
  return Math.round(used * 100) / 100;
}
