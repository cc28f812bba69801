/**
 * Borrowing a mailbox from the servers that run on this machine; where none does, nobody has it open.
 *
 * *Knows*: the dialogue of loan_listener.ts. *Does not know*: what the mailbox is borrowed for.
 */

import { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";
import { SOCKET_PATH_OCTETS, STEP_MS, USE_MS } from "./loan_terms.ts";

/** The server answers at once: it looks at what it has in memory. */
const ANSWER_MS = 10_000;

/** What is said of a socket where nobody listens, or none is. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);

/** A server is there that cannot be asked, or may be. */
export class CannotBorrow extends Error {
  override readonly name = "CannotBorrow";
}

export interface Borrowed {
  /** Time that each call to the disk gets, ms, so that none goes on when the mailbox is not ours any more. */
  readonly stepMs: number;
  /**
   * Whether something may still be begun. To be asked before each step: a process that was stopped for a while has
   * lost the mailbox before it hears of it, which is why the clock counts too.
   */
  isHeld(): boolean;
  giveBack(): Promise<void>;
}

/**
 * Borrows the mailbox at a path from all servers; undefined if a session of one has it open.
 *
 * @param socketPaths Where they listen, those that run.
 * @throws {CannotBorrow} If one does and does not answer, or does not let us ask.
 */
export async function borrowFromAll(
  socketPaths: readonly string[],
  path: string,
): Promise<Borrowed | undefined> {
  const parts: Borrowed[] = [];
  const giveBack = async () => {
    await Promise.all(parts.map((part) => part.giveBack()));
  };
  try {
    for (const socketPath of socketPaths) {
      const part = await borrowMailbox(socketPath, path);
      if (part === undefined) {
        await giveBack();
        return undefined;
      }
      if (part !== NOTHING) parts.push(part);
    }
  } catch (error) {
    await giveBack();
    throw error;
  }
  return {
    stepMs: Math.min(...parts.map(({ stepMs }) => stepMs)),
    isHeld: () => parts.every((part) => part.isHeld()),
    giveBack,
  };
}

/**
 * Borrows the mailbox at a path from one server; undefined if a session has it open.
 *
 * @param socketPath Where the server listens.
 * @throws {CannotBorrow} If it does and does not answer, or does not let us ask.
 */
export function borrowMailbox(socketPath: string, path: string): Promise<Borrowed | undefined> {
  if (Buffer.byteLength(socketPath) > SOCKET_PATH_OCTETS) {
    // A server may run that could not listen there either.
    const reason = `a socket's path has ${SOCKET_PATH_OCTETS} octets at most: a shorter ` +
      "state_folder is needed, so that the server can be asked which mailboxes are open";
    return Promise.reject(new CannotBorrow(`${socketPath}: ${reason}`));
  }
  return new Promise((resolve, reject) => {
    const askedMs = performance.now();
    const socket = createConnection({ path: socketPath });
    let answer = "";
    let isAnswered = false;
    const fail = (reason: string) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new CannotBorrow(`${socketPath}: ${reason}`));
    };
    const timer = setTimeout(() => fail("the server does not answer"), ANSWER_MS);
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`${JSON.stringify({ borrow: path })}\n`));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (isAnswered) return;
      if (!NOBODY.has(error.code ?? "")) return fail(error.message);
      clearTimeout(timer);
      resolve(NOTHING);
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        if (!isAnswered) fail("the server closed the connection");
      });
    }
    socket.on("data", (text: string) => {
      answer += text;
      if (isAnswered || !answer.includes("\n")) return;
      isAnswered = true;
      clearTimeout(timer);
      if (answer.trim() === '{"lent":true}') return resolve(loanOf(socket, askedMs));
      socket.destroy();
      resolve(undefined);
    });
  });
}

/** Where no server is. */
const NOTHING: Borrowed = {
  stepMs: Infinity,
  isHeld: () => true,
  giveBack: () => Promise.resolve(),
};

function loanOf(socket: Socket, askedMs: number): Borrowed {
  let isOver = false;
  for (const event of ["end", "close", "error"]) socket.on(event, () => isOver = true);
  return {
    stepMs: STEP_MS,
    isHeld: () => !isOver && performance.now() - askedMs < USE_MS,
    giveBack: () =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        socket.on("close", () => resolve());
        socket.end();
        // The server closes its end when it has it back; a server that is gone has it back as well.
        setTimeout(() => socket.destroy(), ANSWER_MS).unref();
      }),
  };
}
