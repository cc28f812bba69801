import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { secureChannelOf } from "../../../src/net/secure_channel.ts";
import { TlsAcceptor, type TlsAcceptorOptions } from "../../../src/net/tls_acceptor.ts";
import { Authority } from "../../support/authority.ts";

const folder = mkdtempSync(join(tmpdir(), "popkeep-channel-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const authority = new Authority(folder, "Test Authority");
const stranger = new Authority(folder, "Another Authority");
const server = authority.issue({ commonName: "localhost", alternatives: ["DNS:localhost"] });
const second = authority.issue({ commonName: "second", alternatives: ["DNS:second.example"] });
const alice = authority.issue({ commonName: "alice", alternatives: ["email:alice@example.com"] });
const mallory = stranger.issue({ commonName: "alice", alternatives: ["email:alice@example.com"] });
const ended = authority.issue({ commonName: "alice", begins: -9, ends: -1 });
const serverOnly = authority.issue({
  commonName: "alice",
  extensions: ["extendedKeyUsage=serverAuth"],
});

/** What the server saw of one handshake. */
interface Seen {
  readonly serverCertificate: Uint8Array | undefined;
  readonly clientCertificate: Uint8Array | undefined;
  readonly exported: Uint8Array | undefined;
  readonly protocol: string | null;
}

/** Runs a server for as long as `use` takes; it shows its channel and closes. */
async function serve<T>(
  options: TlsAcceptorOptions,
  use: (port: number, seen: Seen[]) => Promise<T>,
): Promise<T> {
  let acceptor = new TlsAcceptor([server, second], options);
  const seen: Seen[] = [];
  const listener = createServer({ allowHalfOpen: true }, (plain) => {
    plain.on("error", () => {});
    acceptor.accept(plain, {
      secured(socket: TLSSocket) {
        const channel = secureChannelOf(socket);
        const { serverCertificate, clientCertificate } = channel;
        const protocol = socket.getProtocol();
        seen.push({ serverCertificate, clientCertificate, exported: channel.exporter(), protocol });
        socket.on("error", () => {}).end("+OK\r\n");
      },
      handshakeFailed: () => {},
    });
  });
  renewed = () => acceptor = new TlsAcceptor([server, second], options);
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  try {
    return await use((listener.address() as AddressInfo).port, seen);
  } finally {
    listener.close();
  }
}

/** Gives the running server new certificates, as a reload does. */
let renewed = (): void => {};

interface Visited {
  readonly session: Uint8Array | undefined;
  readonly reused: boolean;
  readonly exported: Uint8Array | undefined;
}

/** One handshake, and reading until the server has closed. */
function visit(port: number, options: ConnectionOptions = {}): Promise<Visited> {
  return new Promise((resolve) => {
    let session: Uint8Array | undefined;
    let exported: Uint8Array | undefined;
    let reused = false;
    const socket: TLSSocket = connect({
      port,
      host: "127.0.0.1",
      ca: authority.certificate,
      servername: "localhost",
      checkServerIdentity: () => undefined,
      ...options,
    });
    socket.on("session", (one) => session = one);
    socket.on("secureConnect", () => {
      reused = socket.isSessionReused();
      exported = socket.exportKeyingMaterial?.(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
    });
    socket.on("error", () => {}).on("data", () => {});
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve({ session, reused, exported }));
  });
}

const TRUSTING = { clientAuthorities: authority.certificate };
const ALICE = { cert: alice.certificate, key: alice.key };

const rawOf = (certificate: string) => Buffer.from(new X509Certificate(certificate).raw);

async function clientCertificateSeen(
  client: ConnectionOptions,
  options: TlsAcceptorOptions = TRUSTING,
): Promise<Buffer | undefined> {
  return await serve(options, async (port, seen) => {
    await visit(port, client);
    strictEqual(seen.length, 1, "the handshake was to come about");
    const found = seen[0]?.clientCertificate;
    return found === undefined ? undefined : Buffer.from(found);
  });
}

test("a client's certificate from one of the authorities is seen", async () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const found = await clientCertificateSeen({
      ...ALICE,
      minVersion: version,
      maxVersion: version,
    });
    deepStrictEqual(found, rawOf(alice.certificate), version);
  }
});

