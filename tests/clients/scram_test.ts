/**
 * SCRAM-SHA-256 by mpop, and -PLUS by GNU SASL's command over OpenSSL's TLS: proofs, channel bindings and
 * stored keys that nobody here wrote.
 *
 * mpop does not know -PLUS, and `gsasl` speaks IMAP and SMTP alone. So gsasl gives the tokens, openssl
 * carries them, and the exporter that gsasl binds to is the one that openssl exports.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { makeScramKeys } from "../../src/auth/scram/derive_keys.ts";
import { encodeScramKeys } from "../../src/auth/scram/stored_keys.ts";
import { DialogueProcess } from "../support/dialogue_process.ts";
import { OpensslClient } from "../support/openssl_client.ts";
import { clientTest, Inbox, run } from "../support/real_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";

const PLUS = "SCRAM-SHA-256-PLUS";
const BARE = "SCRAM-SHA-256";

/** Deno does not export keying material, and so has no -PLUS. */
const exports = "Bun" in globalThis || Boolean(process.env["POPKEEP_EXECUTABLE"]);

/** alice's keys are made by popkeep and stand beside a hash; bob's by gsasl, in its place. */
async function withServer(body: (server: RunningServer) => Promise<void>): Promise<void> {
  const keys = encodeScramKeys(await makeScramKeys(Buffer.from("pencil"))).replace(/^.*}/, "");
  const byGsasl = ["--mkpasswd", `--mechanism=${BARE}`, "--password=pencil"];
  const bob = execFileSync("gsasl", byGsasl, { encoding: "utf8" }).trim();
  const server = await startServer({
    settings: 'login_type = "plaintext_login"',
    users: [["alice", "{PLAIN}pencil", `popkeep_scram_sha_256=${keys}`], ["bob", bob]],
  });
  try {
    for (const user of ["alice", "bob"]) server.maildir(user).deliver("Subject: one\n\nHello.\n");
    await body(server);
  } finally {
    await server.stop();
  }
}

interface MpopLogin {
  readonly user: string;
  readonly password: string;
  readonly ways: readonly ("plain" | "STLS" | "TLS")[];
}

/** Lets mpop fetch the mail in each way; the messages that came, and how it ended. */
async function mpop(folder: string, server: RunningServer, { user, password, ways }: MpopLogin) {
  const inbox = new Inbox(folder);
  const outcomes = [];
  for (const way of ways) {
    const file = join(folder, "mpoprc");
    const settings = [
      "account default",
      "host localhost",
      `port ${way === "TLS" ? server.tlsPort : server.plainPort}`,
      `user ${user}`,
      `password ${password}`,
      "auth scram-sha-256",
      `tls ${way === "plain" ? "off" : "on"}`,
      `tls_starttls ${way === "STLS" ? "on" : "off"}`,
      `tls_trust_file ${server.folder}/certificate.pem`,
      "keep on",
      "uidls_file ~/uidls",
      `delivery mda "${inbox.deliver} ${inbox.folder}"`,
    ];
    writeFileSync(file, settings.join("\n") + "\n", { mode: 0o600 });
    const uidls = `--uidls-file=${join(folder, `${user}.${way}`)}`;
    outcomes.push(await run(folder, "mpop", `--file=${file}`, "--quiet", uidls));
  }
  return { outcomes, messages: inbox.messages() };
}

clientTest(
  ["mpop", "gsasl"],
  "mpop logs in by SCRAM-SHA-256, with and without TLS",
  async (folder) => {
    await withServer(async (server) => {
      for (const user of ["alice", "bob"]) {
        const login = { user, password: "pencil", ways: ["plain", "STLS", "TLS"] } as const;
        const { outcomes, messages } = await mpop(folder, server, login);
        assert.deepEqual(
          outcomes.map(({ code, output }) => [code, output]),
          Array(3).fill([0, ""]),
        );
        assert.equal(messages.length, 3);
      }
      await server.untilLogged(/SCRAM-SHA-256/);
    });
  },
);

