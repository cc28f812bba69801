import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { SignalQueue } from "../../../src/cli/signal_queue.ts";

test("signals wait for who asks and come in order, and none is lost in between", async () => {
  const signals = new SignalQueue(["SIGHUP", "SIGUSR2"]);
  try {
    process.emit("SIGHUP", "SIGHUP");
    process.emit("SIGUSR2", "SIGUSR2");
    assert.equal(await signals.next(), "SIGHUP");
    assert.equal(await signals.next(), "SIGUSR2");
    const next = signals.next();
    process.emit("SIGUSR2", "SIGUSR2");
    process.emit("SIGHUP", "SIGHUP");
    assert.equal(await next, "SIGUSR2");
    assert.equal(await signals.next(), "SIGHUP");
  } finally {
    signals.close();
  }
});

test("a signal of the system arrives, and after close nobody listens any more", async () => {
  const before = process.listenerCount("SIGUSR2");
  const signals = new SignalQueue(["SIGUSR2"]);
  // A listener for signals alone does not keep a program running.
  const running = setInterval(() => {}, 1_000);
  process.kill(process.pid, "SIGUSR2");
  assert.equal(await signals.next(), "SIGUSR2");
  clearInterval(running);
  signals.close();
  assert.equal(process.listenerCount("SIGUSR2"), before);
});
