/** A real PostgreSQL server on 127.0.0.1 with a database of its own, as a child process. */

import { execFileSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { Client } from "pg";
import { testCertificate } from "./certificate.ts";
import { type Daemon, startDaemon, unprivileged } from "./daemon.ts";
import { freePort } from "./free_port.ts";

/** The superuser, and the login of popkeep, with their password. */
export const DATABASE_PASSWORD = "database secret";

const VERSIONS = "/usr/lib/postgresql";

export class PostgresServer {
  readonly folder: string;
  readonly port: number;
  #daemon: Daemon | undefined;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  get url(): string {
    return `postgresql://popkeep@127.0.0.1:${this.port}/mail`;
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
        `${programs()}/postgres`,
        "-D",
        `${this.folder}/data`,
        ...settings({
          listen_addresses: "127.0.0.1",
          port: String(this.port),
          unix_socket_directories: `${this.folder}/data`,
          fsync: "off",
          ssl: "on",
          ssl_cert_file: `${this.folder}/data/certificate.pem`,
          ssl_key_file: `${this.folder}/data/key.pem`,
        }),
      ],
      {
        ...(runAs === undefined ? {} : { runAs }),
        answers: () => this.run("SELECT 1", "postgres"),
      },
    );
  }

  /** Has the superuser do something. */
  async run(sql: string, database = "mail"): Promise<void> {
    const client = new Client({
      host: "127.0.0.1",
      port: this.port,
      user: "postgres",
      password: DATABASE_PASSWORD,
      database,
      connectionTimeoutMillis: 5_000,
    });
    client.on("error", () => {});
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  /** Ends it, without waiting for those who are connected. */
  async stop(): Promise<void> {
    await this.#daemon?.stop("SIGINT");
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

/** Starts a server with a database `mail` in which `sql` was run, and a login `popkeep` that may read it. */
export async function startPostgres(sql: string): Promise<PostgresServer> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-postgres-`);
  const server = new PostgresServer(folder, await freePort());
  try {
    const { certificate, key } = await testCertificate();
    const data = `${folder}/data`;
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(server.passwordFile, `${DATABASE_PASSWORD}\n`);
    writeFileSync(server.caFile, certificate);
    const runAs = unprivileged();
    const own = (path: string) => runAs && chownSync(path, runAs.uid, runAs.gid);
    // For mkdtemp made it for us alone.
    for (const path of [folder, data, server.passwordFile]) own(path);
    execFileSync(`${programs()}/initdb`, [
      ...["-D", data, "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"],
      ...["--locale=C.UTF-8", `--pwfile=${server.passwordFile}`],
    ], { stdio: ["ignore", "ignore", "inherit"], ...(runAs ?? {}) });
    writeFileSync(`${data}/certificate.pem`, certificate);
    writeFileSync(`${data}/key.pem`, key, { mode: 0o600 });
    for (const name of ["certificate.pem", "key.pem"]) own(`${data}/${name}`);
    await server.start();
    await server.run("CREATE DATABASE mail", "postgres");
    await server.run(`${sql};
      CREATE ROLE popkeep LOGIN PASSWORD '${DATABASE_PASSWORD}';
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO popkeep`);
    return server;
  } catch (error) {
    // Nobody would else.
    await server.delete();
    throw error;
  }
}

function settings(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** Debian keeps them apart by version, and none of them in the path. */
function programs(): string {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const newest = versions.sort((a, b) => Number(a) - Number(b))
    .findLast((version) => existsSync(`${VERSIONS}/${version}/bin/initdb`));
  if (newest === undefined) {
    throw new Error("There is no PostgreSQL; scripts/install_test_clients.sh installs it.");
  }
  return `${VERSIONS}/${newest}/bin`;
}
