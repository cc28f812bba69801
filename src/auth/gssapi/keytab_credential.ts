/**
 * The service's credential: the keys in a keytab by which tickets are opened.
 *
 * It is acquired anew for each token, so that a changed keytab holds at once; that costs far less than
 * opening a ticket does.
 */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { CallFailed, type CheckedCalls, KERBEROS_5, scratch } from "./checked_calls.ts";
import { type CallMemory, PointerSlot } from "./foreign_values.ts";
import type { KeytabUse } from "./job.ts";
import { readKeytab, realmsOf } from "./keytab.ts";

/** RFC 5034 §6: the name of the service in GSSAPI. */
const SERVICE = "pop";

/** GSS_C_NT_HOSTBASED_SERVICE, 1.2.840.113554.1.2.1.4 (RFC 2744 §3.8 as corrected by its errata). */
const SERVICE_NAME = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04);

const GSS_C_ACCEPT = 2;

/** The credential is not to be had: whatever the reason, it is ours. */
export class NoCredential extends Error {}

/**
 * The realms of the service's keys in a keytab.
 *
 * @throws {NoCredential} If the file cannot be read, is no keytab, or has no key of the service.
 */
export function realmsInKeytab(path: string): string[] {
  let octets: Uint8Array;
  try {
    octets = readFileSync(path);
  } catch (error) {
    throw new NoCredential(error instanceof Error ? error.message : String(error));
  }
  const principals = readKeytab(octets);
  if (principals === undefined) throw new NoCredential("it is no keytab of version 2");
  const realms = realmsOf(principals, SERVICE);
  if (realms.length > 0) return realms;
  throw new NoCredential(`it has no key of the service "${SERVICE}", as of pop/mail.example.org`);
}

/**
 * Opens tickets with a keytab's keys of the service, whatever the host's name.
 *
 * @throws {NoCredential} If the library cannot use the keytab.
 */
export function withCredential<T>(
  calls: CheckedCalls,
  { keytab, replayCache }: KeytabUse,
  { memory, use }: { readonly memory: CallMemory; readonly use: (credential: bigint) => T },
): T {
  const [name, credential] = [new PointerSlot(), new PointerSlot()];
  const store: [string, string][] = [["keytab", `FILE:${keytab}`]];
  if (replayCache !== undefined) store.push(["rcache", `file2:${replayCache}`]);
  try {
    mustHave(() => {
      // A service without a host: any of its keys will do.
      calls.must(calls.gss.gss_import_name(
        calls.minor,
        memory.buffer(Buffer.from(SERVICE)),
        memory.oid(SERVICE_NAME),
        name.memory,
      ));
      // Kerberos 5 and nothing else: RFC 4752 §3.
      calls.must(calls.gss.gss_acquire_cred_from(
        calls.minor,
        name.value,
        0,
        memory.oidSet(KERBEROS_5),
        GSS_C_ACCEPT,
        memory.keyValues(store),
        credential.memory,
        0n,
        0n,
      ));
    });
    return use(credential.value);
  } finally {
    if (credential.value !== 0n) calls.gss.gss_release_cred(scratch(), credential.memory);
    if (name.value !== 0n) calls.gss.gss_release_name(scratch(), name.memory);
  }
}

function mustHave(acquire: () => void): void {
  try {
    acquire();
  } catch (error) {
    throw error instanceof CallFailed ? new NoCredential(error.message) : error;
  }
}
