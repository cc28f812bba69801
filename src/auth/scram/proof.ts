/** What proves to either side of SCRAM-SHA-256 that the other one knows the keys (RFC 5802 §3). */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { ScramKeys } from "../login.ts";

/** Whether the client's proof of an exchange is right, in time that does not depend on how nearly. */
export function isProofRight(
  { storedKey }: ScramKeys,
  authMessage: string,
  proof: Uint8Array,
): boolean {
  const signature = createHmac("sha256", storedKey).update(authMessage, "utf8").digest();
  const clientKey = signature.map((octet, index) => octet ^ (proof[index] ?? 0));
  return timingSafeEqual(createHash("sha256").update(clientKey).digest(), storedKey);
}

/** What shows the client that we have its keys, and did not just nod. */
export function serverSignature({ serverKey }: ScramKeys, authMessage: string): Uint8Array {
  return createHmac("sha256", serverKey).update(authMessage, "utf8").digest();
}
