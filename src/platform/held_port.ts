/**
 * Ports that are held without being listened on: no other program gets them, but those who share the port
 * knowingly (SO_REUSEPORT) and run as the same user do. A client is still turned away by the system.
 *
 * The runtimes cannot bind without listening. What goes wrong here is `undefined`, without a reason: the
 * caller asks the runtime to listen, which says what is the matter.
 *
 * *Knows*: system calls of Linux. *Does not know*: who listens.
 */

import { Buffer } from "node:buffer";
import { endianness } from "node:os";
import process from "node:process";
import { openLibrary } from "./foreign_functions.ts";

export interface HeldPort {
  /** Also when any was asked for. */
  readonly port: number;
  close(): void;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** ip(7) sockaddr_in, ipv6(7) sockaddr_in6: octets, and where the address stands. */
const SHAPES = {
  ipv4: { family: AF_INET, octets: 16, address: 4 },
  ipv6: { family: AF_INET6, octets: 28, address: 8 },
};
const PORT_AT = 2;

/**
 * Holds a port. Nobody else may listen there, nor hold it.
 *
 * @param shared Lets those be there already who share it, as workers of ours do.
 */
export function holdPort(
  address: string,
  port: number,
  { shared = false }: { readonly shared?: boolean } = {},
): HeldPort | undefined {
  const calls = openCalls();
  if (calls === undefined) return undefined;
  const shape = address.includes(":") ? SHAPES.ipv6 : SHAPES.ipv4;
  const place = Buffer.alloc(shape.octets);
  place.writeUInt16LE(shape.family);
  place.writeUInt16BE(port, PORT_AT);
  const text = Buffer.from(`${address}\0`);
  if (calls.inet_pton(shape.family, text, place.subarray(shape.address)) !== 1) return undefined;
  const fd = calls.socket(shape.family, SOCK_STREAM_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const set = (level: number, option: number, value: 0 | 1) => {
    const octets = Buffer.alloc(4);
    octets.writeInt32LE(value);
    return calls.setsockopt(fd, level, option, octets, octets.length);
  };
  if (shape === SHAPES.ipv6) set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Connections that are left of an earlier run are not in the way.
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (shared) set(SOL_SOCKET, SO_REUSEPORT, 1);
  const bound = calls.bind(fd, place, place.length);
  // Shared from now on with those who say the same, and with nobody else.
  set(SOL_SOCKET, SO_REUSEADDR, 0);
  set(SOL_SOCKET, SO_REUSEPORT, 1);
  const octets = Buffer.alloc(4);
  octets.writeInt32LE(place.length);
  if (bound !== 0 || calls.getsockname(fd, place, octets) !== 0) {
    calls.close(fd);
    return undefined;
  }
  return { port: place.readUInt16BE(PORT_AT), close: () => calls.close(fd) };
}

let opened: ReturnType<typeof openFunctions> | undefined;

function openCalls() {
  if (process.platform !== "linux" || endianness() !== "LE") return undefined;
  return opened ??= openFunctions();
}

function openFunctions() {
  return openLibrary(["libc.so.6"], {
    socket: { takes: ["i32", "i32", "i32"], gives: "i32" },
    setsockopt: { takes: ["i32", "i32", "i32", "buffer", "u32"], gives: "i32" },
    bind: { takes: ["i32", "buffer", "u32"], gives: "i32" },
    getsockname: { takes: ["i32", "buffer", "buffer"], gives: "i32" },
    inet_pton: { takes: ["i32", "buffer", "buffer"], gives: "i32" },
    close: { takes: ["i32"], gives: "i32" },
  }).functions;
}
