/**
 * Nobody gets out of the folder that mail is in by a name that a mechanism proves: SCRAM, NTLM, a token's
 * claim, a certificate's address, a Kerberos principal. All names are users with the right secret, so that
 * each login comes as far as it can. The mailbox beside that folder is watched, as in paths_test.ts.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { makeScramKeys } from "../../src/auth/scram/derive_keys.ts";
import { encodeScramKeys } from "../../src/auth/scram/stored_keys.ts";
import { Authority } from "../support/authority.ts";
import { AUDIENCE, ISSUER, makeSigner, type Signer } from "../support/authorization_server.ts";
import { Canary, readsAll } from "../support/canary.ts";
import { HOSTILE_NAMES } from "../support/hostile_names.ts";
import { Initiator, setLibraryEnvironment } from "../support/kerberos_initiator.ts";
import { KERBEROS_COMMANDS, KerberosRealm } from "../support/kerberos_realm.ts";
import { authenticateMessage, md4Of, negotiateMessage } from "../support/ntlm_client.ts";
import { OpensslClient } from "../support/openssl_client.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { clientTest } from "../support/real_client.ts";
import { ScramClient } from "../support/scram_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";

/** Those of the names that a line of the user file can hold. */
const NAMES = HOSTILE_NAMES.filter((name) => !/[\r\n:]/.test(name));

/** Where a name becomes a path: of the home that the directory gives, and by the template alone. */
const TEMPLATES = ["{home}/Maildir", "MAIL/{user}/Maildir", "MAIL/{domain}/{local}/Maildir"];

let canary: Canary;
let signer: Signer;
let secrets: string;

before(async () => {
  canary = new Canary();
  new TestMaildir(`${canary.mail}/alice/Maildir`).deliver("Subject: own\n\nown\n");
  signer = await makeSigner("k");
  const ntHash = md4Of(Buffer.from(PASSWORD, "utf16le")).toString("hex");
  const keys = encodeScramKeys(await makeScramKeys(Buffer.from(PASSWORD))).replace(/^.*}/, "");
  secrets = `popkeep_nt_hash=${ntHash} popkeep_scram_sha_256=${keys}`;
});

after(() => canary.delete());

