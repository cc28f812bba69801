/** What a mechanism may know of the TLS that its connection runs under. The net room makes it. */

/** One connection's TLS; present only once the handshake is done. */
export interface SecureChannel {
  /** DER of the certificate that we showed to this client; undefined if the runtime cannot tell. */
  readonly serverCertificate: Uint8Array | undefined;

  /**
   * The 32 octets of the channel binding tls-exporter (RFC 9266 §2); undefined where the runtime cannot
   * export keying material, or TLS 1.2 runs without the extended master secret.
   */
  exporter(): Uint8Array | undefined;

  /**
   * DER of the client's certificate, without those of its issuers; undefined unless the client proved to
   * hold its key and the chain was verified against the authorities of the settings, in this handshake or
   * in the one whose TLS session it takes up again.
   */
  readonly clientCertificate: Uint8Array | undefined;

  /** PEM of the authorities that it was verified against; a reload may have put others in their place. */
  readonly clientAuthorities?: string | undefined;

  /** Why a certificate that the client showed is not taken; undefined if it is, or there is none. */
  readonly untrustedCertificate?: { readonly reason: string } | undefined;
}
