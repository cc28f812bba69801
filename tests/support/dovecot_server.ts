/**
 * A real Dovecot on 127.0.0.1 that serves Maildirs over POP3, with settings and state in a folder of its own: takes
 * root, as Dovecot does. Nothing of the system's own Dovecot is read or changed.
 *
 * *Knows*: Dovecot 2.3. *Does not know*: what is done with it.
 */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { type Daemon, startDaemon } from "./daemon.ts";
import { freePort } from "./free_port.ts";

export interface DovecotOptions {
  /** Where the homes are; each has a Maildir, and belongs to `owner`. */
  readonly homes: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly password: string;
  readonly users: readonly string[];
  /** Further lines of the settings. */
  readonly settings?: string;
}

export class DovecotServer {
  readonly port: number;
  readonly #daemon: Daemon;

  private constructor(daemon: Daemon, port: number) {
    this.#daemon = daemon;
    this.port = port;
  }

  static async start(folder: string, options: DovecotOptions): Promise<DovecotServer> {
    const port = await freePort();
    chmodSync(folder, 0o755);
    mkdirSync(`${folder}/base`);
    const users = options.users.map((user) => `${user}:{PLAIN}${options.password}\n`);
    writeFileSync(`${folder}/users`, users.join(""));
    writeFileSync(`${folder}/dovecot.conf`, settingsOf(folder, port, options));
    const daemon = await startDaemon(["dovecot", "-F", "-c", `${folder}/dovecot.conf`], {
      answers: () => takesConnections(port),
    });
    return new DovecotServer(daemon, port);
  }

  stop(): Promise<void> {
    return this.#daemon.stop();
  }
}

function settingsOf(
  folder: string,
  port: number,
  { homes, owner, settings = "" }: DovecotOptions,
): string {
  return `base_dir = ${folder}/base
log_path = ${folder}/log
protocols = pop3
listen = 127.0.0.1
disable_plaintext_auth = no
ssl = no
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = scheme=PLAIN ${folder}/users
}
userdb {
  driver = static
  args = uid=${owner.uid} gid=${owner.gid} home=${homes}/%u
}
mail_location = maildir:~/Maildir
service pop3-login {
  inet_listener pop3 {
    port = ${port}
  }
  inet_listener pop3s {
    port = 0
  }
}
${settings}
`;
}

function takesConnections(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
