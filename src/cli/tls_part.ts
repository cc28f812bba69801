/**
 * Makes what turns connections into TLS, as the settings say.
 *
 * *Knows*: settings, the room net. *Does not know*: connections.
 */

import { type CertificatePair, splitCertificates } from "../net/certificates.ts";
import { TlsAcceptor } from "../net/tls_acceptor.ts";
import type { Settings } from "../settings.ts";
import { readText } from "./login_options.ts";
import { settingFaultOf } from "./setting_fault.ts";

/** The certificates that the settings name. @throws {SettingFault} If a file cannot be read. */
export function certificatePairs({ certificates }: Settings): CertificatePair[] {
  return certificates.map(({ certificateFile, keyFile }, index) => ({
    certificate: readText(`certificates[${index}].certificate_file`, certificateFile),
    key: readText(`certificates[${index}].key_file`, keyFile),
  }));
}

/**
 * Undefined where there is no certificate.
 *
 * @param pairs The settings' certificates, where they were read before.
 * @throws {SettingFault} If a certificate does not fit its key, or the authorities are none.
 */
export function tlsAcceptorFor(
  settings: Settings,
  pairs: readonly CertificatePair[] = certificatePairs(settings),
): TlsAcceptor | undefined {
  const { clientCertificateAuthorities: authorities } = settings;
  if (pairs.length === 0) return undefined;
  const clientAuthorities = authorities === "" ? undefined : readAuthorities(authorities);
  try {
    return new TlsAcceptor(pairs, clientAuthorities === undefined ? {} : { clientAuthorities });
  } catch (error) {
    throw settingFaultOf("certificates", error);
  }
}

function readAuthorities(file: string): string {
  const key = "client_certificate_authorities";
  const pem = readText(key, file);
  try {
    splitCertificates(pem);
    return pem;
  } catch (error) {
    throw settingFaultOf(key, error, file);
  }
}
