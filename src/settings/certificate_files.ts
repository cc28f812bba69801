/**
 * Looks whether the certificate and key files that the settings name can be used.
 *
 * *Knows*: PEM files on disk. *Does not know*: TLS connections, the settings file's keys beyond their paths.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";

export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** What is wrong with one of the two files. */
export interface CertificateFault {
  readonly of: keyof CertificateFiles;
  readonly found: string;
  readonly allowed: string;
}

/** Everything that is wrong with a certificate and its key; nothing when TLS can use them. */
export function checkCertificateFiles(files: CertificateFiles): CertificateFault[] {
  const faults: CertificateFault[] = [];
  const certificate = readPem(files, "certificateFile", faults, (pem) => new X509Certificate(pem));
  const key = readPem(files, "keyFile", faults, (pem) => createPrivateKey(pem));
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    faults.push({
      of: "keyFile",
      found: `the key of another certificate in ${files.keyFile}`,
      allowed: `the private key that belongs to ${files.certificateFile}`,
    });
  }
  return faults;
}

/**
 * What other users of the machine can do with a secret file; undefined if nothing, or it is not there. In a
 * folder that we may not look into it is kept from others, too.
 */
export function whatOthersMay(file: string): "read" | "change" | "read and change" | undefined {
  let mode;
  try {
    mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  } catch {
    return undefined;
  }
  const [reads, writes] = [(mode & 0o004) !== 0, (mode & 0o002) !== 0];
  if (reads && writes) return "read and change";
  return reads ? "read" : writes ? "change" : undefined;
}

/** When the certificate ends, ms since 1970; undefined if it cannot be read. */
export function certificateEndsMs(file: string): number | undefined {
  try {
    const endsMs = Date.parse(new X509Certificate(readFileSync(file)).validTo);
    return Number.isNaN(endsMs) ? undefined : endsMs;
  } catch {
    return undefined; // which is a fault, and checkCertificateFiles says so
  }
}

/**
 * Whether the certificate is for the host name, wildcards included (RFC 6125 §6.4). One that only root may
 * read is taken for it: it was read before popkeep became another user, and cannot be looked at any more.
 */
export function isCertificateFor(file: string, hostName: string): boolean {
  try {
    return new X509Certificate(readFileSync(file)).checkHost(hostName) !== undefined;
  } catch (error) {
    return (error as { code?: unknown }).code === "EACCES";
  }
}

const WHAT = {
  certificateFile: { name: "certificate", allowed: "a PEM file with a certificate" },
  keyFile: { name: "private key", allowed: "a PEM file with a private key that is not encrypted" },
} as const;

function readPem<Value>(
  files: CertificateFiles,
  of: keyof CertificateFiles,
  faults: CertificateFault[],
  parse: (pem: string) => Value,
): Value | undefined {
  const { name, allowed } = WHAT[of];
  const file = files[of];
  let pem;
  try {
    pem = readFileSync(file, "utf8");
  } catch (error) {
    faults.push({ of, found: `${file}, which ${whyUnreadable(error)}`, allowed });
    return undefined;
  }
  try {
    return parse(pem);
  } catch {
    if (
      of === "keyFile" &&
      /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)
    ) {
      const found = `a private key in ${file} that is encrypted with a passphrase`;
      faults.push({
        of,
        found,
        allowed: `${allowed}: \`openssl pkey -in OLD -out NEW\` makes one`,
      });
      return undefined;
    }
    // The library's own text ("DECODER routines::unsupported") tells nobody anything.
    faults.push({ of, found: `no ${name} in ${file}`, allowed });
    return undefined;
  }
}

/** Why a file could not be read, as the end of a sentence: "which does not exist". */
export function whyUnreadable(error: unknown): string {
  switch ((error as { code?: unknown } | undefined)?.code) {
    case "ENOENT":
    case "ENOTDIR":
      return "does not exist";
    case "EACCES":
    case "EPERM":
      return "this user may not read";
    case "EISDIR":
      return "is a folder";
    default:
      return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}
