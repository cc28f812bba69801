/**
 * A process that root started becomes another user's, for good.
 *
 * In this order, since each step needs what the next one takes away:
 * 1. `limitPrivileges`: no program that is started from here on gives anybody more rights than he has, and
 *    of root's capabilities only those are left that the steps below need. Both are a thread's own and
 *    handed down to threads and programs that it starts; so the program starts itself again, and they hold
 *    for all of its threads.
 * 2. `becomeUser`: files are opened and made as the user from now on. What is left is that the main thread
 *    may listen on ports below 1024: who shares a port must do so as one user.
 * 3. `giveUp`: nothing is left, or the ports alone.
 *
 * The C library has all threads change their users and groups when one does (nptl(7)); capabilities it
 * does not. Those of the other threads go as the kernel has it, when the last of a thread's user ids is
 * root's no more (capabilities(7)), which is why `becomeUser` leaves the saved one as it is until `giveUp`.
 * What has come of it is read back for every thread, and the way back is tried.
 *
 * *Knows*: system calls of Linux. *Does not know*: settings, who listens.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { openLibrary } from "./foreign_functions.ts";
import { startAgain } from "./start_again.ts";
import { LOW_PORTS, rightsOfThreads, type ThreadRights } from "./thread_rights.ts";

/** It cannot be done, or did not come out as it has to: the process must end. */
export class PrivilegeFault extends Error {
  override readonly name = "PrivilegeFault";
}

export interface Identity {
  readonly userId: number;
  readonly groupId: number;
  /** By which the system knows the user's further groups; undefined if there are none. */
  readonly userName: string | undefined;
}

/** linux/capability.h */
const CAP = { chown: 0, dacOverride: 1, setgid: 6, setuid: 7, setpcap: 8, netBindService: 10 };
const LAST_CAPABILITY = 63;
/** To give up the rest, in step 3. */
const LIMITING = 1n << BigInt(CAP.setpcap);

/** prctl(2) */
const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2n;

/** capset(2): version 3 has two words of 32 bits for each of effective, permitted and inheritable. */
const CAPABILITY_VERSION_3 = 0x2008_0522;

/** Leaves an id as it is. */
const UNCHANGED = 0xffff_ffff;

/** Whether files are opened and made as root; part_of_root.ts knows what else a process may have of it. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * Step 1. Where nothing is to be had by starting programs already, it does nothing; else it returns only
 * where the system does not let a program start itself again.
 */
export function limitPrivileges(): void {
  if (calls().prctl(PR_GET_NO_NEW_PRIVS, 0n, 0n, 0n, 0n) !== 0) return;
  limitCapabilities(Object.values(CAP));
  if (calls().prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) === 0) startAgain();
}

/** What is left after step 2. */
export interface RightsLeft {
  /**
   * Step 3. With `keepLowPorts` this process and those that it starts may go on to listen on ports below
   * 1024, and nothing else.
   *
   * @throws {PrivilegeFault} If anything of root's would be left.
   */
  giveUp(options: { readonly keepLowPorts: boolean }): void;
}

/** Step 2. @throws {PrivilegeFault} If the system does not allow it. */
export function becomeUser(identity: Identity): RightsLeft {
  const { userId, groupId, userName } = identity;
  if (userId === 0) throw new PrivilegeFault("Root is no other user than root");
  const grouped = userName === undefined
    ? calls().setgroups(0, 0n)
    : calls().initgroups(Buffer.from(`${userName}\0`), groupId);
  if (grouped !== 0) throw new PrivilegeFault("The system refuses to change the groups");
  if (calls().setresgid(groupId, groupId, groupId) !== 0) {
    throw new PrivilegeFault(`The system refuses the group ${groupId}`);
  }
  limitCapabilities([CAP.netBindService]);
  if (calls().setresuid(userId, userId, 0) !== 0) {
    throw new PrivilegeFault(`The system refuses the user ${userId}`);
  }
  const left = LOW_PORTS | LIMITING;
  setCapabilities({ permitted: left, effective: left, inheritable: 0n });
  return { giveUp: ({ keepLowPorts }) => giveUp(identity, keepLowPorts) };
}

