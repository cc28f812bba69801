/**
 * EXTERNAL by mpop, curl and openssl: client certificates that openssl issued, over TLS that GnuTLS and
 * OpenSSL speak.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Authority, type Issued } from "../support/authority.ts";
import { OpensslClient } from "../support/openssl_client.ts";
import { clientTest, Inbox, run } from "../support/real_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";

const ALICE = "alice@example.com";

interface Scene {
  readonly server: RunningServer;
  readonly authority: Authority;
  readonly alice: Issued;
  /** Puts the authority's present list where the server reads it. */
  readonly publish: () => void;
}

async function withServer(folder: string, body: (scene: Scene) => Promise<void>): Promise<void> {
  const authority = new Authority(folder, "Test Authority");
  const alice = issue(authority);
  const list = join(folder, "revoked.pem");
  const publish = () => {
    writeFileSync(`${list}.new`, authority.revocationList());
    renameSync(`${list}.new`, list);
  };
  publish();
  const server = await startServer({
    settings: [
      `client_certificate_authorities = "${authority.certificateFile}"`,
      `client_certificate_revocation_lists = ["${list}"]`,
    ].join("\n"),
    users: [ALICE, "bob@example.com"],
  });
  try {
    server.maildir(ALICE).deliver("Subject: one\n\nHello.\n");
    await body({ server, authority, alice, publish });
  } finally {
    await server.stop();
  }
}

function issue(authority: Authority, address = ALICE): Issued {
  return authority.issue({ commonName: "A person", alternatives: [`email:${address}`] });
}

async function withClient<T>(
  options: Parameters<typeof OpensslClient.connect>[0],
  body: (client: OpensslClient) => Promise<T>,
): Promise<T> {
  const client = await OpensslClient.connect(options);
  try {
    return await body(client);
  } finally {
    client.close();
  }
}

clientTest(["mpop", "openssl"], "mpop logs in by its certificate", async (folder) => {
  await withServer(folder, async ({ server, alice }) => {
    const inbox = new Inbox(folder);
    for (const starttls of ["on", "off"]) {
      const settings = [
        "account default",
        "host localhost",
        `port ${starttls === "on" ? server.plainPort : server.tlsPort}`,
        `user ${ALICE}`,
        "auth external",
        "tls on",
        `tls_starttls ${starttls}`,
        `tls_trust_file ${server.folder}/certificate.pem`,
        `tls_cert_file ${alice.certificateFile}`,
        `tls_key_file ${alice.keyFile}`,
        "keep on",
        `uidls_file ${join(folder, `uidls-${starttls}`)}`,
        `delivery mda "${inbox.deliver} ${inbox.folder}"`,
      ];
      const file = join(folder, "mpoprc");
      writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
      const { code, output } = await run(folder, "mpop", `--file=${file}`, "--quiet");
      assert.deepEqual([code, output], [0, ""]);
    }
    assert.equal(inbox.messages().length, 2);
    await server.untilLogged(/EXTERNAL/);
  });
});

/** Lets curl list the mailbox as a user. */
async function curl(folder: string, { server }: Scene, shown: Issued, user: string) {
  return await run(
    folder,
    ...["curl", "--silent", "--show-error", "--max-time", "30"] as const,
    ...["--cacert", `${server.folder}/certificate.pem`],
    ...["--cert", shown.certificateFile, "--key", shown.keyFile],
    ...["--login-options", "AUTH=EXTERNAL", "--user", `${user}:`],
    `pop3s://localhost:${server.tlsPort}/`,
  );
}

clientTest(["curl", "openssl"], "curl logs in by its certificate", async (folder) => {
  await withServer(folder, async (scene) => {
    const { code, output } = await curl(folder, scene, scene.alice, ALICE);
    assert.equal(code, 0, output);
    assert.match(output, /^1 \d+\r?\n$/);
  });
});

clientTest(["curl", "openssl"], "a certificate opens no other user's mailbox", async (folder) => {
  await withServer(folder, async (scene) => {
    const { code, output } = await curl(folder, scene, scene.alice, "bob@example.com");
    // CURLE_LOGIN_DENIED
    assert.equal(code, 67, output);
  });
});

