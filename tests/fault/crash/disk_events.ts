/**
 * What popkeep did to a mailbox on the disk, and what it told its clients, in one order.
 *
 * *Knows* system calls. *Does not know* what a mailbox holds.
 */

import { Buffer } from "node:buffer";
import { nameOfDescriptor, octetsOf, type TracedCall } from "./traced_calls.ts";

/** The calls that `strace -e trace=` has to be asked for; those with `?` not every machine has. */
export const CALLS = [
  ...["openat", "?open", "write", "pwrite64", "writev", "pwritev", "sendto", "sendmsg"],
  ...["ftruncate", "?truncate", "fsync", "fdatasync", "?rename", "?renameat", "renameat2"],
  ...["?link", "linkat", "?unlink", "unlinkat", "?mkdir", "mkdirat"],
].join(",");

/**
 * - "sync": what was done to the file or folder before `began` is on the disk.
 * - "said": octets that went to a client, or to standard output.
 */
export type DiskEvent =
  & {
    /** Place in the trace from which on it may have had its effect. */
    readonly began: number;
    /** Place in the trace where it had it. */
    readonly ended: number;
  }
  & (
    | { readonly kind: "create" | "mkdir" | "unlink"; readonly path: string }
    | { readonly kind: "write"; readonly path: string; readonly octets: Buffer; at?: number }
    | { readonly kind: "truncate"; readonly path: string; readonly size: number }
    | { readonly kind: "rename" | "link"; readonly from: string; readonly path: string }
    | { readonly kind: "sync"; readonly path: string }
    | { readonly kind: "said"; readonly text: string }
  );

/** Leaves out the two places, which come from the call. */
type Bare<T> = T extends unknown ? Omit<T, "began" | "ended"> : never;

/** The events in and below `folder`, and all that was said. What is said counts from its beginning. */
export function diskEvents(calls: readonly TracedCall[], folder: string): DiskEvent[] {
  const events: DiskEvent[] = [];
  const isIn = (path: string) => `${path}/`.startsWith(`${folder}/`);
  for (const call of calls) {
    if (/^-1 /.test(call.result)) continue;
    const event = eventOf(call, isIn);
    if (event === undefined || (event.kind !== "said" && !isIn(event.path))) continue;
    const { began } = call;
    const ended = event.kind === "said" ? began : call.ended;
    events.push({ ...event, began, ended } as DiskEvent);
  }
  return events.sort((a, b) => a.ended - b.ended);
}

function eventOf(call: TracedCall, isIn: (path: string) => boolean): Bare<DiskEvent> | undefined {
  const [first = "", second = "", third = "", fourth = ""] = call.arguments;
  const descriptor = nameOfDescriptor(first) ?? "";
  switch (call.name) {
    case "openat":
      return opened(pathAt(first, second), third);
    case "open":
      return opened(pathIn(first), second);
    case "write":
    case "pwrite64":
    case "sendto":
    case "writev":
    case "pwritev":
    case "sendmsg": {
      // By TCP to clients, by a pipe to whoever started the program.
      const isSaid = /^(?:TCP|pipe)/.test(descriptor);
      if (!isSaid && !isIn(descriptor)) return undefined;
      const octets = writtenBy(call);
      if (isSaid) return { kind: "said", text: octets.toString("latin1") };
      const at = call.name.startsWith("pwrite") ? { at: Number(fourth) } : {};
      return { kind: "write", path: descriptor, octets, ...at };
    }
    case "ftruncate":
      return { kind: "truncate", path: descriptor, size: Number(second) };
    case "truncate":
      return { kind: "truncate", path: pathIn(first), size: Number(second) };
    case "fsync":
    case "fdatasync":
      return { kind: "sync", path: descriptor };
    case "rename":
    case "link":
      return { kind: call.name, from: pathIn(first), path: pathIn(second) };
    case "renameat":
    case "renameat2":
    case "linkat": {
      const kind = call.name === "linkat" ? "link" : "rename";
      return { kind, from: pathAt(first, second), path: pathAt(third, fourth) };
    }
    case "unlink":
    case "mkdir":
      return { kind: call.name, path: pathIn(first) };
    case "unlinkat":
      return { kind: "unlink", path: pathAt(first, second) };
    case "mkdirat":
      return { kind: "mkdir", path: pathAt(first, second) };
    default:
      return undefined;
  }
}

/** popkeep makes files only where there is none, so that who opened one so has made it. */
function opened(path: string, flags: string): Bare<DiskEvent> | undefined {
  if (/\bO_TRUNC\b/.test(flags)) return { kind: "truncate", path, size: 0 };
  const isMade = /\bO_CREAT\b/.test(flags) && /\bO_EXCL\b/.test(flags);
  return isMade ? { kind: "create", path } : undefined;
}

/** The octets that the call wrote, in one piece or several. */
function writtenBy({ name, arguments: [, ...rest], result }: TracedCall): Buffer {
  const pieces = /v$|msg$/.test(name)
    ? [...rest.join(",").matchAll(/iov_base=("(?:[^"\\]|\\.)*")/g)].map(([, piece]) => piece!)
    : [rest[0] ?? ""];
  return Buffer.concat(pieces.map(octetsOf)).subarray(0, Number.parseInt(result, 10));
}

function pathIn(printed: string): string {
  return octetsOf(printed).toString("latin1");
}

function pathAt(folder: string, printed: string): string {
  const path = pathIn(printed);
  return path.startsWith("/") ? path : `${nameOfDescriptor(folder)}/${path}`;
}
