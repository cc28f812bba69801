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

/** The lines that the rooms net, admin and the command serve log, by their fixed texts. */
function loggedMessages(): string[] {
  const files = [
    ...["net", "admin"].flatMap((room) =>
      readdirSync(`${project}/src/${room}`).map((name) => `${room}/${name}`)
    ),
    "cli/serve.ts",
  ];
  const calls = /\blog(?:\.\w+|\[level\])\(\s*(?:\w+ \? )?"([^"]+)"/g;
  return files.flatMap((file) => [...sourceOf(file).matchAll(calls)].map((match) => match[1]!));
}

test("every line that is logged is on the page", () => {
  const messages = loggedMessages();
  assert.ok(messages.includes("session ended") && messages.includes("reloaded"), "they are found");
  const missing = messages.filter((message) => !page.includes(`\`${message}\``));
  assert.deepEqual(missing, []);
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
