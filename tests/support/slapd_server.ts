/**
 * A real OpenLDAP server on 127.0.0.1 with users of its own, as a child process.
 *
 * Its schema has what Active Directory's users have, and RFC 2307's, so that entries of both kinds can be
 * in it. Its rules are those of most: anybody may try a password, the service account may read all, a user
 * what is the user's own.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { testCertificate } from "./certificate.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { twoFreePorts } from "./free_port.ts";

export const LDAP_BASE = "dc=example,dc=com";
export const SERVICE_DN = `cn=popkeep,${LDAP_BASE}`;
export const SERVICE_PASSWORD = "service secret";

const SLAPD = "/usr/sbin/slapd";

export interface SlapdOptions {
  /** LDIF of the entries under ou=people and ou=ad. */
  readonly ldif: string;
  /** Further lines of slapd.conf, before those of the database. */
  readonly config?: string;
}

export class SlapdServer {
  readonly folder: string;
  readonly port: number;
  readonly tlsPort: number;
  #daemon: Daemon | undefined;

  constructor(folder: string, ports: readonly [number, number]) {
    this.folder = folder;
    [this.port, this.tlsPort] = ports;
  }

  get url(): string {
    return `ldap://127.0.0.1:${this.port}`;
  }

  /** Under TLS, with a certificate for localhost. */
  get tlsUrl(): string {
    return `ldaps://localhost:${this.tlsPort}`;
  }

  /** The certificate, which is its own authority. */
  get caFile(): string {
    return `${this.folder}/certificate.pem`;
  }

  get passwordFile(): string {
    return `${this.folder}/service_password`;
  }

  async start(): Promise<void> {
    const urls = `ldap://127.0.0.1:${this.port} ldaps://127.0.0.1:${this.tlsPort}`;
    this.#daemon = await startDaemon(
      [SLAPD, "-d", "0", "-h", urls, "-f", `${this.folder}/slapd.conf`],
      { answers: () => connects(this.port) },
    );
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }

  freeze(): void {
    this.#daemon?.freeze();
  }

  thaw(): void {
    this.#daemon?.thaw();
  }

  /** Stops it and removes all that it had. */
  async delete(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function startSlapd(options: SlapdOptions): Promise<SlapdServer> {
  if (!existsSync(SLAPD)) {
    throw new Error("There is no slapd; scripts/install_test_clients.sh installs it.");
  }
  const folder = mkdtempSync(`${tmpdir()}/popkeep-slapd-`);
  const server = new SlapdServer(folder, await twoFreePorts());
  try {
    mkdirSync(`${folder}/data`);
    const { certificate, key } = await testCertificate();
    writeFileSync(server.caFile, certificate);
    writeFileSync(`${folder}/key.pem`, key);
    writeFileSync(server.passwordFile, `${SERVICE_PASSWORD}\n`);
    writeFileSync(`${folder}/slapd.conf`, configOf(folder, options.config ?? ""));
    writeFileSync(`${folder}/entries.ldif`, `${FRAME}\n${options.ldif}\n`);
    execFileSync(SLAPD, [
      "-T",
      "add",
      "-f",
      `${folder}/slapd.conf`,
      "-l",
      `${folder}/entries.ldif`,
    ], { stdio: ["ignore", "ignore", "inherit"] });
    await server.start();
    return server;
  } catch (error) {
    // Nobody would else.
    await server.delete();
    throw error;
  }
}

const FRAME = `
dn: ${LDAP_BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ${SERVICE_DN}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: popkeep
userPassword: ${SERVICE_PASSWORD}

dn: ou=people,${LDAP_BASE}
objectClass: organizationalUnit
ou: people

dn: ou=ad,${LDAP_BASE}
objectClass: organizationalUnit
ou: ad
`;

function configOf(folder: string, more: string): string {
  return `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/msuser.schema
pidfile ${folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload argon2
TLSCertificateFile ${folder}/certificate.pem
TLSCertificateKeyFile ${folder}/key.pem
${more}
database mdb
suffix "${LDAP_BASE}"
directory ${folder}/data
maxsize 10485760
access to attrs=userPassword by dn.exact="${SERVICE_DN}" read by self read by * auth
access to * by dn.exact="${SERVICE_DN}" read by self read by users search
`;
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
