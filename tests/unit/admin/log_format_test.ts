import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { LogRecord } from "@logtape/logtape";
import { test } from "node:test";
import { formatRecord } from "../../../src/admin/log_format.ts";

function record(properties: Record<string, unknown>, more: Partial<LogRecord> = {}): LogRecord {
  return {
    category: ["popkeep", "session"],
    level: "info",
    message: ["session ended"],
    rawMessage: "session ended",
    timestamp: Date.UTC(2026, 6, 1, 12, 0, 0, 7),
    properties,
    ...more,
  };
}

test("text has time, level, message and fields, values quoted only where they need it", () => {
  const line = formatRecord(
    record({ user: "alice", durationMs: 12, reply: 'a "b" =', empty: "", none: undefined }),
    "text",
  );
  assert.equal(
    line,
    '2026-07-01T12:00:00.007Z info    session ended user=alice duration_ms=12 reply="a \\"b\\" =" ' +
      'empty=""\n',
  );
});

test("JSON has the same, and the room", () => {
  const line = formatRecord(record({ user: "alice", durationMs: 12, ok: true }), "json");
  assert.deepEqual(JSON.parse(line), {
    time: "2026-07-01T12:00:00.007Z",
    level: "info",
    room: "session",
    message: "session ended",
    user: "alice",
    duration_ms: 12,
    ok: true,
  });
  assert.ok(line.endsWith("}\n") && line.indexOf("\n") === line.length - 1);
});

for (const format of ["text", "json"] as const) {
  test(`no value makes two lines or fields of one, in ${format}`, () => {
    const user = 'eve level=error\r\n2026-07-01T12:00:00.007Z error forged"';
    const line = formatRecord(record({ user }), format);
    assert.equal(line.indexOf("\n"), line.length - 1);
    if (format === "text") assert.match(line, / user="eve level=error\\\\u000d.*forged\\""\n$/);
    else assert.equal(JSON.parse(line).level, "info");
  });
}

test("a field cannot take the place of what the line itself says", () => {
  const line = formatRecord(record({ time: "never", level: "none", message: "other" }), "json");
  const fields = JSON.parse(line);
  assert.equal(fields.level, "info");
  assert.equal(fields.message, "session ended");
  assert.equal(fields.level_, "none");
});

test("an error has its stack where the level says that it is a fault, and only there", () => {
  const error = new Error("broken");
  const fault = JSON.parse(formatRecord(record({ error }, { level: "error" }), "json"));
  assert.equal(fault.error, "Error: broken");
  assert.match(fault.stack, /broken|log_format_test/);
  assert.equal(JSON.parse(formatRecord(record({ error }), "json")).stack, undefined);
});

for (const format of ["text", "json"] as const) {
  test(`a line as ${format} is never longer than a pipe takes whole, and says what it can`, () => {
    const long = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`field${at}`, "\\\u0001€".repeat(700)]),
    );
    const line = formatRecord(record({ ...long, last: "short" }), format);
    assert.ok(Buffer.byteLength(line) <= 4_096, String(Buffer.byteLength(line)));
    assert.ok(line.endsWith("\n") && line.includes("short"));
    if (format === "json") assert.equal(JSON.parse(line).last, "short");
  });
}

test("a value is cut only where the line would be too long", () => {
  const user = "u".repeat(2_000);
  assert.ok(formatRecord(record({ user }), "json").includes(user));
  const line = formatRecord(record({ user, reply: user, other: user }), "json");
  assert.equal(JSON.parse(line).user, `${"u".repeat(1_000)}...`);
});

test("where a line is from is said before what it says", () => {
  const line = formatRecord(record({ user: "alice" }), "text", { worker: 2 });
  assert.equal(line, "2026-07-01T12:00:00.007Z info    session ended worker=2 user=alice\n");
});
