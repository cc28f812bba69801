/**
 * Errors of the disk in a running process, by strace: it watches the calls that a process makes to the files
 * of one mailbox, and makes one of them fail.
 *
 * *Knows* strace. *Does not know* what the calls are made for.
 */

import { tracedDuring } from "../../support/system_calls.ts";

/** Octets of a string that strace prints; those of paths are printed whole. */
const STRING_OCTETS = "16";

/** Where what was asked at once is asked again by calls that wait: the warm calls say that they cannot tell. */
export const NOTHING_IS_AT_HAND = "openat2:error=EAGAIN";

/** A call that a process made to a file of the mailbox. */
export interface SeenCall {
  readonly name: string;
  /** Of the file, absolute. */
  readonly path: string;
}

export interface Fault {
  readonly name: string;
  /** Of the file; undefined for a file whose name is new each time: then all the calls of the name count. */
  readonly path: string | undefined;
  readonly error: string;
  /** Which of the thread's calls of that name to that path fails; "all" of them. */
  readonly nth: number | "all";
}

export interface Watching {
  readonly processId: number;
  /** Calls to nothing outside of this folder are of interest. */
  readonly folder: string;
  /** Further injections, as strace takes them. */
  readonly always: readonly string[];
}

/** The calls to files of the folder that were made while `work` ran. */
export async function callsDuring(
  { processId, folder, always }: Watching,
  work: () => Promise<void>,
): Promise<SeenCall[]> {
  const options = ["-y", "-e", "trace=%file,%desc", ...injections(always)];
  const text = await tracedDuring(processId, ["-s", STRING_OCTETS, ...options], work);
  return text.split("\n").flatMap((line) => {
    const name = /^(?:\d+ +)?(\w+)\(/.exec(line)?.[1];
    const path = pathsOf(line).find((path) => path === folder || path.startsWith(`${folder}/`));
    return name === undefined || path === undefined ? [] : [{ name, path }];
  });
}

/** Makes a call fail while `work` runs; returns how many did. */
export async function failuresDuring(
  { processId, always }: Watching,
  { name, path, error, nth }: Fault,
  work: () => Promise<void>,
): Promise<number> {
  const when = nth === "all" ? "1+" : `${nth}`;
  const fault = `${name}:error=${error}:when=${when}`;
  // A later injection of the same call takes the earlier one's place.
  const others = always.filter((injection) => !injection.startsWith(`${name}:`));
  const options = [
    ...(path === undefined ? [] : ["-P", path]),
    ...["-e", `trace=${[name, ...others.map(nameOf)].join(",")}`],
    ...injections([...others, fault]),
  ];
  const text = await tracedDuring(processId, ["-s", STRING_OCTETS, ...options], work);
  return text.split("\n").filter((line) => {
    return line.includes("(INJECTED)") && line.includes(` ${error} `) &&
      new RegExp(`\\b${name}(?:\\(| resumed)`).test(line);
  }).length;
}

function nameOf(injection: string): string {
  return injection.replace(/:.*/, "");
}

function injections(all: readonly string[]): string[] {
  return all.flatMap((injection) => ["-e", `inject=${injection}`]);
}

/** Paths in a line of strace's: in quotes as an argument, or in <> behind a descriptor. */
function pathsOf(line: string): string[] {
  return [...line.matchAll(/"(\/(?:[^"\\]|\\.)*)"|<(\/[^>]*)>/g)].map((found) =>
    found[1] ?? found[2]!
  );
}
