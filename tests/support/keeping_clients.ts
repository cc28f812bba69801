/**
 * Clients that leave mail on the server and remember unique-ids, each run as its user would: fetchmail, getmail,
 * mpop. What they remember is in their folder, and so stays while the server behind the port changes.
 *
 * *Knows*: the clients' options. *Does not know*: servers.
 */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Inbox, run } from "./real_client.ts";

export interface Visit {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** One client, with its memory and where it puts mail. */
export class KeepingClient {
  readonly name: keyof typeof CLIENTS;
  readonly inbox: Inbox;
  readonly #folder: string;

  constructor(name: keyof typeof CLIENTS, folder: string) {
    this.name = name;
    this.#folder = join(folder, name);
    mkdirSync(this.#folder);
    this.inbox = new Inbox(this.#folder);
  }

  /** Downloads what is new to the client; returns how many messages that were. */
  async sync(visit: Visit): Promise<number> {
    const before = this.inbox.messages().length;
    await CLIENTS[this.name](this.#folder, this.inbox, visit);
    return this.inbox.messages().length - before;
  }
}

export const CLIENTS = { fetchmail, getmail, mpop };

async function fetchmail(folder: string, inbox: Inbox, visit: Visit): Promise<void> {
  const file = join(folder, "fetchmailrc");
  const settings = [
    "set invisible",
    `poll 127.0.0.1 service ${visit.port} protocol pop3 uidl auth password`,
    `  user "${visit.user}" password "${visit.password}" is root here sslproto ''`,
    `  keep no rewrite no stripcr mda "${inbox.deliver} ${inbox.folder}"`,
  ];
  writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
  const local = ["--nosyslog", "--nodetach", "--pidfile", join(folder, "pid")];
  const ended = await run(
    folder,
    "fetchmail",
    "--fetchmailrc",
    file,
    ...local,
    "--idfile",
    join(folder, "seen"),
  );
  // Mail was retrieved, or there was none (fetchmail(1), EXIT CODES).
  assert.ok(ended.code === 0 || ended.code === 1, ended.output);
}

/** A delivery command that ends before getmail waits for it is missed, and getmail hangs. */
const PATIENTLY = `#!/bin/sh
while read -r _ _ state _ < "/proc/$PPID/stat" && [ "$state" != S ]; do sleep 0.01; done
exec "$@"
`;

async function getmail(folder: string, inbox: Inbox, visit: Visit): Promise<void> {
  const patiently = join(folder, "patiently");
  writeFileSync(patiently, PATIENTLY, { mode: 0o755 });
  const file = join(folder, "getmailrc");
  const settings = `
[retriever]
type = SimplePOP3Retriever
server = 127.0.0.1
port = ${visit.port}
username = ${visit.user}
password = ${visit.password}

[destination]
type = MDA_external
path = ${patiently}
arguments = ("${inbox.deliver}", "${inbox.folder}")
allow_root_commands = true

[options]
delete = false
read_all = false
delivered_to = false
received = false
`;
  writeFileSync(file, settings, { mode: 0o600 });
  const ended = await run(folder, "getmail", "--getmaildir", folder, "--rcfile", file);
  assert.equal(ended.code, 0, ended.output);
}

async function mpop(folder: string, inbox: Inbox, visit: Visit): Promise<void> {
  const file = join(folder, "mpoprc");
  const settings = [
    "account default",
    "host 127.0.0.1",
    `port ${visit.port}`,
    `user ${visit.user}`,
    `password ${visit.password}`,
    "auth user",
    "tls off",
    "keep on",
    "received_header off",
    `uidls_file ${join(folder, "uidls")}`,
    `delivery mda "${inbox.deliver} ${inbox.folder}"`,
  ];
  writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
  const ended = await run(folder, "mpop", `--file=${file}`, "--quiet");
  assert.equal(ended.code, 0, ended.output);
}
