/**
 * HAProxy hands connections on: the server sees its clients by their own addresses, in each way that
 * HAProxy has of saying so, while it looks after the server by health checks.
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testCertificate } from "../support/certificate.ts";
import { startDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { clientTest } from "../support/real_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";

/** Where HAProxy comes from, and where its clients do. */
const BALANCER = "127.0.0.9";
const CLIENT = "127.0.0.33";

interface Way {
  readonly name: string;
  /** The port of the server that it hands connections on to, and what it says there. */
  readonly server: (server: RunningServer) => string;
  /** Who does TLS. */
  readonly tls: "nobody" | "server" | "haproxy";
}

const WAYS: readonly Way[] = [
  { name: "version 1", server: ({ plainPort }) => `${plainPort} send-proxy`, tls: "nobody" },
  { name: "version 2", server: ({ plainPort }) => `${plainPort} send-proxy-v2`, tls: "nobody" },
  {
    name: "version 2 with a checksum",
    server: ({ plainPort }) => `${plainPort} send-proxy-v2 proxy-v2-options crc32c`,
    tls: "nobody",
  },
  {
    name: "TLS handed through",
    server: ({ tlsPort }) => `${tlsPort} send-proxy-v2`,
    tls: "server",
  },
  {
    name: "TLS ended by HAProxy",
    server: ({ plainPort }) => `${plainPort} send-proxy-v2-ssl-cn`,
    tls: "haproxy",
  },
];

function configuration(way: Way, server: RunningServer, port: number, certificate: string): string {
  const ssl = way.tls === "haproxy" ? ` ssl crt ${certificate}` : "";
  // A server that does TLS itself says nothing before it.
  const check = way.tls === "server" ? "check check-ssl verify none" : "check";
  return `
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout check 10s
frontend pop3
  bind 127.0.0.1:${port}${ssl}
  default_backend popkeep
backend popkeep
  option tcp-check
  tcp-check expect string +OK
  server one 127.0.0.1:${
    way.server(server)
  } source ${BALANCER} ${check} check-send-proxy inter 300ms
`;
}

for (const way of WAYS) {
  clientTest(["haproxy"], `HAProxy hands a client on: ${way.name}`, async (folder) => {
    const server = await startServer({
      users: ["alice"],
      settings: `
        proxy_addresses = ["${BALANCER}"]
        login_type = "${way.tls === "nobody" ? "plaintext_login" : "secure_login"}"
      `,
    });
    const port = await freePort();
    const { certificate, key } = await testCertificate();
    const pem = join(folder, "haproxy.pem");
    writeFileSync(pem, `${certificate}\n${key}\n`, { mode: 0o600 });
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, configuration(way, server, port, pem));
    const tls = way.tls !== "nobody";
    const open = () => Pop3Client.connect({ port, tls, localAddress: CLIENT });
    const haproxy = await startDaemon(["haproxy", "-db", "-f", file], {
      // It is there before it has found its server alive.
      answers: async () => {
        const client = await open();
        await client.quit();
      },
    });
    try {
      server.maildir("alice").deliver("Subject: handed on\r\n\r\nHello.\r\n");
      const client = await open();
      await client.login("alice", PASSWORD);
      assert.equal(await client.ok("STAT"), "1 30");
      await client.quit();
      const version = way.tls === "nobody" ? "" : `"tls":"TLSv1\\.3",`;
      await server.untilLogged(
        new RegExp(
          `"address":"${CLIENT}","proxy":"${BALANCER}","port":[0-9]+,${version}"user":"alice"`,
        ),
      );
      // Its health checks are its own connections, as version 1 says in so many words; none is refused.
      const itself = `"address":"${BALANCER}",(?:"proxy":"${BALANCER}",)?"port":[0-9]+,`;
      await server.untilLogged(new RegExp(itself));
      assert.doesNotMatch(server.log, /proxy header refused/);
    } finally {
      await haproxy.stop();
      await server.stop();
    }
  });
}
