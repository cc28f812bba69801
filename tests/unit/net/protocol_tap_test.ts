import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { loggedCommand } from "../../../src/net/protocol_tap.ts";

const LINES: readonly [line: string, command: string, parameters: string][] = [
  ["USER alice", "USER", "alice"],
  ["user  alice ", "USER", "alice"],
  ["USER alice secret", "USER", "alice *****"],
  ["USER älice", "USER", "älice"],
  ["PASS secret", "PASS", "*****"],
  ["PASS", "PASS", ""],
  ["PASS two words", "PASS", "*****"],
  ["pass\tsecret", "PASS", "*****"],
  ["APOP alice c4c9334bac560ecc979e58001b3e22fb", "APOP", "*****"],
  ["AUTH", "AUTH", ""],
  ["AUTH PLAIN", "AUTH", "PLAIN"],
  ["AUTH scram-sha-256", "AUTH", "scram-sha-256"],
  ["AUTH PLAIN AGFsaWNlAHNlY3JldA==", "AUTH", "PLAIN *****"],
  ["AUTH AGFsaWNlAHNlY3JldA==", "AUTH", "*****"],
  ["AUTH secret", "AUTH", "*****"],
  ["RETR 1", "RETR", "1"],
  ["TOP 1 0", "TOP", "1 0"],
  ["TOP 1 secret", "TOP", "1 *****"],
  ["LIST secret", "LIST", "*****"],
  ["STAT", "STAT", ""],
  ["STAT secret", "STAT", "*****"],
  ["LANG de", "LANG", "de"],
  ["LANG *", "LANG", "*"],
  ["LANG a secret", "LANG", "a *****"],
  ["secret", "(unknown)", ""],
  ["PAS secret", "(unknown)", "*****"],
  ["", "(malformed)", ""],
  ["secret\0", "(malformed)", ""],
  [" PASS secret", "(malformed)", ""],
  [":secret", "(malformed)", ""],
];

for (const [line, command, parameters] of LINES) {
  test(`of ${JSON.stringify(line)} the protocol log gets ${command} ${parameters}`, () => {
    const octets = Buffer.from(line, "utf8");
    assert.deepEqual(loggedCommand(octets, "command"), { command, parameters });
  });
}

test("a SASL response is withheld, whatever it looks like", () => {
  for (const line of ["AGFsaWNlAHNlY3JldA==", "USER alice", "*", ""]) {
    assert.deepEqual(loggedCommand(Buffer.from(line), "sasl-response"), {
      command: "(response)",
      parameters: "*****",
    });
  }
  assert.equal(loggedCommand("too-long", "sasl-response").parameters, "*****");
});

test("of a line that was too long there is nothing to log", () => {
  assert.deepEqual(loggedCommand("too-long", "command"), { command: "(too long)", parameters: "" });
});
