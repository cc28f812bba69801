/**
 * How many clients' sockets this process may have open, whatever the limits of connections say: a process that
 * has no file left can open no message, and Bun asks for the next client again and again without a pause.
 */

import { FILES_ASIDE, NEWCOMERS_WAITING } from "../limits.ts";
import { openFilesLimit } from "../platform/open_files.ts";

export interface SocketRoom {
  /** In all. */
  readonly sockets: number;
  /** Those of them that are begun with. */
  readonly connections: number;
  /** Those who may wait until they are. */
  readonly waiting: number;
}

/** @param openFiles The limit of the process. */
export function socketRoom(openFiles: number = openFilesLimit() ?? Infinity): SocketRoom {
  const waiting = Math.floor(Math.min(NEWCOMERS_WAITING, openFiles / 4));
  const sockets = openFiles - Math.ceil(Math.min(FILES_ASIDE, openFiles / 4));
  return { sockets, connections: sockets - waiting, waiting };
}
