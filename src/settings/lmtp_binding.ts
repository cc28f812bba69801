/** Places to listen on for LMTP: "127.0.0.1:24", "[::1]:24", or a socket of this machine, "unix:/run/popkeep/lmtp". */

import { Buffer } from "node:buffer";
import { type Binding, formatBinding, parseBinding } from "./binding.ts";

/** The path of a socket of this machine; absolute. */
export interface SocketPath {
  readonly path: string;
}

export type LmtpBinding = Binding | SocketPath;

/**
 * Longest path of a socket, octets: the system takes 107 (unix(7)), and one is made under another name beside
 * its place first.
 */
export const SOCKET_PATH_OCTETS = 90;

const SOCKET = /^unix:(\/.*[^/])$/s;

export function isSocketPath(binding: LmtpBinding): binding is SocketPath {
  return "path" in binding;
}

/** Undefined for anything else. */
export function parseLmtpBinding(text: string): LmtpBinding | undefined {
  const path = SOCKET.exec(text)?.[1];
  if (path === undefined) return parseBinding(text);
  const isPlain = !/\p{Cc}/u.test(path) && !path.split("/").includes("..") &&
    Buffer.byteLength(path, "utf8") <= SOCKET_PATH_OCTETS;
  return isPlain ? { path } : undefined;
}

/** Writes a binding as `parseLmtpBinding` reads it. */
export function formatLmtpBinding(binding: LmtpBinding): string {
  return isSocketPath(binding) ? `unix:${binding.path}` : formatBinding(binding);
}
