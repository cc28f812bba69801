/**
 * Which errors which calls are made to fail with: what a full, broken, read-only, forbidden or replaced
 * filesystem says.
 *
 * *Knows* names of system calls. *Does not know* who makes them.
 */

import type { Fault, SeenCall } from "./injector.ts";

const READING = ["EIO", "ESTALE"];
const LOOKING = ["EIO", "ESTALE", "EACCES"];
const WRITING = ["ENOSPC", "EDQUOT", "EIO", "ESTALE", "EROFS"];
const NAMING = ["ENOSPC", "EDQUOT", "EIO", "ESTALE", "EROFS", "EACCES"];

/** By the beginning of the call's name; what is not here is left alone. */
const ERRORS: readonly (readonly [names: RegExp, errors: readonly string[]])[] = [
  [/^(?:open|openat)$/, NAMING],
  [/^(?:rename|link|unlink|mkdir)/, NAMING],
  [/^(?:f?truncate|chown|fchown|fchownat|lchown)/, NAMING],
  [/^(?:write|pwrite)/, WRITING],
  [/^(?:fsync|fdatasync)$/, ["EIO", "ENOSPC", "EDQUOT", "ESTALE"]],
  [/^close$/, ["EIO", "EDQUOT"]],
  [/^(?:read|pread|getdents)/, READING],
  [/^(?:stat|lstat|newfstatat|statx|access)/, LOOKING],
  [/^fstat$/, READING],
  // Asking at once, which says that it cannot tell.
  [/^(?:openat2)$/, LOOKING],
];

/** Calls that the runtimes themselves make to nothing but files of mailboxes. */
const OF_MAILBOXES_ONLY = /^(?:openat|rename|link|unlink|mkdir|fsync|fdatasync|chown|fchown)/;

/** Folders of a mailbox: closing one writes nothing, so that no system says that it failed. */
const FOLDERS = new Set(["", "/new", "/cur", "/tmp"]);

/** What a file is called that has another name each time. */
const NEW_NAME = /\.[0-9a-f]{16}$/;

/** All faults that an operation can meet which was seen to make these calls; paths are the mailbox's. */
export function faultsOf(calls: readonly SeenCall[]): Fault[] {
  const kinds = new Map<string, { name: string; path: string | undefined; count: number }>();
  for (const { name, path } of calls) {
    const isNew = NEW_NAME.test(path);
    if (isNew && !OF_MAILBOXES_ONLY.test(name)) continue;
    if (name === "close" && FOLDERS.has(path)) continue;
    const key = `${name} ${isNew ? "" : path}`;
    const kind = kinds.get(key) ?? { name, path: isNew ? undefined : path, count: 0 };
    kind.count++;
    kinds.set(key, kind);
  }
  return [...kinds.values()].flatMap(({ name, path, count }) => {
    const nths = [...Array.from({ length: count }, (_, index) => index + 1), "all" as const];
    return errorsOf(name).flatMap((error) => nths.map((nth) => ({ name, path, error, nth })));
  });
}

function errorsOf(name: string): readonly string[] {
  return ERRORS.find(([names]) => names.test(name))?.[1] ?? [];
}

/**
 * So many of the faults, evenly spread, or all: each call to each file is among them as long as there are no
 * fewer than those, with other errors in each run.
 */
export function someOf(faults: readonly Fault[], most: number, chance: () => number): Fault[] {
  const byCall = new Map<string, Fault[]>();
  for (const fault of faults) {
    const key = `${fault.name} ${fault.path}`;
    byCall.set(key, [...byCall.get(key) ?? [], fault]);
  }
  const chosen: Fault[] = [];
  while (chosen.length < most && byCall.size > 0) {
    for (const [key, left] of byCall) {
      if (chosen.length >= most) break;
      chosen.push(...left.splice(Math.floor(chance() * left.length), 1));
      if (left.length === 0) byCall.delete(key);
    }
  }
  return chosen;
}