test("a client's certificate is seen whatever name of the server it asks for", async () => {
  for (const servername of ["second.example", "unknown.example", ""]) {
    deepStrictEqual(
      await clientCertificateSeen({ ...ALICE, servername }),
      rawOf(alice.certificate),
    );
  }
});

test("the second of several authorities is trusted, too", async () => {
  const clientAuthorities = `first\n${stranger.certificate}\nsecond\n${authority.certificate}`;
  deepStrictEqual(
    await clientCertificateSeen(ALICE, { clientAuthorities }),
    rawOf(alice.certificate),
  );
});

test("a client without a certificate has a session without one", async () => {
  strictEqual(await clientCertificateSeen({}), undefined);
});

test("a certificate from somebody else, out of date or for servers alone is not seen", async () => {
  for (const { certificate: cert, key } of [mallory, ended, serverOnly]) {
    strictEqual(await clientCertificateSeen({ cert, key }), undefined);
  }
});

test("without authorities no certificate is asked for", async () => {
  strictEqual(await clientCertificateSeen(ALICE, {}), undefined);
});

test("authorities that are none are a fault", () => {
  for (const clientAuthorities of ["", "nothing", alice.key, server.certificate.slice(0, 200)]) {
    let fault: unknown;
    try {
      new TlsAcceptor([server], { clientAuthorities });
    } catch (error) {
      fault = error;
    }
    ok(fault instanceof Error);
  }
});

test("a session that is taken up again has the certificate it began with, and no other", async () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    await serve(TRUSTING, async (port, seen) => {
      const limits = { minVersion: version, maxVersion: version };
      const known = await visit(port, { ...limits, ...ALICE });
      const unknown = await visit(port, limits);
      const again = { ...limits, ...(known.session && { session: Buffer.from(known.session) }) };
      await visit(port, { ...again, ...ALICE });
      const without = {
        ...limits,
        ...(unknown.session && { session: Buffer.from(unknown.session) }),
      };
      const { reused } = await visit(port, { ...without, ...ALICE });
      deepStrictEqual(
        seen.map(({ clientCertificate }) => clientCertificate !== undefined),
        // What was begun without a certificate has none unless there was a whole new handshake.
        [true, false, true, !reused],
        version,
      );
    });
  }
});

test("a session is not taken up again with the certificates of a reload", async () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    await serve(TRUSTING, async (port, seen) => {
      const limits = { minVersion: version, maxVersion: version };
      const { session } = await visit(port, { ...limits, ...ALICE });
      renewed();
      const again = await visit(port, {
        ...limits,
        ...(session && { session: Buffer.from(session) }),
      });
      strictEqual(again.reused, false);
      strictEqual(seen.at(-1)?.clientCertificate, undefined);
    });
  }
});

test("the server's certificate is the one that this client was shown", async () => {
  await serve({}, async (port, seen) => {
    await visit(port, { servername: "second.example" });
    await visit(port, { servername: "localhost" });
    await visit(port, { servername: "" });
    deepStrictEqual(
      seen.map(({ serverCertificate }) => Buffer.from(serverCertificate ?? [])),
      [rawOf(second.certificate), rawOf(server.certificate), rawOf(server.certificate)],
    );
  });
});

test("under TLS 1.3 the exporter is the client's, where the runtime exports at all", async () => {
  await serve({}, async (port, seen) => {
    const one = await visit(port);
    const another = await visit(port);
    strictEqual(seen[0]?.protocol, "TLSv1.3");
    deepStrictEqual(seen[0]?.exported, one.exported);
    deepStrictEqual(seen[1]?.exported, another.exported);
    if (one.exported === undefined) return;
    strictEqual(one.exported.length, 32);
    ok(!Buffer.from(one.exported).equals(another.exported ?? Buffer.alloc(0)));
  });
});

test("under TLS 1.2 there is no exporter (RFC 9266 section 4.2)", async () => {
  await serve({}, async (port, seen) => {
    await visit(port, { maxVersion: "TLSv1.2" });
    strictEqual(seen[0]?.protocol, "TLSv1.2");
    strictEqual(seen[0]?.exported, undefined);
  });
});
