/**
 * Finds out for commands what stands in the way of logins by Kerberos.
 *
 * *Knows*: settings, the room auth. *Does not know*: how it is shown.
 */

import { Kerberos } from "../auth/gssapi/kerberos.ts";
import type { Settings } from "../settings.ts";
import { kerberosOptions } from "./login_options.ts";

/** A sentence; undefined if nothing does, or GSSAPI is off. Changes nothing on the disk. */
export async function kerberosFaultOf(settings: Settings): Promise<string | undefined> {
  if (settings.gssapiKeytab === "" || !settings.enableGssapiAndNtlmAuth) return undefined;
  // The replay cache is the server's to make: who runs a command may be root, and would own it.
  const { replayCache: _, ...options } = kerberosOptions(settings);
  const kerberos = new Kerberos(options);
  return await kerberos.check().finally(() => kerberos.close());
}
