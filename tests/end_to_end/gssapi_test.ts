/**
 * AUTH GSSAPI over the wire: curl, mpop and fetchmail log in with a Kerberos ticket and nothing else, and
 * what happens where there is none, or where the server cannot check it.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Initiator, setLibraryEnvironment } from "../support/kerberos_initiator.ts";
import { KERBEROS_COMMANDS, KerberosRealm } from "../support/kerberos_realm.ts";
import { clientTest, type Ended, Inbox, run } from "../support/real_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { logged } from "./server_log.ts";

const MESSAGE = "Subject: for ticket holders\n\nHello.\n";

/** A realm with alice, bob and pop/localhost, and a server that knows alice. */
interface Stage {
  readonly folder: string;
  readonly realm: KerberosRealm;
  readonly server: RunningServer;
  /** Runs a client that has alice's ticket, or what another cache holds. */
  client(command: string, ...more: string[]): Promise<Ended>;
  clientWith(cache: string, command: string, ...more: string[]): Promise<Ended>;
}

function gssapiTest(
  commands: readonly string[],
  name: string,
  body: (stage: Stage) => Promise<void>,
  settings: readonly string[] = [],
): void {
  clientTest([...KERBEROS_COMMANDS, ...commands], name, async (folder) => {
    const realm = await KerberosRealm.start(join(folder, "realm"));
    realm.add("alice", "bob", "pop/localhost");
    const keytab = realm.keytab("pop.keytab", "pop/localhost");
    const before = process.env["KRB5_CONFIG"];
    process.env["KRB5_CONFIG"] = realm.settingsFile;
    const server = await startServer({
      users: [["alice", ""]],
      settings: [
        'login_type = "plaintext_authentication"',
        `gssapi_keytab = "${keytab}"`,
        ...settings,
      ].join("\n"),
    });
    if (before === undefined) delete process.env["KRB5_CONFIG"];
    else process.env["KRB5_CONFIG"] = before;
    // For this process's own tickets; under Deno the line above is seen by libraries, too.
    setLibraryEnvironment("KRB5_CONFIG", realm.settingsFile);
    try {
      server.maildir("alice").deliver(MESSAGE);
      const cache = realm.login("alice");
      const clientWith: Stage["clientWith"] = (cache, command, ...more) => {
        const kerberos = [`KRB5_CONFIG=${realm.settingsFile}`, `KRB5CCNAME=FILE:${cache}`];
        return run(folder, "env", ...kerberos, command, ...more);
      };
      const client: Stage["client"] = (command, ...more) => clientWith(cache, command, ...more);
      await body({ folder, realm, server, client, clientWith });
    } catch (error) {
      if (error instanceof Error) error.message += `\n\nWhat the server logged:\n${server.log}`;
      throw error;
    } finally {
      await server.stop();
      await realm.stop();
    }
  });
}

const urlOf = ({ server }: Stage) => `pop3://localhost:${server.plainPort}/1`;
const curlOptions = ["--silent", "--show-error", "--login-options", "AUTH=GSSAPI"];

// curl does Kerberos for a name with a realm, or for none, and not for a plain one.
for (const user of ["alice@EXAMPLE.ORG:", "alice@example.org:", ":"]) {
  gssapiTest(["curl"], `curl logs in as "${user}" with a ticket`, async (stage) => {
    const ended = await stage.client("curl", ...curlOptions, "--user", user, urlOf(stage));
    assert.equal(ended.code, 0, ended.output);
    assert.equal(ended.stdout, MESSAGE.replaceAll("\n", "\r\n"));
    await logged(stage.server, { since: 0, message: "session ended", mechanism: "GSSAPI" });
  });
}

gssapiTest(["curl"], "curl logs in with a ticket after STLS", async (stage) => {
  const tls = ["--ssl-reqd", "--cacert", join(stage.server.folder, "certificate.pem")];
  const ended = await stage.client(
    "curl",
    ...curlOptions,
    ...tls,
    "--user",
    ":",
    urlOf(stage),
  );
  assert.equal(ended.code, 0, ended.output);
  assert.equal(ended.stdout, MESSAGE.replaceAll("\n", "\r\n"));
});

