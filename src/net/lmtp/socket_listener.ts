/**
 * A socket of this machine (unix(7)) that is listened on, for its owner and its group: mode 0660. Its group is its
 * maker's, or its folder's where that has the set-group-ID bit.
 *
 * It is made under another name beside its place, and put there when it listens and has its mode: nobody finds
 * one that he may not use yet, and what a server that was killed has left there is replaced. One that another
 * program serves is not.
 *
 * *Knows*: node:net, paths. *Does not know*: what is done with a client's socket.
 */

import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { getLogger } from "@logtape/logtape";
import { PlaceFailure } from "../place_failure.ts";

const log = getLogger(["popkeep", "net"]);

const MODE = 0o660;

/** Connections that the system holds until they are accepted. */
const BACKLOG = 128;

/** How long to try whether somebody serves a socket, ms: on one machine it is told at once. */
const TRIAL_MS = 1_000;

export class SocketListener {
  readonly path: string;
  readonly #server: Server;
  /** What we have put there: another one may have come into its place since. */
  readonly #ours: Stats;

  private constructor(path: string, server: Server, ours: Stats) {
    this.path = path;
    this.#server = server;
    this.#ours = ours;
  }

  /** @throws {PlaceFailure} If the place is another program's, is no socket, or cannot be written. */
  static async open(path: string, accepted: (socket: Socket) => void): Promise<SocketListener> {
    // Short, since the system takes short paths only.
    const making = `${dirname(path)}/.${randomBytes(4).toString("hex")}`;
    const server = createServer({ allowHalfOpen: true });
    try {
      await mustBeFree(path);
      await listen(server, making);
      chmodSync(making, MODE);
      renameSync(making, path);
      server.on("connection", accepted);
      server.on("error", (error) => log.warning("cannot accept", { socket: path, error }));
      return new SocketListener(path, server, lstatSync(path));
    } catch (error) {
      server.close();
      remove(making);
      if (error instanceof PlaceFailure) throw error;
      throw failureAt(path, error as NodeJS.ErrnoException);
    }
  }

  /** For the log. */
  get described() {
    return { socket: this.path, protocol: "lmtp" };
  }

  /** Whether it is our socket that is found at the path. */
  get isInPlace(): boolean {
    const { ino, dev } = this.#ours;
    try {
      const there = lstatSync(this.path);
      return there.ino === ino && there.dev === dev;
    } catch {
      return false;
    }
  }

  /** Stops listening, at once, and removes the socket if it is ours. Connections that were accepted go on. */
  close(): void {
    try {
      if (this.isInPlace) unlinkSync(this.path);
    } catch {
      // It is gone.
    }
    this.#server.close();
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, backlog: BACKLOG }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** @throws {PlaceFailure} */
async function mustBeFree(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) {
    throw new PlaceFailure(path, "there is something else of that name", "EEXIST");
  }
  if (await isServed(path)) {
    throw new PlaceFailure(path, "another program is listening there already", "EADDRINUSE");
  }
}

/** Whether a program listens there. @throws What the system says, where that cannot be told. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    const timer = setTimeout(() => end(() => resolve(true)), TRIAL_MS);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    socket.on("connect", () => end(() => resolve(true)));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      // Of one that is too busy to answer the system says EAGAIN.
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") end(() => resolve(false));
      else if (error.code === "EAGAIN") end(() => resolve(true));
      else end(() => reject(error));
    });
  });
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not made.
  }
}

function failureAt(path: string, error: NodeJS.ErrnoException): PlaceFailure {
  const { code = "" } = error;
  const reasons: Record<string, string> = {
    ENOENT: "its folder is not there",
    ENOTDIR: "its folder is not there",
    EACCES: "this user may not write in its folder, or use the socket that is there",
    EPERM: "this user may not",
    EROFS: "the filesystem is read-only",
  };
  return new PlaceFailure(path, reasons[code] ?? error.message, code, { cause: error });
}
