/**
 * A system account by its name, wherever the system has it from (files, LDAP, sssd): getpwnam_r(3).
 * Blocks as long as the system takes.
 */

import { SYSTEM_ACCOUNT_OCTETS } from "../../limits.ts";
import { addressOf, foreignMemory } from "../../platform/foreign_functions.ts";
import type { CFunctions } from "./linux_pam.ts";
import { addressAt, addressesMemory, textAt, textMemory, uint32At } from "./memory.ts";

export interface SystemAccount {
  /** As the system spells it. */
  readonly user: string;
  readonly uid: number;
  /** "" where the system names none. */
  readonly home: string;
}

/** `struct passwd` of 64-bit Linux: its size, and where its members are. */
const PASSWD = { octets: 48, name: 0, uid: 16, home: 32 } as const;

const ERANGE = 34;

/** What getpwnam_r(3) says for a user who is not there, depending on where the system looks. */
const NOT_THERE = new Set([0, 2, /* ENOENT */ 3 /* ESRCH */]);

/**
 * Undefined if there is no such account.
 *
 * @throws {Error} If the system cannot tell.
 */
export function findSystemAccount(c: CFunctions, name: string): SystemAccount | undefined {
  const entry = foreignMemory(PASSWD.octets);
  const found = addressesMemory([0n]);
  for (let octets = 4_096; octets <= SYSTEM_ACCOUNT_OCTETS; octets *= 4) {
    const texts = foreignMemory(octets);
    const code = c.getpwnam_r(textMemory(name), entry, texts, octets, found);
    if (code === ERANGE) continue;
    if (addressAt(found, 0) === 0n) {
      if (NOT_THERE.has(code)) return undefined;
      throw new Error(`The system cannot tell whether it has an account: error ${code}`);
    }
    // The entry's texts lie in the memory that was handed over for them.
    const text = (member: number) =>
      textAt(texts, Number(addressAt(entry, member) - addressOf(texts)));
    return { user: text(PASSWD.name), uid: uint32At(entry, PASSWD.uid), home: text(PASSWD.home) };
  }
  throw new Error("The system's entry of an account is too large");
}
