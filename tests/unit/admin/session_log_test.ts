import assert from "node:assert/strict";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { test } from "node:test";
import { SessionLog } from "../../../src/admin/session_log.ts";
import { RemovedMessages } from "../../../src/maildrop/removed_messages.ts";
import type { SessionSummary } from "../../../src/session/services.ts";

/** What is logged while `run` runs. */
function recordsOf(run: () => void): LogRecord[] {
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { memory: (record) => records.push(record) },
    loggers: [
      { category: "popkeep", lowestLevel: "trace", sinks: ["memory"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["memory"] },
    ],
  });
  try {
    run();
  } finally {
    resetSync();
  }
  return records;
}

const SUMMARY: SessionSummary = {
  user: "alice",
  mechanism: "PLAIN",
  actedBy: undefined,
  folder: undefined,
  messages: 5,
  retrieved: 2,
  retrievedOctets: 200,
  topped: 1,
  toppedOctets: 10,
  marked: 2,
  markedOctets: 150,
  removed: 0,
  remaining: 5,
  droppedMarks: 2,
};

test("the end of a session has who, why, how long and all counts", () => {
  const [record] = recordsOf(() => {
    const log = new SessionLog({ address: "192.0.2.1" }, 995);
    log.tls = "TLSv1.3";
    log.ended({ reason: "timeout", durationMs: 1_234.5 }, SUMMARY);
  });
  const { session, ...fields } = record!.properties;
  assert.ok(Number.isInteger(session));
  assert.equal(record?.rawMessage, "session ended");
  assert.deepEqual(withoutUndefined(fields), {
    address: "192.0.2.1",
    port: 995,
    tls: "TLSv1.3",
    user: "alice",
    mechanism: "PLAIN",
    reason: "timeout",
    durationMs: 1_235,
    messages: 5,
    retrieved: 2,
    retrievedOctets: 200,
    topped: 1,
    toppedOctets: 10,
    marked: 2,
    markedOctets: 150,
    removed: 0,
    remaining: 5,
    droppedMarks: 2,
  });
});

test("a connection that never logged in has no counts of a maildrop", () => {
  const [record] = recordsOf(() => {
    const summary = { ...SUMMARY, user: undefined, mechanism: undefined };
    new SessionLog({ address: "192.0.2.1" }, 110).ended(
      { reason: "disconnected", durationMs: 1 },
      summary,
    );
  });
  const { session: _, ...fields } = record!.properties;
  assert.deepEqual(withoutUndefined(fields), {
    address: "192.0.2.1",
    port: 110,
    reason: "disconnected",
    durationMs: 1,
  });
});

test("sessions are numbered, and all lines of one have its number", () => {
  const records = recordsOf(() => {
    const one = new SessionLog({ address: "192.0.2.1" }, 110);
    const other = new SessionLog({ address: "192.0.2.2" }, 110);
    one.loginFailed("eve", "USER", "wrong", "wrong_credentials");
    other.storageFailed("reading", new Error("disk"));
    one.erred(new Error("ours"));
  });
  const [first, second, third] = records.map(({ properties }) => properties["session"]);
  assert.equal(first, third);
  assert.equal(Number(second), Number(first) + 1);
  assert.deepEqual(records.map(({ level }) => level), ["warning", "warning", "error"]);
});

test("who removed messages is one line, with as many unique-ids as there is room for", () => {
  const record = recordsOf(() => {
    const session = new SessionLog({ address: "192.0.2.1" }, 995);
    session.loggedIn("boss*alice", "PLAIN", { user: "alice", actedBy: "boss", folder: "Work" });
    const removed = new RemovedMessages();
    for (let n = 0; n < 100; n++) removed.addMessage(10, `17953851093897${n + 10}`);
    session.messagesRemoved(removed);
  }).at(-1);
  const { session: _, uniqueIds, ...fields } = withoutUndefined(record!.properties);
  assert.deepEqual(fields, {
    address: "192.0.2.1",
    port: 995,
    user: "alice",
    actedBy: "boss",
    folder: "Work",
    by: "client",
    messages: 100,
    octets: 1_000,
    uniqueIdsLeftOut: 40,
  });
  const ids = String(uniqueIds);
  assert.ok(ids.length <= 1_024);
  assert.equal(ids.split(" ").length, 60);
  assert.ok(ids.startsWith("1795385109389710 1795385109389711 "));
});

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
