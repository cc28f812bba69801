/** An authorization server on the loopback address, keys of its own, and what was logged meanwhile. */

import http from "node:http";
import type { AddressInfo } from "node:net";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import * as jose from "jose";

export const ISSUER = "https://login.example.com/tenant";
export const AUDIENCE = "https://mail.example.com";

/** What every good token says; exp and nbf are the signer's. */
export const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  scope: "openid mail.pop",
  sub: "4711",
  email: "alice@example.com",
} as const;

export interface Signer {
  /** The public key as a key set has it. */
  readonly jwk: jose.JWK;
  /** Signs claims over CLAIMS; undefined leaves one out. Good from an hour ago for an hour. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export async function makeSigner(kid: string | undefined, alg = "ES256"): Promise<Signer> {
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = { ...await jose.exportJWK(publicKey), alg, use: "sig", ...(kid && { kid }) };
  return {
    jwk,
    sign: (claims = {}, header = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      const all = { ...CLAIMS, exp: now + 3_600, nbf: now - 3_600, iat: now - 3_600, ...claims };
      return new jose.SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg, ...(kid && { kid }), ...header })
        .sign(privateKey);
    },
  };
}

export type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

export class TestServer {
  readonly url: string;
  /** How it answers now. */
  answer: Answer;
  /** Each request, with its body. */
  readonly requests: { method: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
  readonly #server: http.Server;

  private constructor(server: http.Server, answer: Answer) {
    this.#server = server;
    this.answer = answer;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path`;
    server.on("request", (request, response) => {
      const chunks: Uint8Array[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const body = new TextDecoder().decode(concat(chunks));
        this.requests.push({ method: request.method ?? "", headers: request.headers, body });
        this.answer(request, response);
      });
    });
  }

  static async start(answer: Answer): Promise<TestServer> {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new TestServer(server, answer);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

/** A server for the length of `use`. */
export async function withServer(
  answer: Answer,
  use: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await TestServer.start(answer);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

export function json(value: unknown): Answer {
  return (_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  };
}

/** Ways in which a server can fail to answer; none may be taken for an answer. */
export const FAILURES: Readonly<Record<string, Answer>> = {
  "an error": (_, response) => {
    response.statusCode = 503;
    response.end(JSON.stringify({ active: false, keys: [{ kty: "EC" }] }));
  },
  "a refusal of ourselves": (_, response) => {
    response.statusCode = 401;
    response.end(JSON.stringify({ error: "invalid_client", active: false }));
  },
  "no JSON": json("<html>maintenance</html>"),
  "JSON that is no object": json("[]"),
  "half of it": json('{"keys":[{"kty"'),
  "nothing": json(""),
  "a hang-up": (request) => void request.socket.destroy(),
  "silence": () => {},
  "a beginning without an end": (_, response) => void response.write("{"),
  "drops of it": (_, response) => {
    const timer = setInterval(() => response.write(" "), 20);
    response.on("close", () => clearInterval(timer));
  },
  "more than can be": (_, response) => {
    response.end(`{"active":true,"keys":[],"x":"${"x".repeat(300_000)}"}`);
  },
};

/** Runs `work` and returns what it logged. */
export async function logOf(work: () => Promise<void>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { kept: (record) => records.push(record) },
    loggers: [
      { category: ["popkeep"], lowestLevel: "debug", sinks: ["kept"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    await work();
  } finally {
    await reset();
  }
  return records;
}

/** All that records hold, as text. */
export function textOf(records: readonly LogRecord[]): string {
  return records.map(({ rawMessage, properties }) => `${rawMessage} ${JSON.stringify(properties)}`)
    .join("\n");
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
