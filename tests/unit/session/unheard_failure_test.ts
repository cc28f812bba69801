import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoginOutcome } from "../../../src/auth/login.ts";
import { SessionClient } from "../../support/session_client.ts";

test("a failed login is told although the client left before its answer", async () => {
  const told: string[] = [];
  const answer = Promise.withResolvers<LoginOutcome>();
  const client = new SessionClient({
    services: { checkPassword: () => answer.promise },
    events: {
      loginFailed: (user, _mechanism, _reason, cause) => told.push(`${user} ${cause}`),
    },
  });
  await client.ask("USER alice");
  const answered = client.session.receive(new TextEncoder().encode("PASS guess"));
  client.session.end();
  answer.resolve({ kind: "refused" });
  await answered;
  assert.deepEqual(told, ["alice wrong_credentials"]);
});
