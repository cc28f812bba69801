/**
 * A Kerberos realm of a test's own: MIT's KDC on 127.0.0.1, with its database, principals, keytabs and
 * tickets in a folder that is the test's.
 *
 * *Knows*: the commands of MIT Kerberos. *Does not know*: popkeep.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free_port.ts";

/** What has to be installed. */
export const KERBEROS_COMMANDS = ["krb5kdc", "kadmin.local", "kdb5_util", "kinit"];

/** Debian keeps daemons' programs where only root's PATH looks. */
export const KERBEROS_PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

const PATIENCE_MS = 60_000;
const REALM = "EXAMPLE.ORG";

export class KerberosRealm {
  readonly name = REALM;
  readonly folder: string;
  readonly #kdc: ChildProcess;
  readonly #port: number;
  #logins = 0;

  private constructor(folder: string, port: number, kdc: ChildProcess) {
    this.folder = folder;
    this.#port = port;
    this.#kdc = kdc;
  }

  /** Makes a realm in a new folder of that name and starts its KDC; `more` are lines of its settings. */
  static async start(folder: string, more = ""): Promise<KerberosRealm> {
    mkdirSync(folder, { mode: 0o700 });
    const port = await freePort();
    writeFileSync(join(folder, "krb5.conf"), clientSettings(port));
    writeFileSync(join(folder, "kdc.conf"), kdcSettings(folder, port, more));
    runSync(folder, "kdb5_util", ["create", "-s", "-r", REALM, "-P", "master"]);
    const kdc = spawn("krb5kdc", ["-n", "-r", REALM], {
      env: environment(folder),
      stdio: "ignore",
    });
    const realm = new KerberosRealm(folder, port, kdc);
    await realm.#listening();
    return realm;
  }

  /** The environment in which programs belong to this realm. */
  get environment(): Record<string, string> {
    return environment(this.folder);
  }

  /** The settings file of programs in this realm, for KRB5_CONFIG. */
  get settingsFile(): string {
    return join(this.folder, "krb5.conf");
  }

  /**
   * A settings file in which clocks may differ by that many seconds only, and which is otherwise the
   * same: to be old, a ticket of some seconds is enough.
   */
  strictSettingsFile(clockSkewSeconds: number): string {
    const path = join(this.folder, `krb5-skew-${clockSkewSeconds}.conf`);
    writeFileSync(path, clientSettings(this.#port, clockSkewSeconds));
    return path;
  }

  /** Adds principals with random keys: "alice", "pop/localhost". */
  add(...principals: string[]): void {
    this.#administer(principals.map((name) => `addprinc -randkey "${name}"`));
  }

  /** Gives a principal new keys, so that tickets of before do not open with the next keytab. */
  changeKey(principal: string): void {
    this.#administer([`cpw -randkey "${principal}"`]);
  }

  /** A keytab with the present keys of principals, by a file name of its own. */
  keytab(name: string, ...principals: string[]): string {
    const path = join(this.folder, name);
    this.#administer(principals.map((principal) => `ktadd -norandkey -k ${path} "${principal}"`));
    return path;
  }

  /** A credential cache with a fresh ticket of a principal; its path. */
  login(principal: string, lifetime = "10m"): string {
    const cache = join(this.folder, `${++this.#logins}.ccache`);
    const keytab = this.keytab(`${this.#logins}.keytab`, principal);
    const asked = ["-l", lifetime, "-c", `FILE:${cache}`, "-k", "-t", keytab, principal];
    runSync(this.folder, "kinit", asked);
    return cache;
  }

  /** Ends the KDC. The folder stays. */
  async stop(): Promise<void> {
    if (this.#kdc.exitCode !== null || this.#kdc.signalCode !== null) return;
    const gone = once(this.#kdc, "exit");
    process.kill(this.#kdc.pid!, "SIGTERM");
    const hardStop = setTimeout(() => this.#kdc.kill("SIGKILL"), PATIENCE_MS);
    await gone;
    clearTimeout(hardStop);
  }

  #administer(requests: readonly string[]): void {
    runSync(this.folder, "kadmin.local", ["-r", REALM], requests.join("\n") + "\n");
  }

  async #listening(): Promise<void> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    while (!await takesConnections(this.#port)) {
      if (this.#kdc.exitCode !== null || performance.now() > giveUpAtMs) {
        throw new Error("krb5kdc does not listen");
      }
      await sleep(20);
    }
  }
}

function clientSettings(port: number, clockSkewSeconds = 300): string {
  return `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
  clockskew = ${clockSkewSeconds}
[realms]
  ${REALM} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  localhost = ${REALM}
`;
}

function kdcSettings(folder: string, port: number, more: string): string {
  return `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${REALM} = {
    database_name = ${folder}/principal
    key_stash_file = ${folder}/stash
    acl_file = ${folder}/kadm5.acl
    max_life = 1h
    ${more}
  }
[logging]
  kdc = FILE:${folder}/kdc.log
  admin_server = FILE:${folder}/kadmin.log
`;
}

function environment(folder: string): Record<string, string> {
  return {
    PATH: KERBEROS_PATH,
    HOME: folder,
    TMPDIR: folder,
    LC_ALL: "C.UTF-8",
    KRB5_CONFIG: join(folder, "krb5.conf"),
    KRB5_KDC_PROFILE: join(folder, "kdc.conf"),
  };
}

function runSync(folder: string, command: string, arguments_: string[], input = ""): void {
  const ended = spawnSync(command, arguments_, {
    cwd: folder,
    env: environment(folder),
    input,
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  // kadmin.local ends well though a request did not.
  const failed = /^\w+: .*(?:while|not found)/m.test(ended.stderr ?? "");
  if (ended.status !== 0 || failed) {
    throw new Error(`${command} failed: ${ended.error?.message ?? ""}${ended.stderr}`);
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
