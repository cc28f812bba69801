/**
 * What a crash may leave on the disk: the state before each step, and after a power cut each of many
 * subsets of what was not synced by then.
 *
 * What is assumed of a filesystem, and no more:
 * - what was done to a file's octets before an fsync or fdatasync of it began is there afterwards;
 * - a change of names is there after an fsync of a folder that it concerns;
 * - a rename is there whole or not at all;
 * - of the rest anything may be there or not, in any order; octets may also be torn, or zeros.
 *
 * Filesystems with one journal (ext4, XFS) promise more: names change in order, and any fsync keeps all
 * changes before it. States that they can leave are told apart, since one promise hangs on that.
 *
 * *Knows* steps. *Does not know* mailboxes.
 */

import { Buffer } from "node:buffer";
import type { DiskEvent } from "./disk_events.ts";
import { digestOf, type DiskImage, zeros } from "./disk_image.ts";
import { LiveDisk, type Step } from "./live_disk.ts";

export interface CrashState {
  readonly image: DiskImage;
  /** So many of the steps came before the crash. */
  readonly steps: number;
  /** Whether only the process ended, so that nothing that it did is lost. */
  readonly isKill: boolean;
  /** Whether a filesystem that keeps the order of names' changes can leave this. */
  readonly isOrdered: boolean;
  /** How it came about, for who reads of a failure. */
  readonly how: string;
}

type Fate = "kept" | "lost" | "torn" | "zeros";

/** Subsets that are drawn by chance, at each step. */
const DRAWN = 4;

export interface Recorded {
  readonly base: DiskImage;
  /** What paths of events begin with, and those of the image do not. */
  readonly folder: string;
  readonly events: readonly DiskEvent[];
}

export function stepsOf({ base, folder, events }: Recorded): Step[] {
  const live = new LiveDisk(base, folder);
  return events.map((event) => live.take(event));
}

/** All states that differ, from before the first step on; `from` leaves out crashes before a step. */
export function crashStates(
  base: DiskImage,
  steps: readonly Step[],
  { random, from = 0 }: { readonly random: () => number; readonly from?: number },
): CrashState[] {
  const states: CrashState[] = [];
  for (let end = from; end <= steps.length; end++) {
    // What is said next asks for more of the same states, and a sync has only made them fewer.
    if (steps[end]?.kind === "said" || steps[end - 1]?.kind === "sync") continue;
    const before = steps.slice(0, end);
    const seen = new Set<string>();
    for (const [how, fates] of fatesOf(before, random)) {
      const image = imageAfter(base, before, fates);
      const digest = digestOf(image);
      const isOrdered = keepsOrder(before, fates);
      if (seen.has(`${digest} ${isOrdered}`)) continue;
      seen.add(`${digest} ${isOrdered}`);
      const isKill = how === "killed";
      const last = before.at(-1)?.says ?? "nothing";
      states.push({ image, steps: end, isKill, isOrdered, how: `after "${last}": ${how}` });
    }
  }
  return states;
}

/** Which fates to try, named; each has one for every step. */
function* fatesOf(
  steps: readonly Step[],
  random: () => number,
): Generator<[how: string, fates: Fate[]]> {
  const soft = steps.flatMap((step, at) => isChange(step) && !isHard(steps, at) ? [at] : []);
  const all = (fate: (at: number, step: Step) => Fate): Fate[] =>
    steps.map((step, at) => soft.includes(at) ? fate(at, step) : "kept");
  const octets = (fate: Fate) => all((_, { kind }) => kind === "octets" ? fate : "kept");
  yield ["killed", all(() => "kept")];
  yield ["nothing kept that was not synced", all(() => "lost")];
  yield ["names kept, octets not", octets("lost")];
  yield ["names kept, octets zeros", octets("zeros")];
  yield ["names kept, octets torn", octets("torn")];
  yield ["octets kept, names not", all((_, { kind }) => kind === "octets" ? "kept" : "lost")];
  for (const one of soft) {
    const { says } = steps[one]!;
    yield [`only lost: ${says}`, all((at) => at === one ? "lost" : "kept")];
    yield [`only kept: ${says}`, all((at) => at === one ? "kept" : "lost")];
    yield [`kept up to: ${says}`, all((at) => at <= one ? "kept" : "lost")];
    yield [`torn: ${says}`, all((at) => at === one ? "torn" : "kept")];
  }
  for (let drawn = 0; drawn < DRAWN; drawn++) {
    const drawnFate = () => (["kept", "lost", "torn", "zeros"] as const)[Math.floor(random() * 4)]!;
    yield ["by chance", all(drawnFate)];
  }
}

function isChange({ kind }: Step): boolean {
  return kind === "octets" || kind === "name" || kind === "folder";
}

/** Whether a step's change is on the disk for certain, after all the steps. */
function isHard(steps: readonly Step[], at: number): boolean {
  const step = steps[at]!;
  return steps.some((later) => {
    if (later.kind !== "sync" || later.began < step.ended) return false;
    if (step.kind === "octets") return later.file === step.file;
    return later.folder !== undefined && foldersOf(step).includes(later.folder);
  });
}

function foldersOf(step: Step): string[] {
  const names = step.kind === "name"
    ? [step.puts, step.takes]
    : step.kind === "folder"
    ? [step.puts]
    : [];
  return names.flatMap((name) => name === undefined ? [] : [name.replace(/\/?[^/]*$/, "")]);
}

/**
 * Whether names changed in order up to some step, and no change is lost that came before any fsync. Octets that
 * were written make a file longer here, always, and its length is in the same journal as names are: it cannot be
 * kept where an earlier change of a name is lost.
 */
function keepsOrder(steps: readonly Step[], fates: readonly Fate[]): boolean {
  const lost = steps.findIndex(({ kind }, at) => kind !== "octets" && fates[at] === "lost");
  if (lost < 0) return true;
  const { ended } = steps[lost]!;
  return !steps.some((step, at) => {
    if (step.kind === "sync") return step.began > ended;
    return at > lost && fates[at] !== "lost" && step.kind !== "said";
  });
}

function imageAfter(base: DiskImage, steps: readonly Step[], fates: readonly Fate[]): DiskImage {
  const contents: Buffer[] = [...base.files.values()];
  const names = new Map([...base.files.keys()].map((path, file) => [path, file]));
  const folders = new Set(base.folders);
  for (const [at, step] of steps.entries()) {
    const fate = fates[at]!;
    if (fate === "lost") continue;
    if (step.kind === "octets") {
      contents[step.file] = changed(contents[step.file] ?? Buffer.alloc(0), step, fate);
    } else if (step.kind === "folder") folders.add(step.puts);
    else if (step.kind === "name") {
      const { puts, takes } = step;
      if (takes !== undefined && names.get(takes) === step.file) names.delete(takes);
      if (puts !== undefined) names.set(puts, step.file);
    }
  }
  const files = new Map(
    [...names].map(([path, file]) => [path, contents[file] ?? Buffer.alloc(0)]),
  );
  return { folders, files };
}

function changed(
  before: Buffer,
  { at, octets }: { readonly at: number; octets?: Buffer },
  fate: Fate,
): Buffer {
  if (octets === undefined) return Buffer.from(before.subarray(0, at));
  const put = fate === "zeros"
    ? zeros(octets)
    : fate === "torn"
    ? octets.subarray(0, octets.length >> 1)
    : octets;
  const after = Buffer.alloc(Math.max(before.length, at + put.length));
  before.copy(after);
  put.copy(after, at);
  return after;
}
