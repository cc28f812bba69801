/**
 * HAProxy in front of two hosts that share their mail, configured as docs/scaling.md says: any host serves any user,
 * limits and the log see the client's address, and a host that is gone is left out.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { testCertificate } from "../support/certificate.ts";
import type { Host, HostedProcess } from "../support/host_network.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD } from "../support/server.ts";
import { noSharedFilesystem } from "../support/shared_filesystem.ts";
import { SocketWire } from "../support/wire.ts";
import { TwoHosts } from "./two_hosts.ts";

const PAGE = new URL("../../docs/scaling.md", import.meta.url);

/** More ways to hand clients on than the page's configuration has, a port each. */
const FURTHER = `
frontend version-one
  bind 192.0.2.1:1110
  default_backend version-one
backend version-one
  balance roundrobin
  option tcp-check
  tcp-check expect string +OK
  server one 192.0.2.11:110 send-proxy
  server two 192.0.2.12:110 send-proxy
frontend ended
  bind 192.0.2.1:1995 ssl crt CERTIFICATE
  default_backend ended
backend ended
  balance roundrobin
  option tcp-check
  tcp-check expect string +OK
  server one 192.0.2.11:110 send-proxy-v2-ssl-cn
  server two 192.0.2.12:110 send-proxy-v2-ssl-cn
`;

const WAYS = [
  { name: "version 2", port: 110, tls: false },
  { name: "TLS handed through", port: 995, tls: true },
  { name: "version 1", port: 1110, tls: false },
  { name: "TLS ended by HAProxy", port: 1995, tls: true },
];

/** Sessions at a time from one address. */
const MOST_SESSIONS = 6;

let hosts: TwoHosts;
let front: Host;
let haproxy: HostedProcess;

before(async () => {
  if (noSharedFilesystem !== false) return;
  hosts = await TwoHosts.start({
    users: ["alice", "bob"],
    settings: `proxy_addresses = ["FRONT"]\n` +
      `max_connections_from_single_address = ${MOST_SESSIONS}\n` +
      `max_connections_per_user = 100`,
  });
  front = hosts.front;
  const { certificate, key } = await testCertificate();
  const pem = join(hosts.folder, "haproxy.pem");
  writeFileSync(pem, `${certificate}\n${key}\n`, { mode: 0o600 });
  const [, fromPage = ""] = /```haproxy\n([^]*?)```/.exec(readFileSync(PAGE, "utf8")) ?? [];
  assert.match(fromPage, /send-proxy-v2/);
  const file = join(hosts.folder, "haproxy.cfg");
  writeFileSync(
    file,
    `${fromPage}${FURTHER}`.replaceAll("CERTIFICATE", pem)
      .replaceAll("192.0.2.11:", `${hosts.one.host.address}:`)
      .replaceAll("192.0.2.12:", `${hosts.other.host.address}:`)
      .replaceAll("192.0.2.1:", `${front.address}:`),
  );
  haproxy = await front.start(["haproxy", "-db", "-f", file]);
  for (const way of WAYS) await answered(way);
});

after(async () => {
  if (noSharedFilesystem === false) await hosts.stop();
});

type Way = (typeof WAYS)[number];

/** A client of HAProxy, from the test's own address. */
function open({ port, tls }: Way): Promise<Pop3Client> {
  return Pop3Client.connect({ host: front.address, port, tls });
}

/** A client, once HAProxy has found a host that serves. */
async function answered(way: Way): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return await (await open(way)).quit();
    } catch (error) {
      if (tries === 100 || haproxy.hasEnded) throw new Error(haproxy.output, { cause: error });
      await sleep(100);
    }
  }
}

async function listingOf(way: Way, user: string): Promise<string[]> {
  const client = await open(way);
  await client.login(user, PASSWORD);
  const listed = await client.listing("UIDL");
  await client.quit();
  return listed;
}

const skip = noSharedFilesystem;

test("any host serves any user, and sees the client by its own address", { skip }, async () => {
  hosts.maildir(hosts.one, "alice").deliver("Subject: one\n\n1\n");
  hosts.maildir(hosts.other, "bob").deliver("Subject: two\n\n2\n");
  for (const way of WAYS) {
    const seen = new Set<string>();
    for (let times = 0; times < 4; times++) {
      // An odd number, so that hosts that take turns take turns with users too.
      for (const user of ["alice", "bob", "alice"]) seen.add((await listingOf(way, user)).join());
    }
    // One listing for each user, whichever host made it.
    assert.equal(seen.size, 2, way.name);
  }
  const from = `"address":"${hosts.network.testAddress}","proxy":"${front.address}"`;
  for (const { popkeep } of [hosts.one, hosts.other]) {
    for (const user of ["alice", "bob"]) {
      await popkeep.untilLogged(new RegExp(`${from},[^\n]*"user":"${user}"`));
    }
    await popkeep.untilLogged(new RegExp(`${from},[^\n]*"tls":"TLSv1.3",[^\n]*"user"`));
    assert.doesNotMatch(popkeep.log, /proxy header refused/);
  }
});

test("the limit for an address is the client's, and no health check's or other client's", {
  skip,
}, async () => {
  const [way] = WAYS;
  const clients: Pop3Client[] = [];
  for (let n = 0; n < MOST_SESSIONS; n++) clients.push(await open(way!));
  // The same client is led to the same host.
  const wire = await SocketWire.connect({ host: front.address, port: way!.port });
  const refused = await new Pop3Client(wire).reply();
  assert.equal(refused.status, "-ERR");
  assert.equal(refused.code, "SYS/TEMP");
  for (const client of clients) await client.quit();
  await (await open(way!)).quit();
});

test("a host that is gone is left out, and the other one serves", { skip }, async () => {
  const told = await listingOf(WAYS[0]!, "alice");
  await hosts.one.host.switchOff();
  for (const way of WAYS) {
    await answered(way);
    for (let times = 0; times < 3; times++) {
      // Until HAProxy has seen it, clients of the host that is gone wait for it.
      const listed = await untilServed(way);
      assert.deepEqual(listed, told, way.name);
    }
  }
});

async function untilServed(way: Way): Promise<string[]> {
  for (let tries = 0;; tries++) {
    try {
      return await listingOf(way, "alice");
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(200);
    }
  }
}
