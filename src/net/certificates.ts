/**
 * The certificates of the server, which of them a client gets, and the authorities of the clients' own.
 *
 * *Knows*: PEM text, names in certificates (RFC 6125 §6.4). *Does not know*: files, sockets.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

/** A certificate with those of its issuers, and its key, as PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate ready for use. */
export interface Certificate {
  readonly pair: CertificatePair;
  readonly der: Uint8Array;
  readonly context: SecureContext;
  /** DNS names, lower case, that it holds for; `*.example.org` among them. */
  readonly names: readonly string[];
}

/**
 * Makes a certificate ready; clients who show one of their own are held against the authorities.
 *
 * @throws {Error} If the PEM texts are no certificate and its key.
 */
export function prepareCertificate(
  pair: CertificatePair,
  clientAuthorities: readonly string[] = [],
): Certificate {
  const certificate = new X509Certificate(pair.certificate);
  // Deno takes any pair, and every handshake fails.
  if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) {
    throw new Error("The key is that of another certificate");
  }
  return {
    pair,
    der: certificate.raw,
    context: createSecureContext({
      cert: pair.certificate,
      key: pair.key,
      minVersion: "TLSv1.2",
      // A handshake that names a server is verified by this context, not by the server's own.
      ...(clientAuthorities.length === 0 ? {} : { ca: [...clientAuthorities] }),
    }),
    names: dnsNames(certificate),
  };
}

/**
 * The certificates in a PEM text, each by itself; what stands between them is left out.
 *
 * @throws {Error} If there is none, or one cannot be read.
 */
export function splitCertificates(pem: string): string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found === null) throw new Error("There is no certificate in the text");
  return found.map((text) => new X509Certificate(text).toString());
}

/**
 * The certificate for a client that asked for `serverName`: the first with that very name, else the
 * first whose wildcard covers it, else the first of all. A client that asks for a name we do not have
 * is shown the default and decides for itself; refusing it would tell it less.
 */
export function certificateFor<Named extends { readonly names: readonly string[] }>(
  serverName: string,
  certificates: readonly Named[],
): Named | undefined {
  const name = serverName.toLowerCase().replace(/\.$/, "");
  // RFC 6125 §6.4.3: a wildcard stands for exactly the left-most label.
  const wildcard = `*${name.slice(name.indexOf("."))}`;
  return certificates.find(({ names }) => names.includes(name)) ??
    certificates.find(({ names }) => name.includes(".") && names.includes(wildcard)) ??
    certificates[0];
}

function dnsNames(certificate: X509Certificate): string[] {
  const alternatives = certificate.subjectAltName;
  if (alternatives !== undefined && alternatives !== "") {
    return alternatives.split(", ")
      .filter((name) => name.startsWith("DNS:"))
      .map((name) => name.slice("DNS:".length).toLowerCase());
  }
  // RFC 6125 §6.4.4: the common name counts only where there are no alternatives.
  const commonName = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  return commonName === undefined ? [] : [commonName.toLowerCase()];
}
