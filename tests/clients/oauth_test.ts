/**
 * Clients that log in with an access token: curl, mpop and mutt, by OAUTHBEARER and XOAUTH2, with tokens
 * that are signed and tokens that the authorization server is asked about.
 *
 * What the clients make of these mechanisms:
 * - curl sends the token in the command with `--sasl-ir` if it is short, else behind an empty challenge.
 *   It answers OAUTHBEARER's challenge that tells of a failure by AQ==. It takes OAUTHBEARER wherever that
 *   is offered, even when told XOAUTH2, so XOAUTH2 has to be offered alone.
 * - mpop sends it in the command for OAUTHBEARER, and on a line of its own for XOAUTH2; its lines have
 *   4,093 octets at the most. It answers that challenge by an empty line.
 * - mutt sends it on a line of its own, and answers that challenge by AQ==.
 *
 * fetchmail 6 and getmail6 have no tokens for POP3.
 */

import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  AUDIENCE,
  CLAIMS,
  ISSUER,
  makeSigner,
  type Signer,
  TestServer,
} from "../support/authorization_server.ts";
import { clientTest, Inbox, run } from "../support/real_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";

const USER = "alice@example.com";
const MESSAGE = "Subject: by token\r\n\r\nHello.\r\n";
const MECHANISMS = ["OAUTHBEARER", "XOAUTH2"] as const;
type Mechanism = typeof MECHANISMS[number];

/** A server that takes tokens, the tokens, and the server that knows them. */
interface Scene {
  readonly server: RunningServer;
  readonly signer: Signer;
  readonly authorization: TestServer;
  /** Tokens that let alice in, by what they are. */
  readonly good: Readonly<Record<"signed" | "long" | "opaque", string>>;
}

const OPAQUE = "2YotnFZFEjr1zCsicMWpAA";

async function withScene(
  use: (scene: Scene) => Promise<void>,
  loginType = "secure_login",
): Promise<void> {
  const signer = await makeSigner("k1");
  const authorization = await TestServer.start((request, response) => {
    const asked = request.method === "POST";
    const active = authorization.requests.at(-1)!.body.includes(`token=${OPAQUE}&`);
    response.end(JSON.stringify(asked ? { active, ...CLAIMS } : { keys: [signer.jwk] }));
  });
  const server = await startServer({
    users: [USER, "bob@example.com"],
    settings: [
      `login_type = "${loginType}"`,
      `oauth_jwks = "${authorization.url}"`,
      `oauth_introspection_url = "${authorization.url}"`,
      `oauth_issuer = "${ISSUER}"`,
      `oauth_audience = ["${AUDIENCE}"]`,
      'oauth_scopes = ["mail.pop"]',
      'oauth_user_claim = "email"',
    ].join("\n"),
  });
  try {
    for (const user of [USER, "bob@example.com"]) server.maildir(user).deliver(MESSAGE);
    // Nearly as long as mpop can send them.
    const long = await signer.sign({ groups: "0123456789abcdef".repeat(106) });
    const good = { signed: await signer.sign(), long, opaque: OPAQUE };
    await use({ server, signer, authorization, good });
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nWhat the server logged:\n${server.log}`;
    throw error;
  } finally {
    await server.stop();
    await authorization.stop();
  }
}

/** What a client is run with. */
interface Visit {
  readonly scene: Scene;
  readonly folder: string;
  readonly mechanism: Mechanism;
  readonly token: string;
  readonly user?: string;
  readonly port?: number | undefined;
}

/** Over STLS; or over plain TCP at the port that is given. */
function curl({ scene, folder, token, user = USER, port }: Visit, ...more: string[]) {
  const { server } = scene;
  const tls = ["--ssl-reqd", "--cacert", join(server.folder, "certificate.pem")];
  return run(
    folder,
    "curl",
    ...["--silent", "--show-error", "--user", user, "--oauth2-bearer", token],
    ...(port === undefined ? tls : []),
    ...more,
    `pop3://localhost:${port ?? server.plainPort}/1`,
  );
}

/** Runs `use` with a port at which curl takes the mechanism; undefined for the server's own. */
function withCurlFor(
  mechanism: Mechanism,
  use: (scene: Scene, port: number | undefined) => Promise<void>,
): Promise<void> {
  if (mechanism === "OAUTHBEARER") return withScene((scene) => use(scene, undefined));
  return withScene(
    (scene) => withXoauth2Alone(scene, (port) => use(scene, port)),
    "plaintext_login",
  );
}