clientTest(["mpop", "gsasl"], "mpop with a wrong password does not", async (folder) => {
  await withServer(async (server) => {
    for (const user of ["alice", "nobody"]) {
      const login = { user, password: "pencils", ways: ["TLS"] } as const;
      const { outcomes, messages } = await mpop(folder, server, login);
      for (const { code, output } of outcomes) {
        assert.notEqual(code, 0);
        assert.match(output, /authentication failed|\[AUTH\]/i);
      }
      assert.equal(messages.length, 0);
    }
  });
});

interface GsaslLogin {
  readonly client: OpensslClient;
  readonly mechanism: string;
  readonly user?: string;
  readonly password?: string;
  /** What gsasl binds to; nothing unless given. */
  readonly bound?: Uint8Array;
}

/** Logs in with gsasl's tokens; the server's last line. */
async function logIn(login: GsaslLogin): Promise<string> {
  const { client, mechanism, user = "alice", password = "pencil", bound } = login;
  const gsasl = new DialogueProcess(
    ...["gsasl", "--client", "--quiet", `--mechanism=${mechanism}`] as const,
    ...[`--authentication-id=${user}`, `--password=${password}`],
  );
  const token = () => gsasl.hear(/^([A-Za-z0-9+/]+=*)\n/m);
  try {
    await gsasl.hear(/tls-exporter channel binding: /);
    gsasl.say(bound === undefined ? "" : Buffer.from(bound).toString("base64"));
    if (bound === undefined) {
      await gsasl.hear(/tls-unique channel binding: /);
      gsasl.say("");
    }
    assert.equal(await client.ask(`AUTH ${mechanism}`), "+");
    let answer = await client.ask(await token());
    for (let turn = 0; turn < 2 && answer.startsWith("+ "); turn++) {
      gsasl.say(answer.slice("+ ".length));
      // After the server's signature, which gsasl checks, there is nothing to be said.
      answer = await client.ask(turn === 0 ? await token() : "");
    }
    return answer;
  } finally {
    gsasl.stop();
  }
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

clientTest(["gsasl", "openssl"], "GNU SASL binds to OpenSSL's TLS by tls-exporter", async () => {
  await withServer(async (server) => {
    for (const user of ["alice", "bob"]) {
      for (const starttls of [false, true]) {
        const port = starttls ? server.plainPort : server.tlsPort;
        await withClient({ port, starttls }, async (client) => {
          assert.equal((await client.mechanisms()).includes(PLUS), exports);
          if (!exports) return;
          const bound = client.exported;
          assert.match(await logIn({ client, mechanism: PLUS, user, bound }), /^\+OK/);
          assert.match(await client.ask("STAT"), /^\+OK 1 /);
        });
      }
    }
  });
});

clientTest(["gsasl", "openssl"], "a proof for another connection's TLS is refused", async () => {
  if (!exports) return;
  await withServer(async (server) => {
    const port = server.tlsPort;
    await withClient({ port }, async (client) => {
      const bound = await withClient({ port }, (other) => Promise.resolve(other.exported));
      assert.match(await logIn({ client, mechanism: PLUS, bound }), /^-ERR \[AUTH\]/);
      assert.match(await logIn({ client, mechanism: PLUS, bound: client.exported }), /^\+OK/);
    });
  });
});

clientTest(["gsasl", "openssl"], "GNU SASL with a wrong password is refused", async () => {
  await withServer(async (server) => {
    await withClient({ port: server.tlsPort }, async (client) => {
      const mechanisms = exports ? [BARE, PLUS] : [BARE];
      for (const mechanism of mechanisms) {
        for (const user of ["alice", "nobody"]) {
          const bound = mechanism === PLUS ? { bound: client.exported } : {};
          const login = { client, mechanism, user, password: "pencils", ...bound };
          assert.match(await logIn(login), /^-ERR \[AUTH\]/);
        }
      }
    });
  });
});

clientTest(
  ["gsasl", "openssl"],
  "GNU SASL without a binding logs in by SCRAM-SHA-256",
  async () => {
    await withServer(async (server) => {
      for (const version of ["tls1_2", "tls1_3"] as const) {
        await withClient({ port: server.tlsPort, version }, async (client) => {
          const offered = (await client.mechanisms()).includes(PLUS);
          assert.equal(offered, exports && version === "tls1_3");
          assert.match(await logIn({ client, mechanism: BARE }), /^\+OK/);
        });
      }
    });
  },
);
