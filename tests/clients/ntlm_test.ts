/**
 * Logging in by NTLM with programs that other people wrote.
 *
 * What they make of it:
 * - curl speaks NTLMv2 in OEM, without MIC and channel bindings; with `--sasl-ir` its NEGOTIATE comes with
 *   the command.
 * - Samba's ntlm_auth is a client with a MIC, and a helper that makes challenges and checks answers. As a
 *   helper it is given a password here, which is then everybody's; for accounts of a domain it asks
 *   winbindd.
 * - fetchmail 6 and mpop (by libntlm) know NTLMv1 alone, and so are turned away.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HelperProcess } from "../../src/auth/ntlm_auth_helper/helper_process.ts";
import { authenticateMessage, negotiateMessage } from "../support/ntlm_client.ts";
import { md4Of, type NtlmCredentials } from "../support/ntlm_client.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { clientTest, run } from "../support/real_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";

const MESSAGE = "Subject: by NTLM\r\n\r\nHello.\r\n";

/** An exchange with a Samba program takes no longer, ms. */
const SAMBA_MS = 30_000;

/** A server with alice, who has an NT hash, and bob, who has none. */
async function withServer(
  settings: string,
  use: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const ntHash = md4Of(Buffer.from(PASSWORD, "utf16le")).toString("hex");
  const server = await startServer({
    users: [["alice", `{PLAIN}${PASSWORD}`, `popkeep_nt_hash=${ntHash}`], "bob"],
    settings: [
      'server_name = "mail.example.org"',
      'ntlm_domain = "EXAMPLE"',
      // Without TLS the mechanisms that show no password are then offered.
      'login_type = "plaintext_authentication"',
      'failed_login_delay = "0"',
      settings,
    ].join("\n"),
  });
  try {
    for (const user of ["alice", "bob"]) server.maildir(user).deliver(MESSAGE);
    await use(server);
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nWhat the server logged:\n${server.log}`;
    throw error;
  } finally {
    await server.stop();
  }
}

async function offersNtlm(server: RunningServer, tls = false): Promise<boolean> {
  const client = await server.connect({ tls });
  const capabilities = await client.listing("CAPA");
  await client.quit();
  return capabilities.some((line) => /^SASL .*\bNTLM\b/.test(line));
}

function curl(server: RunningServer, folder: string, user: string, ...more: string[]) {
  const options = ["--silent", "--show-error", "--login-options", "AUTH=NTLM", "--user", user];
  return run(folder, "curl", ...options, ...more, `pop3://localhost:${server.plainPort}/1`);
}

clientTest(
  ["curl"],
  "curl logs in by NTLM, in the clear and under TLS, in one step less too",
  (folder) =>
    withServer("", async (server) => {
      const tls = ["--ssl-reqd", "--cacert", join(server.folder, "certificate.pem")];
      for (const user of ["alice", "EXAMPLE\\alice", "elsewhere\\alice"]) {
        for (const more of [[], tls, ["--sasl-ir"], ["--sasl-ir", ...tls]]) {
          const ended = await curl(server, folder, `${user}:${PASSWORD}`, ...more);
          assert.deepEqual([ended.code, ended.stdout], [0, MESSAGE], ended.output);
        }
      }
    }),
);

clientTest(
  ["curl"],
  "curl is turned away by NTLM with a wrong password, no user or no NT hash",
  (folder) =>
    withServer("", async (server) => {
      for (const user of ["alice:wrong", `nobody:${PASSWORD}`, `bob:${PASSWORD}`]) {
        const ended = await curl(server, folder, user);
        assert.equal(ended.code, 67, ended.output);
      }
      const ended = await curl(server, folder, `alice:${PASSWORD}`);
      assert.equal(ended.code, 0, ended.output);
    }),
);

clientTest(
  ["fetchmail", "mpop"],
  "clients that know NTLMv1 alone are turned away, and the log says why",
  (folder) =>
    withServer("", async (server) => {
      const untilLogged = async (refusals: number) => {
        const logged = () => server.log.match(/LM or NTLMv1 response/g)?.length ?? 0;
        // The log takes its time through the pipe.
        for (let tries = 0; logged() < refusals && tries < 1_000; tries++) await sleep(10);
        assert.equal(logged(), refusals);
      };
      const fetchmail = join(folder, "fetchmailrc");
      writeFileSync(
        fetchmail,
        `poll 127.0.0.1 service ${server.plainPort} protocol pop3 auth ntlm\n` +
          `  user "alice" password "${PASSWORD}" is root here sslproto '' mda "true"\n`,
        { mode: 0o600 },
      );
      const files = ["--pidfile", join(folder, "pid"), "--idfile", join(folder, "ids")];
      const local = ["--fetchmailrc", fetchmail, "--nosyslog", "--nodetach", ...files];
      assert.equal((await run(folder, "fetchmail", ...local)).code, 3);
      await untilLogged(1);

      const mpop = join(folder, "mpoprc");
      const lines = ["account default", "host 127.0.0.1", `port ${server.plainPort}`, "tls off"]
        .concat(["user alice", `password ${PASSWORD}`, "auth ntlm", `uidls_file ${folder}/uidls`])
        .concat([`delivery maildir ${folder}`]);
      for (const part of ["cur", "new", "tmp"]) mkdirSync(join(folder, part));
      writeFileSync(mpop, lines.join("\n") + "\n", { mode: 0o600 });
      const ended = await run(folder, "mpop", `--file=${mpop}`);
      assert.match(ended.output, /authentication failed \(method NTLM\)/);
      await untilLogged(2);
    }),
);

/** Runs AUTH NTLM with what `answer` makes of the challenge; the last reply's status. */
async function exchange(
  client: Pop3Client,
  negotiate: Uint8Array,
  answer: (challenge: Buffer) => Promise<Uint8Array>,
): Promise<string> {
  const base64 = (octets: Uint8Array) => Buffer.from(octets).toString("base64");
  assert.equal((await client.command("AUTH NTLM")).line, "+ ");
  const challenge = await client.command(base64(negotiate));
  assert.equal(challenge.status, "+", challenge.line);
  const message = await answer(Buffer.from(challenge.line.slice(2), "base64"));
  return (await client.command(base64(message))).status;
}

/** Samba's directories in a folder of the test's own; a configuration with nothing else. */
function sambaConfiguration(folder: string): string {
  const file = join(folder, "smb.conf");
  const places = ["private dir", "lock directory", "state directory", "cache directory"]
    .concat(["pid directory"]);
  writeFileSync(file, `[global]\n${places.map((place) => `${place} = ${folder}\n`).join("")}`);
  return file;
}

clientTest(
  ["ntlm_auth"],
  "Samba's client logs in, with a MIC that it computes",
  (folder) =>
    withServer("", async (server) => {
      for (const [password, status] of [[PASSWORD, "+OK"], ["wrong", "-ERR"]] as const) {
        const samba = new HelperProcess([
          "ntlm_auth",
          `--configfile=${sambaConfiguration(folder)}`,
          "--helper-protocol=ntlmssp-client-1",
          "--username=alice",
          "--domain=EXAMPLE",
          `--password=${password}`,
        ]);
        const say = async (line: string) => {
          const [, octets] = /^[A-Z]{2} (.+)$/.exec(await samba.ask(line, SAMBA_MS) ?? "") ?? [];
          assert.ok(octets !== undefined, `ntlm_auth has no answer to ${line.slice(0, 2)}`);
          return Buffer.from(octets, "base64");
        };
        const client = await server.connect();
        const negotiate = await say("YR");
        let message = Buffer.alloc(0);
        const answered = await exchange(client, negotiate, async (challenge) => {
          message = await say(`TT ${challenge.toString("base64")}`);
          return message;
        });
        samba.end();
        assert.equal(answered, status);
        assert.ok(message.subarray(72, 88).some((octet) => octet !== 0), "there is no MIC");
        client.disconnect();
      }
    }),
);

clientTest(
  ["ntlm_auth", "curl"],
  "with ntlm_auth as the helper, its password counts, for users that we know",
  (folder) => {
    const helper = join(folder, "helper");
    const samba = `ntlm_auth --configfile=${sambaConfiguration(folder)} --username=alice`;
    writeFileSync(
      helper,
      `#!/bin/sh\nexec ${samba} --domain=EXAMPLE --password=of-the-domain "$@"\n`,
      { mode: 0o755 },
    );
    return withServer(
      `ntlm_auth_program = "${helper}"\nntlm_auth_processes = 2`,
      async (server) => {
        const right = await curl(server, folder, "EXAMPLE\\alice:of-the-domain");
        assert.deepEqual([right.code, right.stdout], [0, MESSAGE], right.output);
        // Our own NT hash does not count then; and a user of the domain need not be one of ours.
        for (const user of [`alice:${PASSWORD}`, "carol:of-the-domain"]) {
          const ended = await curl(server, folder, user);
          assert.equal(ended.code, 67, ended.output);
        }
      },
    );
  },
);

clientTest(
  ["curl"],
  "where extended protection is required, only who is bound to our TLS logs in",
  (folder) =>
    withServer('extended_protection_policy = "require"', async (server) => {
      assert.equal(await offersNtlm(server, true), true);
      assert.equal(await offersNtlm(server), false);
      // curl knows no bindings.
      const tls = ["--ssl-reqd", "--cacert", join(server.folder, "certificate.pem")];
      assert.equal((await curl(server, folder, `alice:${PASSWORD}`, ...tls)).code, 67);

      const pem = readFileSync(join(server.folder, "certificate.pem"), "latin1");
      const der = Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ""), "base64");
      const ours = createHash("sha256").update(der).digest();
      const another = createHash("sha256").update("another").digest();
      for (const [hash, status] of [[ours, "+OK"], [another, "-ERR"]] as const) {
        const client = await server.connect({ tls: true });
        assert.equal(await loginBoundTo(client, hash), status);
        client.disconnect();
      }
    }),
);

/** Logs in as alice with bindings to a certificate's hash; they are laid out here once more, by hand. */
function loginBoundTo(client: Pop3Client, certificateHash: Buffer): Promise<string> {
  const data = Buffer.concat([Buffer.from("tls-server-end-point:"), certificateHash]);
  const lengths = Buffer.alloc(20);
  lengths.writeUInt32LE(data.length, 16);
  const channelBindings = createHash("md5").update(Buffer.concat([lengths, data])).digest();
  const alice: NtlmCredentials = { user: "alice", password: PASSWORD };
  const negotiate = negotiateMessage();
  return exchange(
    client,
    negotiate,
    (challenge) => authenticateMessage(alice, negotiate, challenge, { mic: true, channelBindings }),
  );
}
