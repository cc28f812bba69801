/**
 * A two-way stream of octets between a test and a server, whatever carries it.
 *
 * `SocketWire` is TCP or TLS, by which a test talks to a server like any client; `MemoryWire` in
 * memory_wire.ts drives a session without any socket. *Knows* node:net and node:tls.
 * *Does not know* POP3.
 */

import net from "node:net";
import tls from "node:tls";
import { Buffer } from "node:buffer";

export interface Wire {
  /** Sends octets; resolves when they were handed on. */
  write(octets: Uint8Array): Promise<void>;
  /** The next octets of the server, or undefined when it has closed. Rejects after `timeoutMs`. */
  read(): Promise<Uint8Array | undefined>;
  /** Octets that came and were not read yet. */
  readonly pending: number;
  /** Puts TLS on the connection. */
  startTls(): Promise<void>;
  /** Says that no more will be sent, and goes on reading. */
  halfClose(): void;
  /** Ends at once, without goodbye. */
  destroy(): void;
}

export interface SocketOptions {
  readonly port: number;
  readonly host?: string;
  /** Where the client comes from: any of 127.0.0.0/8, so that there can be several. */
  readonly localAddress?: string;
  /** Implicit TLS from the first octet. */
  readonly tls?: boolean;
  readonly servername?: string;
  readonly alpnProtocols?: readonly string[];
  /** What is sent before anything else, also before TLS: what a load balancer says. */
  readonly preface?: Uint8Array;
  /** How long one read may take before the test fails, ms. */
  readonly timeoutMs?: number;
}

const READ_TIMEOUT_MS = 30_000;

export class SocketWire implements Wire {
  #socket: net.Socket;
  readonly #options: SocketOptions;
  #chunks: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket, options: SocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#listen(socket);
  }

  /** Connects, with TLS where `options.tls` says so. */
  static async connect(options: SocketOptions): Promise<SocketWire> {
    const { port, host = "127.0.0.1", localAddress, preface } = options;
    const from = localAddress === undefined ? {} : { localAddress };
    if (options.tls === true && preface === undefined) {
      const socket = tls.connect({ port, host, ...from, ...tlsOptions(options) });
      socket.setNoDelay(true);
      await opened(socket, "secureConnect");
      return new SocketWire(socket, options);
    }
    const socket = net.connect({ port, host, ...from });
    socket.setNoDelay(true);
    await opened(socket, "connect");
    const wire = new SocketWire(socket, options);
    if (preface !== undefined) await wire.write(preface);
    if (options.tls === true) await wire.startTls();
    return wire;
  }

  /** The socket itself, for what a test wants to see of TLS or do to TCP. */
  get socket(): net.Socket | tls.TLSSocket {
    return this.#socket;
  }

  get pending(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  write(octets: Uint8Array): Promise<void> {
    // A server that has closed in between is seen by the next read; a write cannot tell it reliably.
    return new Promise((resolve) => this.#socket.write(octets, () => resolve()));
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#chunks.length === 0 && !this.#ended) await this.#something();
    return this.#chunks.shift();
  }

  async startTls(): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    plain.removeAllListeners("end");
    plain.removeAllListeners("close");
    const socket = tls.connect({ socket: plain, ...tlsOptions(this.#options) });
    await opened(socket, "secureConnect");
    this.#socket = socket;
    this.#listen(socket);
  }

  halfClose(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(socket: net.Socket): void {
    const wake = () => {
      this.#wake?.();
      this.#wake = undefined;
    };
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(new Uint8Array(chunk));
      wake();
    });
    const end = () => {
      this.#ended = true;
      wake();
    };
    // A reset counts as an end: what matters to a test is what was said before it.
    socket.on("end", end).on("close", end).on("error", end);
  }

  #something(): Promise<void> {
    const { timeoutMs = READ_TIMEOUT_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        reject(new Error(`The server said nothing for ${timeoutMs} ms`));
      }, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function tlsOptions(options: SocketOptions): tls.ConnectionOptions {
  return {
    // The certificate is a throw-away one; what it is worth is not what these tests are about.
    rejectUnauthorized: false,
    servername: options.servername ?? "localhost",
    ...(options.alpnProtocols === undefined ? {} : { ALPNProtocols: [...options.alpnProtocols] }),
  };
}

function opened(socket: net.Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(error);
    const closed = () => reject(new Error(`The connection closed before "${event}"`));
    socket.once("error", failed);
    socket.once("close", closed);
    socket.once(event, () => {
      socket.off("error", failed);
      socket.off("close", closed);
      resolve();
    });
  });
}
