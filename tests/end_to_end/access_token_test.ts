/**
 * Access tokens as a client of POP3 meets them: both mechanisms, in one line and in two, what is said of a
 * failure, and keys from an authorization server whose certificate only the operator's own authority signed.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { AUDIENCE, ISSUER, makeSigner, type Signer } from "../support/authorization_server.ts";
import { PASSWORD, type RunningServer, startServer, writeCertificate } from "../support/server.ts";
import { logged } from "./server_log.ts";

const USER = "alice@example.com";
const folder = mkdtempSync(join(tmpdir(), "popkeep-token-"));

let signer: Signer;
let authorization: https.Server;
let server: RunningServer;
/** The same server for whom the authorization server's certificate is nobody's. */
let distrustful: RunningServer;

before(async () => {
  signer = await makeSigner("k");
  await writeCertificate(folder);
  authorization = https.createServer({
    cert: readFileSync(join(folder, "certificate.pem")),
    key: readFileSync(join(folder, "key.pem")),
  }, (_, response) => void response.end(JSON.stringify({ keys: [signer.jwk] })));
  await new Promise<void>((resolve) => authorization.listen(0, "127.0.0.1", resolve));
  distrustful = await start();
  // How an operator has it trust an authority of his own.
  process.env["NODE_EXTRA_CA_CERTS"] = join(folder, "certificate.pem");
  server = await start();
  delete process.env["NODE_EXTRA_CA_CERTS"];
});

after(async () => {
  await server.stop();
  await distrustful.stop();
  authorization.closeAllConnections();
  authorization.close();
  rmSync(folder, { recursive: true });
});

function start(): Promise<RunningServer> {
  const { port } = authorization.address() as AddressInfo;
  return startServer({
    users: [USER],
    settings: [
      `oauth_jwks = "https://localhost:${port}/keys"`,
      `oauth_issuer = "${ISSUER}"`,
      `oauth_audience = ["${AUDIENCE}"]`,
      'oauth_scopes = ["mail.pop"]',
      'oauth_openid_configuration_url = "https://login.example.com/.well-known/openid-configuration"',
      'max_failed_logins = 20\nfailed_login_delay = "0s"',
    ].join("\n"),
  });
}

type Mechanism = "OAUTHBEARER" | "XOAUTH2";

function response(mechanism: Mechanism, token: string): string {
  const head = mechanism === "XOAUTH2" ? `user=${USER}\x01` : `n,a=${USER},\x01port=995\x01`;
  return Buffer.from(`${head}auth=Bearer ${token}\x01\x01`).toString("base64");
}

for (const mechanism of ["OAUTHBEARER", "XOAUTH2"] as const) {
  test(`${mechanism} lets in on one line and on two`, async () => {
    const line = response(mechanism, await signer.sign());
    const first = await server.connect({ tls: true });
    await first.ok(`AUTH ${mechanism} ${line}`);
    await first.quit();
    const second = await server.connect({ tls: true });
    assert.equal((await second.command(`AUTH ${mechanism}`)).line, "+ ");
    await second.ok(line);
    await second.quit();
  });

  test(`${mechanism} lets in with a token of 8 KiB`, async () => {
    const token = await signer.sign({ groups: "g".repeat(5_750) });
    assert.ok(token.length > 8_000, `${token.length}`);
    const client = await server.connect({ tls: true });
    await client.command(`AUTH ${mechanism}`);
    await client.ok(response(mechanism, token));
    await client.quit();
  });

  test(`${mechanism}: a refusal is told to the operator with its reason`, async () => {
    const since = server.log.length;
    const client = await server.connect({ tls: true });
    const line = response(mechanism, await signer.sign({ exp: 1_700_000_000 }));
    await client.command(`AUTH ${mechanism} ${line}`);
    const message = "an access token is refused";
    const record = await logged(server, { since, message, user: USER, address: "127.0.0.1" });
    assert.equal(record["reason"], "it has expired");
    client.disconnect();
  });

  test(`${mechanism}: keys that cannot be had are no wrong password`, async () => {
    const client = await distrustful.connect({ tls: true });
    const line = response(mechanism, await signer.sign());
    assert.equal((await client.err(`AUTH ${mechanism} ${line}`)).code, "SYS/TEMP");
    await client.login(USER, PASSWORD);
    await client.quit();
  });
}

test("OAUTHBEARER tells of a failure before it refuses, and the session goes on", async () => {
  const client = await server.connect({ tls: true });
  const line = response("OAUTHBEARER", await signer.sign({ scope: "openid" }));
  for (const answer of ["", "AQ==", Buffer.from("{}").toString("base64")]) {
    const challenge = await client.command(`AUTH OAUTHBEARER ${line}`);
    assert.equal(challenge.status, "+");
    assert.deepEqual(
      JSON.parse(Buffer.from(challenge.line.slice(2), "base64").toString("utf8")),
      {
        status: "insufficient_scope",
        "openid-configuration": "https://login.example.com/.well-known/openid-configuration",
        scope: "mail.pop",
      },
    );
    assert.equal((await client.err(answer)).code, "AUTH");
  }
  await client.command(`AUTH OAUTHBEARER ${line}`);
  await client.err("*");
  await client.login(USER, PASSWORD);
  await client.quit();
});

test("XOAUTH2 refuses a failure at once, and the session goes on", async () => {
  const client = await server.connect({ tls: true });
  const line = response("XOAUTH2", await signer.sign({ scope: "openid" }));
  assert.equal((await client.err(`AUTH XOAUTH2 ${line}`)).code, "AUTH");
  assert.equal((await client.command("AUTH XOAUTH2")).line, "+ ");
  assert.equal((await client.err(line)).code, "AUTH");
  await client.login(USER, PASSWORD);
  await client.quit();
});