/** Stands between, and takes OAUTHBEARER out of what the server says that it can. */
async function withXoauth2Alone(
  scene: Scene,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const sockets = new Set<net.Socket>();
  const between = net.createServer((client) => {
    const server = net.connect(scene.server.plainPort, "127.0.0.1");
    for (const socket of [client, server]) sockets.add(socket.on("error", () => {}));
    client.pipe(server);
    server.on("end", () => client.end());
    server.on("data", (chunk: Buffer) => {
      client.write(chunk.toString("latin1").replace(" OAUTHBEARER", ""), "latin1");
    });
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  try {
    await use((between.address() as net.AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    between.close();
  }
}

async function mpop({ scene, folder, mechanism, token, user = USER }: Visit) {
  const { server } = scene;
  const inbox = new Inbox(folder);
  writeFileSync(join(folder, "token"), token, { mode: 0o600 });
  const settings = [
    ...["account default", "host localhost", `port ${server.plainPort}`, `user ${user}`],
    ...[`auth ${mechanism.toLowerCase()}`, `passwordeval "cat ${join(folder, "token")}"`],
    ...["tls on", "tls_starttls on", `tls_trust_file ${join(server.folder, "certificate.pem")}`],
    ...["keep on", "received_header off", `uidls_file ${join(folder, "uidls")}`],
    `delivery mda "${inbox.deliver} ${inbox.folder}"`,
  ];
  const file = join(folder, "mpoprc");
  writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
  return { ended: await run(folder, "mpop", `--file=${file}`), inbox };
}

/** Runs mutt in a terminal of its own and lets it fetch all mail. */
async function mutt({ scene, folder, mechanism, token, user = USER }: Visit): Promise<string[]> {
  const { server } = scene;
  const spool = join(folder, "spool");
  for (const part of ["cur", "new", "tmp"]) mkdirSync(join(spool, part), { recursive: true });
  writeFileSync(join(folder, "token"), token, { mode: 0o600 });
  const certificate = join(server.folder, "certificate.pem");
  const settings = [
    `set pop_host="pop://${encodeURIComponent(user)}@localhost:${server.plainPort}"`,
    `set pop_authenticators="${mechanism.toLowerCase()}"`,
    `set pop_oauth_refresh_command="cat ${join(folder, "token")}"`,
    `set ssl_force_tls=yes ssl_starttls=yes ssl_ca_certificates_file="${certificate}"`,
    `set certificate_file="${certificate}" folder="${folder}" spoolfile="${spool}"`,
    "set mbox_type=Maildir sleep_time=0 pop_delete=no pop_last=no wait_key=no quit=yes",
    "push <fetch-mail><quit>",
  ];
  const file = join(folder, "muttrc");
  writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
  const command = `mutt -n -F ${file}`;
  await run(folder, "script", "--quiet", "--return", "--command", command, join(folder, "out"));
  const names = ["new", "cur"].flatMap((part) =>
    readdirSync(join(spool, part)).map((name) => join(spool, part, name))
  );
  return names.map((name) => readFileSync(name, "latin1"));
}

const LOCAL = MESSAGE.replaceAll("\r\n", "\n");

for (const mechanism of MECHANISMS) {
  clientTest(
    ["curl"],
    `curl logs in by ${mechanism}, on one line and on two`,
    (folder) =>
      withCurlFor(mechanism, async (scene, port) => {
        for (const token of Object.values(scene.good)) {
          for (const more of [[], ["--sasl-ir"]]) {
            const ended = await curl({ scene, folder, mechanism, token, port }, ...more);
            assert.equal(ended.code, 0, ended.output);
            assert.equal(ended.stdout, MESSAGE);
          }
        }
        await scene.server.untilLogged(new RegExp(`"mechanism":"${mechanism}"`));
        const { log } = scene.server;
        for (const token of Object.values(scene.good)) {
          assert.ok(!log.includes(token), "in the log");
        }
      }),
  );

  clientTest(
    ["curl"],
    `curl is refused by ${mechanism} with a token that does not do`,
    (folder) =>
      withCurlFor(mechanism, async (scene, port) => {
        const { signer } = scene;
        const wrong: [string, RegExp][] = [
          [await signer.sign({ exp: 1_700_000_000 }), /it has expired/],
          [await signer.sign({ aud: "https://other.example" }), /it is for another audience/],
          [await signer.sign({ scope: "openid" }), /it lacks the scope mail.pop/],
          [await (await makeSigner("k1")).sign(), /its signature is wrong/],
        ];
        for (const [token, reason] of wrong) {
          const ended = await curl({ scene, folder, mechanism, token, port });
          assert.equal(ended.code, 67, ended.output);
          await scene.server.untilLogged(reason);
          assert.ok(!scene.server.log.includes(token), "the token is in the log");
        }
      }),
  );

  clientTest(
    ["curl"],
    `curl is refused by ${mechanism} for another's mailbox`,
    (folder) =>
      withCurlFor(mechanism, async (scene, port) => {
        const { signed: token } = scene.good;
        const user = "bob@example.com";
        const ended = await curl({ scene, folder, mechanism, token, user, port });
        assert.equal(ended.code, 67, ended.output);
      }),
  );

  clientTest(["mpop"], `mpop downloads by ${mechanism}`, (folder) =>
    withScene(async (scene) => {
      for (const token of Object.values(scene.good)) {
        writeFileSync(join(folder, "uidls"), "");
        const { ended, inbox } = await mpop({ scene, folder, mechanism, token });
        assert.equal(ended.code, 0, ended.output);
        assert.deepEqual(inbox.messages().map(String), [LOCAL]);
      }
      const token = await scene.signer.sign({ exp: 1_700_000_000 });
      const { ended } = await mpop({ scene, folder, mechanism, token });
      assert.notEqual(ended.code, 0);
    }));

  clientTest(
    ["mutt", "script"],
    `mutt fetches by ${mechanism}`,
    (folder) =>
      withScene(async (scene) => {
        const token = await scene.signer.sign({ exp: 1_700_000_000 });
        assert.deepEqual(await mutt({ scene, folder, mechanism, token }), []);
        await scene.server.untilLogged(/it has expired/);
        const messages = await mutt({ scene, folder, mechanism, token: scene.good.long });
        assert.deepEqual(messages.map((message) => message.split("\n\n")[1]), ["Hello.\n"]);
      }),
  );
}

test("CAPA offers both mechanisms where a password may be shown", () =>
  withScene(async ({ server }) => {
    const plain = await server.connect();
    const secure = await server.connect({ tls: true });
    for (const [client, offered] of [[plain, false], [secure, true]] as const) {
      const lines = await client.listing("CAPA");
      const sasl = lines.find((line) => line.startsWith("SASL"))?.split(" ") ?? [];
      for (const mechanism of MECHANISMS) assert.equal(sasl.includes(mechanism), offered);
      client.disconnect();
    }
  }));
