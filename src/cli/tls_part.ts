/**
 * Makes what turns connections into TLS, as the settings say.
 *
 * *Knows*: settings, the room net. *Does not know*: connections.
 */

import { splitCertificates } from "../net/certificates.ts";
import { TlsAcceptor } from "../net/tls_acceptor.ts";
import type { Settings } from "../settings.ts";
import { readText } from "./login_options.ts";
import { settingFaultOf } from "./setting_fault.ts";

/**
 * Undefined where there is no certificate.
 *
 * @throws {SettingFault} If a certificate does not fit its key, or the authorities are none.
 */
export function tlsAcceptorFor(settings: Settings): TlsAcceptor | undefined {
  const { certificates, clientCertificateAuthorities: authorities } = settings;
  if (certificates.length === 0) return undefined;
  const pairs = certificates.map(({ certificateFile, keyFile }, index) => ({
    certificate: readText(`certificates[${index}].certificate_file`, certificateFile),
    key: readText(`certificates[${index}].key_file`, keyFile),
  }));
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
