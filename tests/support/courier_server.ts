/**
 * Debian's Courier POP3 server (`courierpop3d`) on 127.0.0.1. It serves whoever is logged in already; who logs in by
 * USER and PASS is asked here, in place of Courier's own login program, which wants files under /etc.
 *
 * *Knows*: how courierpop3d is started. *Does not know*: what is done with it.
 */

import { spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { freePort } from "./free_port.ts";

export interface CourierOptions {
  /** Where the homes are; each has a Maildir. */
  readonly homes: string;
  readonly password: string;
}

export class CourierServer {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, { homes, password }: CourierOptions) {
    this.port = port;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      logIn(socket, password, (user, rest) => serve(socket, `${homes}/${user}`, user, rest));
    });
  }

  static async start(options: CourierOptions): Promise<CourierServer> {
    const server = new CourierServer(await freePort(), options);
    await new Promise<void>((resolve) => {
      server.#server.listen(server.port, "127.0.0.1", () => resolve());
    });
    return server;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Greets, and hands over the user and what came behind the password. */
function logIn(
  socket: Socket,
  password: string,
  whenIn: (user: string, rest: string) => void,
): void {
  let held = "";
  let user = "";
  const hear = (chunk: Uint8Array) => {
    held += String(chunk);
    for (let end; (end = held.indexOf("\n")) >= 0;) {
      const line = held.slice(0, end).trim();
      held = held.slice(end + 1);
      const [keyword = "", argument = ""] = line.split(" ");
      switch (keyword.toUpperCase()) {
        case "CAPA":
          socket.write("+OK Here's what I can do:\r\nUSER\r\nTOP\r\nUIDL\r\nPIPELINING\r\n.\r\n");
          break;
        case "USER":
          user = argument;
          socket.write("+OK Password required.\r\n");
          break;
        case "PASS":
          if (argument !== password) socket.write("-ERR Login failed.\r\n");
          else {
            socket.off("data", hear);
            return whenIn(user, held);
          }
          break;
        case "QUIT":
          socket.end("+OK Better luck next time.\r\n");
          break;
        default:
          socket.write("-ERR Invalid command.\r\n");
      }
    }
  };
  socket.on("data", hear);
  socket.write("+OK Hello there.\r\n");
}

function serve(socket: Socket, home: string, user: string, rest: string): void {
  const child = spawn("courierpop3d", ["Maildir"], {
    cwd: home,
    env: { PATH: process.env["PATH"], AUTHENTICATED: user, TCPREMOTEIP: "127.0.0.1" },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.on("error", (error) => socket.end(`-ERR ${error.message}\r\n`));
  child.stdin.on("error", () => {});
  child.stdin.write(rest);
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
  socket.on("close", () => child.stdin.end());
}
