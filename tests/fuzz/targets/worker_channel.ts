/**
 * What a worker says to the supervisor, which has to live on whatever that is: a channel ends once, and says
 * so, and never throws. Questions are answered by what they ask.
 */

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { Channel, ChannelFault } from "../../../src/net/workers/channel.ts";
import type { FuzzTarget } from "../target.ts";

export const workerChannel: FuzzTarget = {
  name: "worker_channel",
  executions: 15_000,
  async attempt(input) {
    const [from, to] = [new PassThrough(), new PassThrough()];
    let ended = 0;
    const channel = new Channel(from, to, {
      asked: (question) => Promise.resolve(question),
      told: () => assert.equal(ended, 0, "told after the end"),
      ended(reason) {
        ended++;
        assert.ok(reason === undefined || reason instanceof ChannelFault);
      },
    });
    // Its answers have the ids 1 and 2.
    const answers = Promise.allSettled([channel.ask("first"), channel.ask("second")]);
    // In one piece and a rest, at once: `data` listeners throw to whoever emits.
    const cut = input.length >> 1;
    from.emit("data", new TextDecoder().decode(input.subarray(0, cut)));
    from.emit("data", new TextDecoder().decode(input.subarray(cut)));
    channel.close();
    for (const answer of await answers) {
      assert.ok(answer.status === "fulfilled" || answer.reason instanceof ChannelFault);
    }
    assert.equal(ended, 1);
  },
};
