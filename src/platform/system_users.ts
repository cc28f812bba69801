/**
 * Users and groups of this system, wherever it has them from (files, LDAP, sssd): getpwnam(3), getgrnam(3).
 *
 * Blocks as long as the system takes, and what it says lies in memory that the next question overwrites:
 * for the start of a program, before there are threads that ask too.
 *
 * *Knows*: the C library. *Does not know*: what a user is looked for for.
 */

import { Buffer } from "node:buffer";
import { openLibrary, readMemory, readText } from "./foreign_functions.ts";

export interface SystemUser {
  /** Undefined for a number that the system has no name for. */
  readonly name: string | undefined;
  readonly userId: number;
  /** Undefined where there is no name. */
  readonly groupId: number | undefined;
}

/** `struct passwd` and `struct group` of 64-bit Linux: what is read of them, and where it is. */
const PASSWD = { octets: 24, name: 0, userId: 16, groupId: 20 } as const;
const GROUP = { octets: 24, groupId: 16 } as const;

/** (uid_t) -1 is nobody's: system calls take it for "as it is". */
const MOST = 0xffff_fffe;

/** The user of a name or number; undefined if there is none. */
export function findSystemUser(nameOrNumber: string): SystemUser | undefined {
  const byName = userAt(library().getpwnam(text(nameOrNumber)));
  const userId = numberOf(nameOrNumber);
  if (byName !== undefined || userId === undefined) return byName;
  return userAt(library().getpwuid(userId)) ?? { name: undefined, userId, groupId: undefined };
}

/** The number of the group of a name or number; undefined if there is none. */
export function findSystemGroup(nameOrNumber: string): number | undefined {
  const address = library().getgrnam(text(nameOrNumber));
  if (address === 0n) return numberOf(nameOrNumber);
  return fields(address, GROUP.octets).getUint32(GROUP.groupId, true);
}

function userAt(address: bigint): SystemUser | undefined {
  if (address === 0n) return undefined;
  const entry = fields(address, PASSWD.octets);
  return {
    name: readText(entry.getBigUint64(PASSWD.name, true)),
    userId: entry.getUint32(PASSWD.userId, true),
    groupId: entry.getUint32(PASSWD.groupId, true),
  };
}

function numberOf(word: string): number | undefined {
  const number = /^[0-9]{1,10}$/.test(word) ? Number(word) : Infinity;
  return number <= MOST ? number : undefined;
}

function fields(address: bigint, octets: number): DataView {
  return new DataView(readMemory(address, octets).buffer);
}

function text(word: string): Buffer {
  return Buffer.from(`${word}\0`);
}

let opened: ReturnType<typeof openFunctions> | undefined;

function library() {
  return opened ??= openFunctions();
}

function openFunctions() {
  return openLibrary(["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"], {
    getpwnam: { takes: ["buffer"], gives: "pointer" },
    getpwuid: { takes: ["u32"], gives: "pointer" },
    getgrnam: { takes: ["buffer"], gives: "pointer" },
  }).functions;
}
