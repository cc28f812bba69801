/**
 * SSHA, SHA, SMD5, MD5, PLAIN-MD4 and NTLM: one digest of the password by an algorithm that is broken, or
 * so quick that a stolen file is guessed through within hours. Nothing new is made with them.
 *
 * MD5 is what Dovecot calls PLAIN-MD5 in hexadecimal and LDAP-MD5 in base64, and MD5 as well where it is
 * no MD5-CRYPT. NTLM is the NT hash, which is as good as the password to who has it.
 */

import { timingSafeEqual } from "node:crypto";
import { NT_HASH_OCTETS, ntHash } from "../ntlm/nt_hash.ts";
import { saltedDigest, unsaltedDigest } from "./digest.ts";
import { costClass, malformed, PasswordFault, type PasswordScheme } from "./scheme.ts";

const ntlm: PasswordScheme = {
  names: ["NTLM"],
  encoding: "base64",
  rawOctets: NT_HASH_OCTETS,
  read(stored) {
    if (stored.length !== NT_HASH_OCTETS) return malformed("NTLM");
    return { costClass: costClass("md4", 1), matches: (password) => isNtHashOf(stored, password) };
  },
};

function isNtHashOf(stored: Uint8Array, password: Uint8Array): boolean {
  try {
    return timingSafeEqual(ntHash(password), stored);
  } catch (error) {
    // No NT hash can be made of it, so it is not the one that this was made of.
    if (error instanceof PasswordFault) return false;
    throw error;
  }
}

export const weakDigests: readonly PasswordScheme[] = [
  saltedDigest(["SSHA"], "sha1"),
  unsaltedDigest(["SHA", "SHA1"], "sha1"),
  saltedDigest(["SMD5"], "md5"),
  unsaltedDigest(["MD5", "PLAIN-MD5", "LDAP-MD5"], "md5"),
  unsaltedDigest(["PLAIN-MD4"], "md4"),
  ntlm,
].map((scheme) => ({ ...scheme, weak: true }));
