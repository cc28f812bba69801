/** A real MariaDB server on 127.0.0.1 with a database of its own, as a child process. */

import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { createConnection } from "mysql2/promise";
import { testCertificate } from "./certificate.ts";
import { type Daemon, startDaemon, unprivileged } from "./daemon.ts";
import { freePort } from "./free_port.ts";

/** The password of the login `popkeep`. */
export const MARIADB_PASSWORD = "database secret";

const MARIADBD = "/usr/sbin/mariadbd";
const INSTALL_DB = "/usr/bin/mariadb-install-db";

export class MariadbServer {
  readonly folder: string;
  readonly port: number;
  #daemon: Daemon | undefined;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  get url(): string {
    return `mysql://popkeep@127.0.0.1:${this.port}/mail`;
  }

  get socket(): string {
    return `${this.folder}/socket`;
  }

  /** The certificate for localhost, which is its own authority. */
  get caFile(): string {
    return `${this.folder}/certificate.pem`;
  }

  get passwordFile(): string {
    return `${this.folder}/password`;
  }

  async start(): Promise<void> {
    const runAs = unprivileged();
    this.#daemon = await startDaemon(
      [
        MARIADBD,
        "--no-defaults",
        `--datadir=${this.folder}/data`,
        `--socket=${this.socket}`,
        `--pid-file=${this.folder}/pid`,
        `--init-file=${this.folder}/init.sql`,
        "--bind-address=127.0.0.1",
        `--port=${this.port}`,
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=8M",
        `--ssl-cert=${this.folder}/certificate.pem`,
        `--ssl-key=${this.folder}/key.pem`,
      ],
      { ...(runAs === undefined ? {} : { runAs }), answers: () => this.run("SELECT 1") },
    );
  }

  async run(sql: string): Promise<void> {
    const connection = await createConnection({
      host: "127.0.0.1",
      port: this.port,
      user: "popkeep",
      password: MARIADB_PASSWORD,
      database: "mail",
      multipleStatements: true,
      connectTimeout: 5_000,
    });
    try {
      await connection.query(sql);
    } finally {
      connection.destroy();
    }
  }

  async stop(): Promise<void> {
    // What it still had to write is thrown away with it.
    await this.#daemon?.stop("SIGKILL");
  }

  freeze(): void {
    this.#daemon?.freeze();
  }

  thaw(): void {
    this.#daemon?.thaw();
  }

  async delete(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts a server with a database `mail` in which `sql` was run, and a login `popkeep`. */
export async function startMariadb(sql: string): Promise<MariadbServer> {
  if (!existsSync(MARIADBD)) {
    throw new Error("There is no mariadbd; scripts/install_test_clients.sh installs it.");
  }
  const folder = mkdtempSync(`${tmpdir()}/popkeep-mariadb-`);
  const server = new MariadbServer(folder, await freePort());
  try {
    const { certificate, key } = await testCertificate();
    mkdirSync(`${folder}/data`, { mode: 0o700 });
    writeFileSync(server.caFile, certificate);
    writeFileSync(`${folder}/key.pem`, key, { mode: 0o600 });
    writeFileSync(server.passwordFile, `${MARIADB_PASSWORD}\n`);
    writeFileSync(
      `${folder}/init.sql`,
      `CREATE DATABASE IF NOT EXISTS mail;
CREATE USER IF NOT EXISTS popkeep@'127.0.0.1' IDENTIFIED BY '${MARIADB_PASSWORD}';
CREATE USER IF NOT EXISTS popkeep@localhost IDENTIFIED BY '${MARIADB_PASSWORD}';
GRANT ALL ON mail.* TO popkeep@'127.0.0.1';
GRANT ALL ON mail.* TO popkeep@localhost;
`,
    );
    const runAs = unprivileged();
    const owned = [folder, `${folder}/data`, `${folder}/key.pem`, `${folder}/init.sql`];
    for (const path of owned) if (runAs !== undefined) chownSync(path, runAs.uid, runAs.gid);
    execFileSync(INSTALL_DB, [
      "--no-defaults",
      `--datadir=${folder}/data`,
      "--skip-test-db",
      "--auth-root-authentication-method=normal",
      "--skip-name-resolve",
    ], { stdio: "ignore", ...(runAs ?? {}) });
    await server.start();
    await server.run(sql);
    return server;
  } catch (error) {
    // Nobody would else.
    await server.delete();
    throw error;
  }
}
