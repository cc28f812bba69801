/**
 * Who a client is by the certificate that it showed, and whether that certificate still holds.
 *
 * The TLS handshake has verified the chain and that the client has the key. What can change afterwards is
 * looked at here at each login, since a connection may be old and a TLS session that is taken up again
 * older: the certificate's dates, and the revocation lists where there are any. With lists, each
 * certificate below the root has to have its issuer among the authorities and a list of that issuer that
 * is not out of date; a certificate that nobody can vouch for lets nobody in.
 *
 * *Knows* certificates and lists. *Does not know* users, SASL or sockets.
 */

import { X509Certificate } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import {
  type Authority,
  openRevocationFiles,
  type RevocationFiles,
} from "./client_certificate_lists.ts";
import { type CertificateUserName, userNamesOf } from "./client_certificate_names.ts";
import type { ClientIdentity, Validity } from "./client_identity.ts";
import type { SecureChannel } from "../secure_channel.ts";
import { type Certificate, readCertificate } from "../x509/certificate.ts";
import type { RevocationList } from "../x509/revocation_list.ts";

const logger = getLogger(["popkeep", "auth"]);

/** Certificates between a client's and a root; more have no use. */
const CHAIN_LENGTH = 8;

export interface ClientCertificatesOptions {
  /** PEM of the certificates that the TLS acceptor trusts too, issuers in between included. */
  readonly authorities: string;
  readonly userName: CertificateUserName;
  /** Files; none at all means that nothing is ever revoked. */
  readonly revocationLists: readonly string[];
  /** The time of day, ms. */
  readonly nowMs?: () => number;
}

/**
 * Reads the authorities and the lists.
 *
 * @throws {Error} If one of them cannot be used; the message names it.
 */
export async function openClientCertificates(
  options: ClientCertificatesOptions,
): Promise<ClientCertificates> {
  const nowMs = options.nowMs ?? Date.now;
  const authorities = readAuthorities(options.authorities);
  const files = options.revocationLists.length === 0
    ? undefined
    : await openRevocationFiles({ paths: options.revocationLists, authorities, nowMs });
  const { authorities: text, userName } = options;
  return new ClientCertificates({ text, authorities, userName, files, nowMs });
}

interface Parts {
  /** PEM of the authorities. */
  readonly text: string;
  readonly authorities: readonly Authority[];
  readonly userName: CertificateUserName;
  readonly files: RevocationFiles | undefined;
  readonly nowMs: () => number;
}

export class ClientCertificates {
  readonly #parts: Parts;
  /** What was read of a connection's certificate: mechanisms are asked for several times. */
  readonly #identities = new WeakMap<SecureChannel, ClientIdentity>();

  readonly #told = new WeakSet<SecureChannel>();

  /** Use `openClientCertificates`. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The revocation lists as their files have them now. */
  async revocationLists(): Promise<readonly RevocationList[]> {
    return await this.#parts.files?.lists() ?? [];
  }

  /** Undefined if the client showed no certificate that was verified, or it names no user. */
  identityOf(channel: SecureChannel | undefined): ClientIdentity | undefined {
    if (channel === undefined) return undefined;
    const der = channel.clientCertificate;
    // What authorities gone by have verified is worth nothing now.
    if (der === undefined || channel.clientAuthorities !== this.#parts.text) {
      this.#tellOnce(channel, channel.untrustedCertificate?.reason);
      return undefined;
    }
    const known = this.#identities.get(channel);
    if (known !== undefined) return known;
    const identity = this.#read(der);
    if (identity === undefined) {
      this.#tellOnce(channel, "it has no user name where one is looked for");
    } else this.#identities.set(channel, identity);
    return identity;
  }

  /** Mechanisms are asked for several times in a session. */
  #tellOnce(channel: SecureChannel, reason: string | undefined): void {
    if (reason === undefined || this.#told.has(channel)) return;
    this.#told.add(channel);
    logger.info("a client certificate is not taken", { reason });
  }

  #read(der: Uint8Array): ClientIdentity | undefined {
    let leaf: Certificate;
    try {
      leaf = readCertificate(der);
    } catch (error) {
      logger.info("a client certificate cannot be read", { error: String(error) });
      return undefined;
    }
    const [first, ...more] = userNamesOf(leaf, this.#parts.userName);
    if (first === undefined) return undefined;
    return { names: [first, ...more], validity: () => this.#validityOf(der, leaf, first) };
  }

  async #validityOf(der: Uint8Array, leaf: Certificate, user: string): Promise<Validity> {
    const { files, nowMs } = this.#parts;
    const about = { user, serial: leaf.serial };
    const now = nowMs();
    if (now < leaf.notBeforeMs || now > leaf.notAfterMs) {
      logger.warn("a client certificate is out of date", about);
      return "no";
    }
    if (files === undefined) return "yes";
    const lists = await files.lists();
    const chain = this.#chainOf(der, leaf);
    for (const { issuer, serial } of chain) {
      const ofIssuer = lists.filter((list) => list.issuer === issuer);
      if (ofIssuer.some(({ revoked }) => revoked.has(serial))) {
        logger.warn("a client certificate is revoked", about);
        return "no";
      }
      if (!ofIssuer.some((list) => now >= list.thisUpdateMs && now < list.nextUpdateMs)) {
        const lists = ofIssuer.length;
        logger.error("no revocation list in force covers a client certificate", {
          ...about,
          lists,
        });
        return "unknown";
      }
    }
    return "yes";
  }

  /** The certificates that lists have to speak of: from the client's up to the one that a root issued. */
  #chainOf(der: Uint8Array, leaf: Certificate): Certificate[] {
    const chain = [leaf];
    let x509 = new X509Certificate(der);
    let fields = leaf;
    while (chain.length < CHAIN_LENGTH) {
      const issuer = this.#parts.authorities.find((authority) =>
        authority.fields.subject === fields.issuer && x509.verify(authority.x509.publicKey)
      );
      // One that is issued by nobody here is trusted for itself; of the client's own, no list will speak.
      if (issuer === undefined || issuer.fields.subject === issuer.fields.issuer) break;
      ({ x509, fields } = issuer);
      if (this.#isIssued(fields)) chain.push(fields);
    }
    return chain;
  }

  #isIssued({ issuer }: Certificate): boolean {
    return this.#parts.authorities.some(({ fields }) => fields.subject === issuer);
  }
}

function readAuthorities(pem: string): Authority[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found === null) throw new Error("there is no certificate in PEM in it");
  return found.map((text) => {
    const x509 = new X509Certificate(text);
    return { x509, fields: readCertificate(x509.raw) };
  });
}
