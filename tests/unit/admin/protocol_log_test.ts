import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ProtocolLog, type ProtocolLogOptions } from "../../../src/admin/protocol_log.ts";

const OPTIONS: ProtocolLogOptions = { folder: "/nowhere", period: "daily", quotaOctets: 0 };

test("closing waits for what was written before and after a change", async () => {
  const written: PromiseWithResolvers<void>[] = [];
  const log = new ProtocolLog(OPTIONS, () => {
    const lines = Promise.withResolvers<void>();
    written.push(lines);
    return { append: () => {}, close: () => lines.promise };
  });
  log.change(OPTIONS);
  let closed = false;
  const closing = log.close().then(() => closed = true);
  written[1]!.resolve();
  await turn();
  assert.equal(closed, false);
  written[0]!.resolve();
  await closing;
});
