/**
 * Clients that mean harm, a hundred of a kind. Each kind is over when all of its connections are; how long
 * that takes does not matter. bench/hostile has the same at full size.
 */

import { Buffer } from "node:buffer";
import net from "node:net";
import { PASSWORD, type RunningServer } from "../support/server.ts";

/** Where the load balancer of these tests comes from. */
export const BALANCER = "127.98.0.1";

const CLIENTS = 100;

/** A connection's life: what it says, and when it breaks off. */
interface Behaviour {
  readonly under?: "tls";
  readonly from?: string;
  /** Said as soon as the connection is there. */
  readonly says?: string | Uint8Array;
  /** What it does each time that something comes. Without it, all is read until the server closes. */
  readonly hears?: (socket: net.Socket, octets: Buffer) => void;
}

const LOGIN = `USER victim\r\nPASS ${PASSWORD}\r\n`;

/** The beginning of a ClientHello, by its record header 508 octets longer (RFC 8446 §5.1). */
const HALF_A_HELLO = Buffer.from("16030102000100", "hex");

function breaksOff(socket: net.Socket): void {
  socket.resetAndDestroy();
}

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  "come and go": { hears: (socket) => socket.destroy() },
  "reset behind a command": {
    hears: (socket) => {
      socket.write("CAPA\r\n", () => breaksOff(socket));
    },
  },
  "reset in the middle of a message": {
    says: `${LOGIN}RETR 1\r\n`,
    hears: onceHeard("x".repeat(60)),
  },
  "half a TLS handshake": { under: "tls", says: HALF_A_HELLO },
  "no TLS where it is due": { under: "tls", says: "USER victim\r\n" },
  "half a PROXY header": { from: BALANCER, says: "PROXY TCP4 192.0.2.1 " },
  "no PROXY header": { from: BALANCER, says: "CAPA\r\n" },
  "nonsense": { says: "NOOP NOOP\r\n".repeat(2_000) },
  "commands behind STLS": { says: `STLS\r\n${LOGIN}` },
  "wrong passwords": { says: "USER victim\r\nPASS wrong\r\n".repeat(10) },
};

export const KINDS = Object.keys(BEHAVIOURS);

/** Sends a hundred of a kind at once; resolves when the last is gone. Each comes a second time. */
export async function attack(server: RunningServer, kind: string): Promise<void> {
  const behaviour = BEHAVIOURS[kind]!;
  await Promise.all(Array.from({ length: CLIENTS }, async (_, at) => {
    for (let time = 0; time < 2; time++) await live(server, behaviour, at);
  }));
}

function live(server: RunningServer, behaviour: Behaviour, at: number): Promise<void> {
  const { under, from = `127.97.0.${1 + at % 250}`, says, hears } = behaviour;
  const port = under === "tls" ? server.tlsPort : server.plainPort;
  return new Promise((gone) => {
    const socket = net.connect({ port, host: "127.0.0.1", localAddress: from });
    socket.on("error", () => {}); // being thrown out is what it deserves
    socket.on("close", () => gone());
    socket.on("data", (octets: Buffer) => hears?.(socket, octets));
    if (says !== undefined) socket.once("connect", () => socket.write(says));
  });
}

function onceHeard(text: string): NonNullable<Behaviour["hears"]> {
  return (socket, octets) => {
    if (octets.includes(text)) breaksOff(socket);
  };
}
