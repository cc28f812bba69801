/**
 * One connection to an LDAP server, by ldapts: opened, under TLS where it has to be, and bound.
 *
 * ldapts connects anew by itself when it has lost its connection, without StartTLS and without a bind: a
 * password would cross the wire readable. So a connection here can connect but once.
 *
 * *Knows* ldapts and files. *Does not know* users.
 */

import { readFile } from "node:fs/promises";
import type { ConnectionOptions } from "node:tls";
import { isIP } from "node:net";
import { Client, type ClientOptions, ResultCodeError } from "ldapts";
import type { LdapOptions } from "./ldap_options.ts";
import { ldapText } from "./results.ts";

/** RFC 4532. */
const WHO_AM_I = "1.3.6.1.4.1.4203.1.11.3";

export interface LdapConnection {
  readonly client: Client;
  isOpen(): boolean;
  /** At once; never throws. */
  end(): void;
}

/**
 * Connects to a server.
 *
 * @param binds Whether to bind as the service account, which is who searches.
 * @throws {Error} If it cannot be reached, is not who it should be, or does not take the service account.
 */
export async function openLdapConnection(
  url: string,
  options: LdapOptions,
  { binds }: { readonly binds: boolean },
): Promise<LdapConnection> {
  const tls = await tlsOptions(url, options);
  const isSecure = url.startsWith("ldaps:");
  const clientOptions: ClientOptions = {
    url,
    connectTimeout: options.connectTimeoutMs,
    // Who uses the connection sees to the time; this is for what is left behind.
    timeout: options.connectTimeoutMs + options.operationTimeoutMs,
    ...(isSecure ? { tlsOptions: tls } : {}),
  };
  const client = new Client(clientOptions);
  let lost = false;
  const connection: LdapConnection = {
    client,
    isOpen: () => !lost && client.isConnected,
    end: () => void client.unbind().catch(() => {}),
  };
  try {
    if (options.startTls) {
      await withDeadline(options.connectTimeoutMs, client.startTLS(tls), () => connection.end());
      // ldapts does not notice that a connection is gone which was upgraded.
      tls.socket?.once("close", () => lost = true);
    }
    if (binds && options.bindDn !== "") await bindAsService(client, options);
    else await meet(client);
  } catch (error) {
    connection.end();
    throw error;
  }
  clientOptions.createConnection = refuseToConnect;
  clientOptions.createSecureConnection = refuseToConnect;
  return connection;
}

async function bindAsService(client: Client, options: LdapOptions): Promise<void> {
  const password = await readFirstLine(options.bindPasswordFile, "bind_password_file");
  try {
    await client.bind(options.bindDn, password);
  } catch (error) {
    if (!(error instanceof ResultCodeError)) throw error;
    // A plain Error: it is no answer to what is then asked.
    throw new Error(ldapText("bind_dn cannot bind", error));
  }
}

/** Asks a first thing, to see that there is an LDAP server, before a password is sent to it. */
async function meet(client: Client): Promise<void> {
  try {
    await client.exop(WHO_AM_I);
  } catch (error) {
    // It need not know the operation, or tell us.
    if (!(error instanceof ResultCodeError)) throw error;
  }
}

async function tlsOptions(url: string, options: LdapOptions): Promise<ConnectionOptions> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    // RFC 6066 §3: an address is no server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: options.verifyCertificate,
    minVersion: "TLSv1.2",
    ...(options.caFile === "" ? {} : { ca: await readFile(options.caFile, "utf8") }),
  };
}

/** The first line of a file that holds a password. */
async function readFirstLine(path: string, setting: string): Promise<string> {
  const text = await readFile(path, "utf8");
  const [line = ""] = text.split(/\r?\n/, 1);
  // With an empty password a bind is one of nobody (RFC 4513 §5.1.2), and succeeds.
  if (line === "") throw new Error(`The file that ${setting} names has an empty first line`);
  return line;
}

function refuseToConnect(): never {
  throw new Error("The connection is gone");
}

async function withDeadline<T>(
  limitMs: number,
  promise: Promise<T>,
  giveUp: () => void,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp();
      reject(new Error(`no answer to StartTLS within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {});
  }
}
