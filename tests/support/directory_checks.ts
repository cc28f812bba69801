/** What tests of several kinds of account directory have in common. */

import { ok, rejects } from "node:assert/strict";
import net from "node:net";
import fc from "fast-check";
import type { AccountDirectory, DirectoryEntry } from "../../src/auth/directory.ts";

/** Names that would find somebody if any of them became part of a query, a filter or a DN. */
export const INJECTIONS: readonly string[] = [
  "*",
  "a*",
  "al*ce",
  "*)(uid=*",
  "*)(|(uid=*",
  "alice)(uid=*",
  "alice)(&",
  "alice\0",
  "alice\0)(uid=*",
  "\\2a",
  "\\61lice",
  "#616c696365",
  "alice,ou=people",
  "alice+uid=alice",
  'alice"',
  "alice\\",
  "' OR 1=1 --",
  "' OR ''='",
  "alice' -- ",
  'alice" OR ""="',
  "alice'; DROP TABLE users; --",
  "\\' OR 1=1 -- ",
  "%",
  "al_ce",
  "$1",
  "?",
  "{user}",
  "alice ",
  " alice",
];

export const octets = (text: string) => new TextEncoder().encode(text);

/** Names of all kinds, most of them with characters that mean something somewhere. */
export const oddName = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(..."ae*()\\\0,=+<>#;\"'`-%_{}$?@&|!~ \u00e9\u{1f600}"),
    maxLength: 30,
  }),
  fc.constantFrom(...INJECTIONS),
);

/** A server that takes connections and never says a word. */
export interface SilentServer {
  readonly port: number;
  /** Connections that are open now. */
  open(): number;
  /** Connections so far. */
  taken(): number;
  close(): Promise<void>;
}

export function startSilentServer(): Promise<SilentServer> {
  const sockets = new Set<net.Socket>();
  let taken = 0;
  const server = net.createServer((socket) => {
    taken++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      resolve({
        port,
        open: () => sockets.size,
        taken: () => taken,
        close: () => {
          for (const socket of sockets) socket.destroy();
          return new Promise((closed) => server.close(() => closed()));
        },
      });
    });
  });
}

/** Checks that a directory whose server never answers says so each time, and leaves nothing behind. */
export async function checkSilence(
  directory: AccountDirectory,
  server: SilentServer,
  other: () => Promise<unknown>,
): Promise<void> {
  const attempts = Array.from({ length: 20 }, () => ask(directory));
  let waiting = true;
  const all = Promise.all(
    attempts.map((attempt) => rejects(attempt, /no answer|timeout|ETIMEDOUT/i)),
  )
    .finally(() => waiting = false);
  await other();
  ok(waiting, "another directory answers while this one is waited for");
  await all;
  const before = server.taken();
  for (let again = 0; again < 20; again++) await rejects(ask(directory));
  ok(server.taken() - before <= 4, `${server.taken() - before} more connections were made`);
  await directory.close?.();
  for (let patience = 0; server.open() > 0 && patience < 500; patience++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  ok(server.open() === 0, `${server.open()} connections are left`);
}

async function ask(directory: AccountDirectory): Promise<unknown> {
  const name = "alice@example.com";
  return await directory.checkPassword?.(name, octets("secret"), undefined) ??
    lookUp(directory, name);
}

/** Looks a user up; a promise also where a directory answers at once. */
export async function lookUp(
  directory: AccountDirectory,
  ...asked: Parameters<AccountDirectory["lookUp"]>
): Promise<DirectoryEntry | undefined> {
  return await directory.lookUp(...asked);
}