clientTest(["openssl"], "EXTERNAL is offered to who showed a certificate", async (folder) => {
  await withServer(folder, async ({ server, alice, authority }) => {
    const stranger = issue(new Authority(folder, "Another Authority"));
    const ended = authority.issue({
      commonName: "A person",
      alternatives: [`email:${ALICE}`],
      begins: -9,
      ends: -1,
    });
    const nameless = authority.issue({ commonName: ALICE });
    for (const version of ["tls1_2", "tls1_3"] as const) {
      for (
        const [shows, expected] of [
          [alice, true],
          [undefined, false],
          [stranger, false],
          [ended, false],
          [nameless, false],
        ] as const
      ) {
        for (const starttls of [false, true]) {
          const port = starttls ? server.plainPort : server.tlsPort;
          await withClient({ port, starttls, version, shows }, async (client) => {
            assert.equal((await client.mechanisms()).includes("EXTERNAL"), expected);
            const answer = await client.ask("AUTH EXTERNAL =");
            assert.match(answer, expected ? /^\+OK/ : /^-ERR/);
          });
        }
      }
    }
  });
});

clientTest(["openssl"], "who may have no EXTERNAL may have a password", async (folder) => {
  await withServer(folder, async ({ server }) => {
    const shows = issue(new Authority(folder, "Another Authority"));
    await withClient({ port: server.tlsPort, shows }, async (client) => {
      assert.match(await client.ask(`USER ${ALICE}`), /^\+OK/);
      assert.match(await client.ask("PASS secret"), /^\+OK/);
    });
  });
});

clientTest(
  ["openssl"],
  "a certificate that is revoked is so for who is connected",
  async (folder) => {
    await withServer(folder, async ({ server, authority, alice, publish }) => {
      await withClient({ port: server.tlsPort, shows: alice }, async (client) => {
        assert.ok((await client.mechanisms()).includes("EXTERNAL"));
        authority.revoke(alice);
        publish();
        // The server looks at the file once a second at most.
        await sleep(1_100);
        assert.match(await client.ask("AUTH EXTERNAL ="), /^-ERR \[AUTH\]/);
        await server.untilLogged(/a client certificate is revoked/);
      });
    });
  },
);

clientTest(["openssl"], "a certificate without its key is no good", async (folder) => {
  await withServer(folder, async ({ server, authority, alice }) => {
    const keyFile = join(folder, "forged.key");
    writeFileSync(keyFile, forgedKey(alice, issue(authority, "mallory@example.com")));
    const shows = { certificateFile: alice.certificateFile, keyFile };
    for (const version of ["tls1_2", "tls1_3"] as const) {
      await assert.rejects(() =>
        withClient({ port: server.tlsPort, version, shows }, async (client) => {
          return await client.ask("AUTH EXTERNAL =");
        })
      );
    }
    assert.doesNotMatch(server.log, /EXTERNAL/);
  });
});

/**
 * A key file that says it is the key of `owner` and holds that of `holder`, so that openssl takes it for
 * the certificate's (RFC 5915 §3: ECPrivateKey has the public key beside the private one).
 */
function forgedKey(owner: Issued, holder: Issued): string {
  const own = createPrivateKey(owner.key).export({ format: "jwk" });
  const held = createPrivateKey(holder.key).export({ format: "jwk" });
  const octets = (text = "") => Buffer.from(text, "base64url");
  const element = (tag: number, ...contents: Buffer[]) => {
    const content = Buffer.concat(contents);
    return Buffer.concat([Buffer.of(tag, content.length), content]);
  };
  const point = Buffer.concat([Buffer.of(0, 4), octets(own.x), octets(own.y)]);
  const der = element(
    0x30,
    element(0x02, Buffer.of(1)),
    element(0x04, octets(held.d)),
    // The curve P-256.
    element(0xa0, Buffer.from("06082a8648ce3d030107", "hex")),
    element(0xa1, element(0x03, point)),
  );
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN EC PRIVATE KEY-----\n${lines.join("\n")}\n-----END EC PRIVATE KEY-----\n`;
}
