/**
 * popkeep on a host of a test's own network, whose users' mail is on a filesystem that several hosts share.
 *
 * *Knows* the settings file. *Does not know* what the filesystem is.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Host, HostedOptions, HostedProcess } from "../support/host_network.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, popkeepCommand, writeCertificate } from "../support/server.ts";
import type { SocketOptions } from "../support/wire.ts";

const PLAIN_PORT = 110;
const TLS_PORT = 995;

/** How long it may take until it listens, and until a line is logged, ms. */
const PATIENCE_MS = 30_000;

export interface HostedPopkeepOptions extends HostedOptions {
  readonly host: Host;
  /** For its settings, certificate and users; every host has its own. */
  readonly folder: string;
  /** Where the host has the mail: each user's in a folder of the name. */
  readonly mail: string;
  readonly users: readonly string[];
  /** Further lines of the settings file. */
  readonly settings?: string;
}

export class HostedPopkeep {
  readonly host: Host;
  readonly process: HostedProcess;

  private constructor(host: Host, process: HostedProcess) {
    this.host = host;
    this.process = process;
  }

  /** Starts it and waits until it listens. */
  static async start(options: HostedPopkeepOptions): Promise<HostedPopkeep> {
    const { host, folder, mail, users, settings = "", ...clock } = options;
    mkdirSync(folder, { recursive: true });
    await writeCertificate(folder);
    const lines = users.map((user) => `${user}:{PLAIN}${PASSWORD}::::/nowhere::\n`);
    writeFileSync(join(folder, "users"), lines.join(""), { mode: 0o600 });
    const file = join(folder, "popkeep.toml");
    writeFileSync(
      file,
      [
        `unencrypted_or_tls_bindings = ["${host.address}:${PLAIN_PORT}"]`,
        `ssl_bindings = ["${host.address}:${TLS_PORT}"]`,
        'user_file = "users"',
        `maildir = "${mail}/{user}/Maildir"`,
        'user = "root"',
        ...(/^login_type/m.test(settings) ? [] : ['login_type = "plaintext_login"']),
        ...(/failed_login_|never_blocked/.test(settings)
          ? []
          : ['never_blocked_addresses = ["198.18.0.0/15"]']),
        settings,
        '[[certificates]]\ncertificate_file = "certificate.pem"\nkey_file = "key.pem"',
        "",
      ].join("\n"),
    );
    const process = await host.start([...popkeepCommand(), "serve", "--config", file], clock);
    const popkeep = new HostedPopkeep(host, process);
    await popkeep.#listening();
    return popkeep;
  }

  get log(): string {
    return this.process.output;
  }

  connect(options: Partial<SocketOptions> = {}): Promise<Pop3Client> {
    const port = options.tls === true ? TLS_PORT : PLAIN_PORT;
    return Pop3Client.connect({ host: this.host.address, port, timeoutMs: 60_000, ...options });
  }

  /** Connects and logs in with the usual password. */
  async login(user: string): Promise<Pop3Client> {
    const client = await this.connect();
    await client.login(user, PASSWORD);
    return client;
  }

  /** Waits until the log has such text. */
  async untilLogged(text: RegExp): Promise<void> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    while (!text.test(this.log)) {
      if (performance.now() > giveUpAtMs) {
        throw new Error(`Nothing logged like ${text}:\n${this.log}`);
      }
      await sleep(20);
    }
  }

  async #listening(): Promise<void> {
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        const client = await this.connect({ timeoutMs: 5_000 });
        return await client.quit();
      } catch (error) {
        if (this.process.hasEnded || performance.now() > giveUpAtMs) {
          throw new Error(`popkeep does not listen on its host:\n${this.log}`, { cause: error });
        }
        await sleep(20);
      }
    }
  }
}