/** Runs `work` with a server that knows alice and all names, and does nothing with the canary's files. */
async function untouched(
  template: string,
  settings: string,
  work: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "popkeep-names-"));
  const keySet = join(folder, "keys.json");
  writeFileSync(keySet, JSON.stringify({ keys: [signer.jwk] }));
  const server = await startServer({
    settings: `maildir = "${template.replace("MAIL", canary.mail)}"
login_type = "plaintext_login"
max_failed_logins = 20
failed_login_delay = "0"
never_blocked_addresses = ["127.0.0.0/8"]
oauth_jwks = "${keySet}"
oauth_issuer = "${ISSUER}"
oauth_audience = ["${AUDIENCE}"]
${settings}`,
  });
  const lines = ["alice", ...NAMES].map((name) =>
    `${name}:{PLAIN}${PASSWORD}::::${canary.mail}/${name}::${secrets}\n`
  );
  writeFileSync(`${server.folder}/users`, lines.join(""));
  try {
    server.signal("SIGHUP");
    await server.untilLogged(/"reloaded"/);
    const touched = await canary.touchedDuring(server, () => work(server));
    assert.deepEqual(touched, []);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Answers challenges until the server has none; its last word, "+OK" or a response code. */
async function exchange(
  client: Pop3Client,
  mechanism: string,
  messages: AsyncGenerator<Uint8Array, void, Buffer>,
): Promise<string> {
  let reply = await client.command(`AUTH ${mechanism}`);
  while (reply.status === "+") {
    const challenge = Buffer.from(reply.line.slice(2), "base64");
    const { value, done } = await messages.next(challenge);
    reply = await client.command(done ? "*" : Buffer.from(value).toString("base64"));
  }
  return reply.status === "+OK" ? reply.status : String(reply.code);
}

type Messages = (user: string) => AsyncGenerator<Uint8Array, void, Buffer>;

const byScram: Messages = async function* (user) {
  const client = new ScramClient({ user, password: PASSWORD });
  const serverFirst = yield client.first();
  yield client.final(serverFirst);
  yield new Uint8Array();
};

const byNtlm: Messages = async function* (user) {
  const negotiate = negotiateMessage();
  const challenge = yield negotiate;
  yield await authenticateMessage({ user, password: PASSWORD }, negotiate, challenge);
};

const byToken: Messages = async function* (user) {
  const token = await signer.sign({ email: user });
  yield Buffer.from(`n,,\x01auth=Bearer ${token}\x01\x01`);
  // What RFC 7628 §3.2.3 has a client say to a refusal.
  yield Buffer.from("\x01");
};

const MECHANISMS: Readonly<Record<string, Messages>> = {
  "SCRAM-SHA-256": byScram,
  NTLM: byNtlm,
  OAUTHBEARER: byToken,
};

async function looksAroundBy(
  server: RunningServer,
  mechanism: string,
  user: string,
): Promise<string> {
  const client = await server.connect({ tls: true });
  const messages = MECHANISMS[mechanism]!(user);
  // Up to the first of its messages, which answers the empty challenge.
  const outcome = await exchange(client, mechanism, begun(messages));
  if (outcome === "+OK") await readsAll(client, user);
  await client.quit();
  return outcome;
}

/** The same messages, where the first challenge is only what asks for the first of them. */
async function* begun(
  messages: AsyncGenerator<Uint8Array, void, Buffer>,
): AsyncGenerator<Uint8Array, void, Buffer> {
  for (let next = await messages.next(Buffer.alloc(0)); !next.done;) {
    next = await messages.next(yield next.value);
  }
}

for (const template of TEMPLATES) {
  test(`no name that a secret or a token proves leads out of ${template}`, async () => {
    await untouched(template, "", async (server) => {
      for (const mechanism of Object.keys(MECHANISMS)) {
        // The slowest of them goes the same way from there on.
        if (mechanism === "SCRAM-SHA-256" && template !== TEMPLATES[0]) continue;
        if (!template.includes("{domain}")) {
          assert.equal(await looksAroundBy(server, mechanism, "alice"), "+OK");
        }
        // A token can hold what no line of a user file can.
        const names = mechanism === "OAUTHBEARER" ? HOSTILE_NAMES : NAMES;
        for (const name of names) await looksAroundBy(server, mechanism, name);
      }
    });
  });
}

/** Names that can stand in a certificate's address, which is ASCII. */
const ADDRESSES = [
  "../canary@example.com",
  "alice@../canary",
  "alice@..",
  "../canary",
  "..@..",
  ".",
];

clientTest(["openssl"], "no address in a certificate leads out", async (folder) => {
  const authority = new Authority(folder, "Test Authority");
  const settings = `client_certificate_authorities = "${authority.certificateFile}"`;
  const issued = new Map(["alice", ...ADDRESSES].map((user) => {
    return [user, authority.issue({ commonName: "A person", alternatives: [`email:${user}`] })];
  }));
  for (const template of TEMPLATES) {
    await untouched(template, settings, async (server) => {
      for (const [user, shows] of issued) {
        if (user === "alice" && template.includes("{domain}")) continue;
        const client = await OpensslClient.connect({ port: server.tlsPort, shows });
        const answer = await client.ask("AUTH EXTERNAL =");
        if (user === "alice") assert.match(answer, /^\+OK/);
        else if (answer.startsWith("+OK")) assert.match(await client.ask("STAT"), /^\+OK 0 /);
        client.close();
      }
    });
  }
});

/** As Kerberos writes them: a slash and an at-sign that are no separators have a backslash before them. */
const PRINCIPALS = ["..\\/canary", "..", "..\\/canary\\@example.com", "alice\\/..\\/..\\/canary"];

clientTest(KERBEROS_COMMANDS, "no Kerberos principal leads out", async (folder) => {
  // With PACs the KDC itself gives no tickets to names with a slash in them.
  const realm = await KerberosRealm.start(join(folder, "realm"), "disable_pac = true");
  try {
    realm.add("alice", "pop/localhost", ...PRINCIPALS);
    const settings = `gssapi_keytab = "${realm.keytab("pop.keytab", "pop/localhost")}"`;
    process.env["KRB5_CONFIG"] = realm.settingsFile;
    setLibraryEnvironment("KRB5_CONFIG", realm.settingsFile);
    for (const template of TEMPLATES) {
      await untouched(template, settings, async (server) => {
        const users = template.includes("{domain}") ? PRINCIPALS : ["alice", ...PRINCIPALS];
        for (const user of users) {
          const client = await server.connect();
          const outcome = await exchange(client, "GSSAPI", begun(byTicket(realm.login(user))));
          if (user === "alice") assert.equal(outcome, "+OK");
          if (outcome === "+OK") await readsAll(client, user);
          await client.quit();
        }
      });
    }
  } finally {
    delete process.env["KRB5_CONFIG"];
    await realm.stop();
  }
});

/** A context without mutual proof, no layer, and nobody else to act for (RFC 4752 §3.1). */
async function* byTicket(cache: string): AsyncGenerator<Uint8Array, void, Buffer> {
  const initiator = new Initiator({ cache });
  const layers = yield initiator.next();
  initiator.unwrap(layers.length === 0 ? yield new Uint8Array() : layers);
  yield initiator.wrap(Uint8Array.of(1, 0, 0, 0));
}
