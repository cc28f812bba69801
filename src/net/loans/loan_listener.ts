/**
 * The socket of this machine at which another process of ours borrows a mailbox from the server, to remove old mail
 * while no session has it open or begins.
 *
 * A client sends one line of JSON, `{"borrow": "/path/of/a/Maildir"}`, and is told `{"lent": true}` or
 * `{"lent": false}`. It gives the mailbox back by closing the connection: so does one that is killed.
 *
 * *Knows*: sockets. *Does not know*: mailboxes.
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { SocketListener } from "../lmtp/socket_listener.ts";
import { PlaceFailure } from "../place_failure.ts";
import { LOAN_MS, SOCKET_PATH_OCTETS } from "./loan_terms.ts";

/** Lends what is at a path, or does not; what is returned gives it back. */
export type Lend = (path: string) => Promise<(() => void) | undefined>;

/** Longest question, characters: longer than any path. */
const QUESTION_CHARACTERS = 16_384;

/** Connections at a time. */
const MOST_CONNECTIONS = 32;

export class LoanListener {
  readonly #listener: SocketListener;
  readonly #connections: Set<Socket>;

  private constructor(listener: SocketListener, connections: Set<Socket>) {
    this.#listener = listener;
    this.#connections = connections;
  }

  /** @throws {PlaceFailure} If the place cannot be had. */
  static async open(path: string, lend: Lend): Promise<LoanListener> {
    if (Buffer.byteLength(path) > SOCKET_PATH_OCTETS) {
      const reason = `a socket's path has ${SOCKET_PATH_OCTETS} octets at most`;
      throw new PlaceFailure(path, reason, "ENAMETOOLONG");
    }
    const connections = new Set<Socket>();
    const listener = await SocketListener.open(path, (socket) => {
      if (connections.size >= MOST_CONNECTIONS) return void socket.destroy();
      connections.add(socket);
      socket.on("close", () => connections.delete(socket));
      serve(socket, lend);
    });
    return new LoanListener(listener, connections);
  }

  /** Where it listens. */
  get path(): string {
    return this.#listener.path;
  }

  /** Whether who asks at its path asks it. */
  get isInPlace(): boolean {
    return this.#listener.isInPlace;
  }

  /** Stops, and takes back what is lent. */
  close(): void {
    this.#listener.close();
    for (const socket of this.#connections) socket.destroy();
  }
}

function serve(socket: Socket, lend: Lend): void {
  let question: string | undefined = "";
  let giveBack: (() => void) | undefined;
  let isOver = false;
  const end = () => {
    isOver = true;
    clearTimeout(timer);
    giveBack?.();
    giveBack = undefined;
    socket.destroy();
  };
  const timer = setTimeout(end, LOAN_MS);
  timer.unref();
  socket.setEncoding("utf8");
  for (const event of ["end", "close", "error"]) socket.on(event, end);
  socket.on("data", (text: string) => {
    if (question === undefined) return end();
    question += text;
    if (question.length > QUESTION_CHARACTERS) return end();
    const lineEnd = question.indexOf("\n");
    if (lineEnd < 0) return;
    const path = pathIn(question.slice(0, lineEnd));
    question = undefined;
    if (path === undefined) return end();
    lend(path).then((lent) => {
      if (isOver) return lent?.();
      giveBack = lent;
      socket.write(`${JSON.stringify({ lent: lent !== undefined })}\n`);
    }, end);
  });
}

function pathIn(line: string): string | undefined {
  try {
    const { borrow } = JSON.parse(line) as { borrow?: unknown };
    return typeof borrow === "string" ? borrow : undefined;
  } catch {
    return undefined;
  }
}
