/** docs/log.md names what the sources log, so that neither goes on without the other. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { fieldName } from "../../../src/admin/log_text.ts";

const project = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(`${project}/docs/log.md`, "utf8");

function sourceOf(path: string): string {
  return readFileSync(`${project}/src/${path}`, "utf8");
}

/** The files of the rooms that log while a server runs, and of the command serve. */
function loggingFiles(): string[] {
  const rooms = ["net", "admin", "auth", "maildir"].flatMap((room) =>
    readdirSync(`${project}/src/${room}`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts")).sort().map((name) => `${room}/${name}`)
  );
  const workers = ["worker.ts", "workers_service.ts"].map((name) => `cli/workers/${name}`);
  return [...rooms, "cli/serve.ts", "cli/survive_faults.ts", "cli/login_ways.ts", ...workers];
}

/** The lines that are logged, by their fixed texts. */
function loggedMessages(): string[] {
  const calls = /\blog(?:ger)?(?:\.\w+|\[level\])\(\s*(?:\w+ \? )?"([^"]+)"/g;
  return loggingFiles().flatMap((file) =>
    [...sourceOf(file).matchAll(calls)].map((match) => match[1]!)
  );
}

/** The properties that stand in the calls themselves, by their names in the log. */
function loggedFields(): string[] {
  const calls = /\blog(?:ger)?(?:\.\w+|\[level\])\(\s*"[^"]+",\s*\{([^]*?)\}\)+;/g;
  return loggingFiles().flatMap((file) =>
    [...sourceOf(file).matchAll(calls)].flatMap(([, properties]) =>
      [...properties!.matchAll(/(?:^|,)\s*(\w+)\s*(?=[:,]|$)/g)].map((match) =>
        fieldName(match[1]!)
      )
    )
  );
}

test("every line that is logged is on the page", () => {
  const messages = loggedMessages();
  assert.ok(messages.includes("session ended") && messages.includes("reloaded"), "they are found");
  const missing = messages.filter((message) => !page.includes(`\`${message}\``));
  assert.deepEqual(missing, []);
});

test("every field that is logged is on the page", () => {
  const fields = loggedFields();
  for (const name of ["mechanism", "unique_id", "waiting", "max_connections"]) {
    assert.ok(fields.includes(name), `${name} is found`);
  }
  assert.deepEqual(fields.filter((name) => !page.includes(`\`${name}\``)), []);
});

test("every reason for a session's end is on the page", () => {
  const ends = /export type EndReason =([^;]*);/.exec(sourceOf("admin/session_log.ts"))![1]!;
  const turnedAway = /export type TurnAwayReason =([^;]*);/
    .exec(sourceOf("session/services.ts"))![1]!;
  const reasons = [...`${ends}${turnedAway}`.matchAll(/"(\w+)"/g)].map((match) => match[1]!);
  assert.ok(reasons.length > 10, "they are found");
  assert.deepEqual(reasons.filter((reason) => !page.includes(`\`${reason}\``)), []);
});

test("every count of a session is on the page", () => {
  const summary = /export interface SessionSummary \{([^}]*)\}/
    .exec(sourceOf("session/services.ts"))![1]!;
  const names = [...summary.matchAll(/readonly (\w+):/g)].map((match) => fieldName(match[1]!));
  assert.ok(names.includes("dropped_marks"), "they are found");
  assert.deepEqual(names.filter((name) => !page.includes(`\`${name}\``)), []);
});