gssapiTest(["mpop"], "mpop logs in with a ticket", async (stage) => {
  const inbox = new Inbox(stage.folder);
  const file = join(stage.folder, "mpoprc");
  const settings = [
    "account default",
    "host localhost",
    `port ${stage.server.plainPort}`,
    "user alice",
    "auth gssapi",
    "tls off",
    "keep on",
    "received_header off",
    `uidls_file ${join(stage.folder, "uidls")}`,
    `delivery mda "${inbox.deliver} ${inbox.folder}"`,
  ];
  writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
  const ended = await stage.client("mpop", `--file=${file}`, "--quiet");
  assert.equal(ended.code, 0, ended.output);
  assert.deepEqual(inbox.messages().map(String), [MESSAGE]);
});

gssapiTest(["fetchmail"], "fetchmail logs in with a ticket", async (stage) => {
  const inbox = new Inbox(stage.folder);
  const file = join(stage.folder, "fetchmailrc");
  const settings = [
    "set invisible",
    `poll localhost service ${stage.server.plainPort} protocol pop3 uidl auth gssapi`,
    `  user "alice" is root here sslproto ''`,
    `  keep no rewrite stripcr mda "${inbox.deliver} ${inbox.folder}"`,
  ];
  writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
  const local = ["--nosyslog", "--nodetach", "--pidfile", join(stage.folder, "pid")];
  const ids = ["--idfile", join(stage.folder, "ids")];
  const ended = await stage.client("fetchmail", "--fetchmailrc", file, ...local, ...ids);
  assert.equal(ended.code, 0, ended.output);
  assert.deepEqual(inbox.messages().map(String), [MESSAGE]);
});

gssapiTest(["curl"], "a ticket of somebody without a mailbox opens none", async (stage) => {
  const cache = stage.realm.login("bob");
  for (const user of ["alice@EXAMPLE.ORG:", ":"]) {
    const ended = await stage.clientWith(
      cache,
      "curl",
      ...curlOptions,
      "--user",
      user,
      urlOf(stage),
    );
    assert.equal(ended.code, 67, ended.output);
    await logged(stage.server, { since: 0, message: "login failed", mechanism: "GSSAPI" });
  }
});

gssapiTest(
  [],
  "GSSAPI is offered with and without TLS, and nothing of it is plaintext",
  async (stage) => {
    for (const tls of [false, true]) {
      const client = await stage.server.connect({ tls });
      const capabilities = await client.listing("CAPA");
      assert.ok(
        capabilities.some((line) => /^SASL .*\bGSSAPI\b/.test(line)),
        capabilities.join("\n"),
      );
      await client.ok("QUIT");
    }
  },
);

gssapiTest(
  [],
  "a token of 64 KiB is looked at, and a longer one ends in one -ERR",
  async (stage) => {
    const client = await stage.server.connect();
    for (const octets of [65_536, 65_540]) {
      assert.equal((await client.command("AUTH GSSAPI")).status, "+");
      await client.err(Buffer.alloc(octets).toString("base64"));
      await client.ok("CAPA");
    }
    await client.ok("QUIT");
  },
);

gssapiTest(
  [],
  "a used token is refused with [AUTH], a cancelled exchange is not counted",
  async (stage) => {
    const cache = stage.realm.login("alice");
    const token = Buffer.from(new Initiator({ cache }).next()).toString("base64");
    const first = await stage.server.connect();
    await first.command("AUTH GSSAPI");
    assert.equal((await first.command(token)).status, "+");
    await first.err("*");
    assert.equal((await first.command("AUTH GSSAPI")).status, "+");
    const refused = await first.err(token);
    assert.match(refused.line, /\[AUTH\]/);
    await logged(stage.server, {
      since: 0,
      message: "a Kerberos login was refused",
      reason: "the token was used before",
    });
    await first.ok("QUIT");
  },
);

gssapiTest(
  [],
  "a keytab that is gone since the start is an outage, told in the log",
  async (stage) => {
    const cache = stage.realm.login("alice");
    const client = await stage.server.connect();
    await client.command("AUTH GSSAPI");
    writeFileSync(join(stage.realm.folder, "pop.keytab"), "");
    const token = Buffer.from(new Initiator({ cache }).next()).toString("base64");
    assert.match((await client.err(token)).line, /\[SYS\/TEMP\]/);
    await logged(stage.server, { since: 0, message: "a Kerberos login could not be checked" });
    await client.ok("QUIT");
  },
);

gssapiTest(
  [],
  "where a binding to TLS is required, GSSAPI is not offered without TLS",
  async (stage) => {
    const client = await stage.server.connect();
    assert.doesNotMatch((await client.listing("CAPA")).join("\n"), /GSSAPI/);
    await client.err("AUTH GSSAPI");
    await client.ok("QUIT");
  },
  ['extended_protection_policy = "require"'],
);