function giveUp(identity: Identity, keepLowPorts: boolean): void {
  const { userId } = identity;
  if (!keepLowPorts) limitCapabilities([]);
  calls().prctl(PR_SET_KEEPCAPS, keepLowPorts ? 1n : 0n, 0n, 0n, 0n);
  if (calls().setresuid(userId, userId, userId) !== 0) {
    throw new PrivilegeFault(`The system refuses the user ${userId}`);
  }
  calls().prctl(PR_SET_KEEPCAPS, 0n, 0n, 0n, 0n);
  const kept = keepLowPorts ? LOW_PORTS : 0n;
  setCapabilities({ permitted: kept, effective: kept, inheritable: kept });
  if (keepLowPorts) {
    // So that programs which are started have it too, and threads of theirs.
    calls().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, BigInt(CAP.netBindService), 0n, 0n);
  }
  triesTheWayBack(identity);
  const threads = rightsOfThreads();
  const groups = threads.find(({ isMain }) => isMain)?.groups ?? [];
  for (const rights of threads) checkRights(rights, { identity, groups, kept });
}

/** @throws {PrivilegeFault} If there is one. */
function triesTheWayBack({ groupId }: Identity): void {
  const isOpen = calls().setresuid(UNCHANGED, 0, UNCHANGED) === 0 ||
    calls().setresuid(0, 0, 0) === 0 ||
    (groupId !== 0 && calls().setresgid(UNCHANGED, 0, UNCHANGED) === 0) ||
    calls().setgroups(0, 0n) === 0;
  if (isOpen) throw new PrivilegeFault("The way back to root is open");
}

/** What no thread may have more than. */
interface MostRights {
  readonly identity: Identity;
  /** The main thread's, which the system has set. */
  readonly groups: readonly number[];
  readonly kept: bigint;
}

function checkRights(rights: ThreadRights, { identity, groups, kept }: MostRights): void {
  const { userIds, groupIds, capabilities, canGain } = rights;
  const isUser = userIds.length === 4 && userIds.every((id) => id === identity.userId) &&
    groupIds.length === 4 && groupIds.every((id) => id === identity.groupId) &&
    rights.groups.every((id) => groups.includes(id));
  if (!isUser) throw new PrivilegeFault("A thread is still another user's");
  if ((capabilities & ~kept) !== 0n) throw new PrivilegeFault("A thread has capabilities left");
  if (canGain) throw new PrivilegeFault("A thread could gain rights by starting a program");
}

/** Takes all others from what this thread, and what it starts, can ever have. */
function limitCapabilities(left: readonly number[]): void {
  for (let capability = 0; capability <= LAST_CAPABILITY; capability++) {
    const number = BigInt(capability);
    // -1 is said of one that this kernel does not know.
    if (calls().prctl(PR_CAPBSET_READ, number, 0n, 0n, 0n) < 0) return;
    if (!left.includes(capability)) calls().prctl(PR_CAPBSET_DROP, number, 0n, 0n, 0n);
  }
}

/** Of this thread. @throws {PrivilegeFault} If the system refuses. */
function setCapabilities(
  sets: { readonly permitted: bigint; readonly effective: bigint; readonly inheritable: bigint },
): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION_3);
  const data = Buffer.alloc(24);
  for (const [at, set] of [sets.effective, sets.permitted, sets.inheritable].entries()) {
    data.writeUInt32LE(Number(set & 0xffff_ffffn), at * 4);
    data.writeUInt32LE(Number(set >> 32n), 12 + at * 4);
  }
  if (calls().capset(header, data) !== 0) {
    throw new PrivilegeFault("The system refuses to change capabilities");
  }
}

let opened: ReturnType<typeof openCalls> | undefined;

/** Opened when the first one is made: who is not started as root needs none. */
function calls() {
  return opened ??= openCalls();
}

function openCalls() {
  if (process.platform !== "linux") {
    throw new PrivilegeFault("Only on Linux does popkeep become another user by itself");
  }
  return openLibrary(["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"], {
    prctl: { takes: ["i32", "u64", "u64", "u64", "u64"], gives: "i32" },
    capset: { takes: ["buffer", "buffer"], gives: "i32" },
    initgroups: { takes: ["buffer", "u32"], gives: "i32" },
    setgroups: { takes: ["size", "pointer"], gives: "i32" },
    setresgid: { takes: ["u32", "u32", "u32"], gives: "i32" },
    setresuid: { takes: ["u32", "u32", "u32"], gives: "i32" },
  }).functions;
}
