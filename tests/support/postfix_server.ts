/**
 * A real Postfix on 127.0.0.1 that hands mail for example.com to a command, or over by LMTP, with settings, queue
 * and log in a folder of its own: takes root, as Postfix does. Nothing of the system's own Postfix is read or
 * changed.
 *
 * *Knows*: Postfix. *Does not know*: what becomes of the mail.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free_port.ts";

/** Runs commands for Postfix, which refuses to run them as root. */
export const MAIL_USER = "nobody";

/** How long it may take to start or stop, ms. */
const PATIENCE_MS = 60_000;

/** Where mail goes: a command with pipe(8)'s macros in it, or what lmtp(8) connects to. */
export type PostfixTransport =
  | { readonly command: readonly string[] }
  /** `unix:PATH` or `inet:HOST:PORT`. */
  | { readonly lmtp: string };

export class PostfixServer {
  readonly folder: string;
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  static async start(folder: string, transport: PostfixTransport): Promise<PostfixServer> {
    const server = new PostfixServer(folder, await freePort());
    chmodSync(folder, 0o755);
    for (const name of ["conf", "queue", "data"]) mkdirSync(`${folder}/${name}`);
    run("chown", "postfix", `${folder}/data`);
    writeFileSync(`${folder}/conf/main.cf`, mainSettings(folder, transport));
    writeFileSync(`${folder}/conf/master.cf`, masterSettings(server.port, transport));
    run("postfix", "-c", `${folder}/conf`, "start");
    return server;
  }

  get log(): string {
    const file = `${this.folder}/mail.log`;
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** Messages that were accepted and are not delivered yet. */
  get queued(): number {
    return ["maildrop", "incoming", "active", "deferred"].reduce((count, name) => {
      const entries = readdirSync(`${this.folder}/queue/${name}`, {
        recursive: true,
        withFileTypes: true,
      });
      return count + entries.filter((entry) => entry.isFile()).length;
    }, 0);
  }

  /** Ends it, and what it started. */
  async stop(): Promise<void> {
    const pid = Number(readFileSync(`${this.folder}/queue/pid/master.pid`, "utf8"));
    process.kill(pid, "SIGTERM");
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    while (existsSync(`/proc/${pid}`)) {
      assert.ok(performance.now() < giveUpAtMs, "Postfix does not end");
      await sleep(20);
    }
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
}

/** What could not be delivered is tried again at once. */
function mainSettings(folder: string, transport: PostfixTransport): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.com
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
allow_min_user = yes
virtual_mailbox_domains = example.com
virtual_transport = ${"lmtp" in transport ? `lmtp:${transport.lmtp}` : "popkeep"}
popkeep_destination_recipient_limit = 1
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
transport_retry_time = 1s
`;
}

function masterSettings(port: number, transport: PostfixTransport): string {
  const command = "command" in transport ? transport.command : ["/bin/false"];
  return `${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
lmtp unix - - n - - lmtp
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
popkeep unix - n n - 4 pipe
  flags=Xq user=${MAIL_USER} null_sender= argv=${command.join(" ")}
`;
}
