/**
 * How a server begins that root started: with what root read for it, and with something left to be done
 * before it serves.
 *
 * *Does not know* what that is.
 */

import type { CertificatePair } from "../net/certificates.ts";

export interface Beginning {
  /** The settings' certificates, where their files may not be readable any more. A reload reads files. */
  readonly certificates?: readonly CertificatePair[];
  /** Called once, when all places to listen on are had; nobody is served before. */
  readonly placesHad?: () => void;
}
