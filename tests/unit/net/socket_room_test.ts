/** Which part of the files that a process may have open is for clients. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { socketRoom } from "../../../src/net/socket_room.ts";

for (
  const [openFiles, sockets, connections, waiting] of [
    [65_536, 65_280, 61_184, 4_096],
    [1_024, 768, 512, 256],
    [300, 225, 150, 75],
    [Infinity, Infinity, Infinity, 4_096],
  ] as const
) {
  test(`of ${openFiles} files ${connections} are for connections and ${waiting} for who waits`, () => {
    assert.deepEqual(socketRoom(openFiles), { sockets, connections, waiting });
  });
}
