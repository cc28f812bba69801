import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { IntrospectionOptions } from "../../../src/auth/oauth/introspection.ts";
import type { TokenVerdict } from "../../../src/auth/oauth/token_check.ts";
import { TokenMemory } from "../../../src/auth/oauth/token_memory.ts";
import {
  openTokenValidator,
  type TokenValidatorOptions,
} from "../../../src/auth/oauth/token_validator.ts";
import {
  OAUTH_CLOCK_LEEWAY_MS,
  OAUTH_INACTIVE_TOKENS,
  OAUTH_INTROSPECTION_MEMORY_MS,
  OAUTH_INTROSPECTIONS,
} from "../../../src/limits.ts";
import {
  type Answer,
  AUDIENCE,
  CLAIMS,
  FAILURES,
  ISSUER,
  json,
  logOf,
  makeSigner,
  TestServer,
  textOf,
  withServer,
} from "../../support/authorization_server.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-introspection-`);
after(() => rmSync(folder, { recursive: true }));

const ALICE: TokenVerdict = { kind: "valid", user: CLAIMS.email };
const INVALID: TokenVerdict = { kind: "invalid", fault: "invalid_token" };
const UNAVAILABLE: TokenVerdict = { kind: "unavailable" };
const PATIENCE_MS = 60_000;
const TOKEN = "2YotnFZFEjr1zCsicMWpAA";
const ACTIVE = { active: true, ...CLAIMS, exp: Math.floor(Date.now() / 1_000) + 3_600 };

/** A validator that asks a server of its own, by a clock that stands still. */
async function withAsked(
  answer: Answer,
  use: (
    check: (token: string, address?: string) => Promise<TokenVerdict>,
    server: TestServer,
    clock: { now: number },
    /** How long an answer may take; what is to come has all the time that a busy machine needs. */
    limit: { timeLimitMs: number },
  ) => Promise<void>,
  options: Partial<TokenValidatorOptions> = {},
  asking: Partial<IntrospectionOptions> = {},
): Promise<void> {
  await withServer(answer, async (server) => {
    const clock = { now: Date.now() };
    const introspection = {
      url: server.url,
      clientId: "",
      clientSecretFile: "",
      timeLimitMs: PATIENCE_MS,
      ...asking,
    };
    const validator = await openTokenValidator({
      keySet: "",
      introspection,
      issuer: ISSUER,
      audience: [AUDIENCE],
      scopes: ["mail.pop"],
      userClaim: "email",
      nowMs: () => clock.now,
      ...options,
    });
    const check = (token: string, address = "192.0.2.1") =>
      validator.checkFrom(address)(token, "alice@example.com");
    await use(check, server, clock, introspection);
  });
}

test("a token that is active and says all lets in", async () => {
  await withAsked(json(ACTIVE), async (check, server) => {
    deepStrictEqual(await check(TOKEN), ALICE);
    const [request] = server.requests;
    strictEqual(request?.method, "POST");
    match(String(request.headers["content-type"]), /^application\/x-www-form-urlencoded/);
    strictEqual(request.body, `token=${TOKEN}&token_type_hint=access_token`);
    strictEqual(request.headers.authorization, undefined);
  });
});

test("what a token may hold is quoted in the request", async () => {
  await withAsked(json(ACTIVE), async (check, server) => {
    await check("a+b/c~d._-==");
    const { token } = Object.fromEntries(new URLSearchParams(server.requests[0]!.body));
    strictEqual(token, "a+b/c~d._-==");
  });
});

test("our own name and secret are sent as RFC 6749 has it, the secret as it is now", async () => {
  const clientSecretFile = `${folder}/secret`;
  writeFileSync(clientSecretFile, "s3:cr t%é\n");
  await withAsked(
    json(ACTIVE),
    async (check, server) => {
      await check("one");
      writeFileSync(clientSecretFile, "next\r\n");
      await check("two");
      const sent = server.requests.map(({ headers }) =>
        Buffer.from(headers.authorization!.replace("Basic ", ""), "base64").toString("utf8")
      );
      deepStrictEqual(sent, ["pop+keep%3A1:s3%3Acr+t%25%C3%A9", "pop+keep%3A1:next"]);
    },
    {},
    { clientId: "pop keep:1", clientSecretFile },
  );
});

test("a secret that is not there is told at the start, and later lets nobody in", async () => {
  const clientSecretFile = `${folder}/gone`;
  const asking = { clientId: "popkeep", clientSecretFile };
  const never = () => Promise.resolve();
  await rejects(withAsked(json(ACTIVE), never, {}, asking));
  for (const content of ["", "\n", "x".repeat(5_000)]) {
    writeFileSync(clientSecretFile, content);
    await rejects(withAsked(json(ACTIVE), never, {}, asking), /holds no secret/);
  }
  writeFileSync(clientSecretFile, "hush");
  await withAsked(
    json(ACTIVE),
    async (check, server) => {
      rmSync(clientSecretFile);
      deepStrictEqual(await check(TOKEN), UNAVAILABLE);
      strictEqual(server.requests.length, 0);
    },
    {},
    asking,
  );
});

test("a token that is not active is refused", async () => {
  await withAsked(json({ ...ACTIVE, active: false }), async (check) => {
    deepStrictEqual(await check(TOKEN), INVALID);
  });
});

test("an answer that does not say whether the token is active says nothing", async () => {
  for (const active of ["true", 1, null, undefined, {}, [true]]) {
    await withAsked(json({ ...ACTIVE, active }), async (check) => {
      deepStrictEqual(await check(TOKEN), UNAVAILABLE, JSON.stringify(active));
    });
  }
});

test("an active token is held to audience, issuer, scope, time and user all the same", async () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ aud: "other" }, "it is for another audience"],
    [{ aud: undefined }, "it names no audience"],
    [{ iss: "https://evil.example" }, "it is of another issuer"],
    [{ scope: "openid" }, "it lacks the scope mail.pop"],
    [{ exp: 1 }, "it has expired"],
    [{ nbf: 9e9 }, "it is not valid yet"],
    [{ email: undefined }, "it lacks the claim email"],
    [{ email_verified: false }, "its e-mail address is not verified"],
  ];
  for (const [claims, reason] of cases) {
    await withAsked(json({ ...ACTIVE, ...claims }), async (check) => {
      const records = await logOf(async () => strictEqual((await check(TOKEN)).kind, "invalid"));
      strictEqual(records[0]?.properties["reason"], reason);
      ok(!textOf(records).includes(TOKEN), "the token is in the log");
    });
  }
});

test("an answer without issuer and end is enough", async () => {
  await withAsked(json({ ...ACTIVE, iss: undefined, exp: undefined }), async (check) => {
    deepStrictEqual(await check(TOKEN), ALICE);
  });
});

for (const [how, answer] of Object.entries(FAILURES)) {
  test(`a server that answers by ${how} says nothing of a token`, async () => {
    await withAsked(answer, async (check, server, _, limit) => {
      limit.timeLimitMs = 150;
      const records = await logOf(async () => deepStrictEqual(await check(TOKEN), UNAVAILABLE));
      strictEqual(records[0]?.level, "error");
      ok(!textOf(records).includes(TOKEN), "the token is in the log");
      server.answer = json(ACTIVE);
      limit.timeLimitMs = PATIENCE_MS;
      deepStrictEqual(await check(TOKEN), ALICE, "it is asked again");
    });
  });
}

test("a token is not sent after a redirect", async () => {
  await withServer(json(ACTIVE), async (elsewhere) => {
    for (const status of [301, 302, 303, 307, 308]) {
      const redirect: Answer = (_, response) => {
        response.statusCode = status;
        response.setHeader("location", elsewhere.url);
        response.end();
      };
      await withAsked(redirect, async (check) => {
        deepStrictEqual(await check(TOKEN), UNAVAILABLE);
      });
    }
    strictEqual(elsewhere.requests.length, 0);
  });
});

test("a good token is remembered for a while, and a use does not prolong it", async () => {
  await withAsked(json(ACTIVE), async (check, server, clock) => {
    await check(TOKEN);
    server.answer = json({ active: false });
    clock.now += OAUTH_INTROSPECTION_MEMORY_MS - 1;
    deepStrictEqual(await check(TOKEN), ALICE);
    strictEqual(server.requests.length, 1);
    clock.now += 1;
    deepStrictEqual(await check(TOKEN), INVALID);
  });
});

test("a good token is not remembered beyond its end", async () => {
  const exp = Math.floor(Date.now() / 1_000) + 10;
  await withAsked(json({ ...ACTIVE, exp }), async (check, server, clock) => {
    deepStrictEqual(await check(TOKEN), ALICE);
    clock.now = exp * 1_000;
    deepStrictEqual(await check(TOKEN), ALICE, "clocks may differ");
    strictEqual(server.requests.length, 2);
    clock.now += OAUTH_CLOCK_LEEWAY_MS;
    deepStrictEqual(await check(TOKEN), INVALID);
  });
});

test("another token than the remembered one is asked about", async () => {
  await withAsked(json(ACTIVE), async (check, server) => {
    await check(TOKEN);
    server.answer = json({ active: false });
    for (const token of [`${TOKEN}A`, TOKEN.slice(1), TOKEN.toLowerCase()]) {
      deepStrictEqual(await check(token), INVALID);
    }
  });
});

test("a refusal is not remembered", async () => {
  await withAsked(json({ active: false }), async (check, server) => {
    deepStrictEqual(await check(TOKEN), INVALID);
    server.answer = json(ACTIVE);
    deepStrictEqual(await check(TOKEN), ALICE);
  });
});

test("an address that makes tokens up does not make us ask without end", async () => {
  await withAsked(json({ active: false }), async (check, server) => {
    for (let i = 0; i < OAUTH_INACTIVE_TOKENS; i++) deepStrictEqual(await check(`a${i}`), INVALID);
    deepStrictEqual(await check("another"), UNAVAILABLE);
    strictEqual(server.requests.length, OAUTH_INACTIVE_TOKENS);
    deepStrictEqual(await check("another", "192.0.2.2"), INVALID, "others are not kept out");
  });
});

test("an address that made tokens up is let in with one that is remembered", async () => {
  await withAsked(json(ACTIVE), async (check, server) => {
    await check(TOKEN);
    server.answer = json({ active: false });
    for (let i = 0; i < OAUTH_INACTIVE_TOKENS; i++) await check(`a${i}`);
    deepStrictEqual(await check(TOKEN), ALICE);
  });
});

test("the same token at the same time is one question", async () => {
  await withAsked(json(ACTIVE), async (check, server) => {
    const verdicts = await Promise.all([1, 2, 3, 4].map(() => check(TOKEN)));
    deepStrictEqual(verdicts, [ALICE, ALICE, ALICE, ALICE]);
    strictEqual(server.requests.length, 1);
  });
});

test("more questions at once than may be are not asked", async () => {
  const answers: (() => void)[] = [];
  const waiting: Answer = (request, response) => {
    answers.push(() => json(ACTIVE)(request, response));
  };
  await withAsked(waiting, async (check, server) => {
    const running = Array.from({ length: OAUTH_INTROSPECTIONS }, (_, i) => check(`token${i}`));
    deepStrictEqual(await check("one-too-many"), UNAVAILABLE);
    while (answers.length < OAUTH_INTROSPECTIONS) await sleep(5);
    for (const answer of answers) answer();
    for (const verdict of await Promise.all(running)) deepStrictEqual(verdict, ALICE);
    server.answer = json(ACTIVE);
    deepStrictEqual(await check("one-too-many"), ALICE);
  });
});

test("with keys, too, signed tokens go by the keys and others are asked about", async () => {
  const signer = await makeSigner("k");
  const keySet = `${folder}/keys.json`;
  writeFileSync(keySet, JSON.stringify({ keys: [signer.jwk] }));
  await withAsked(json(ACTIVE), async (check, server) => {
    deepStrictEqual(await check(await signer.sign()), ALICE);
    deepStrictEqual(await check(await (await makeSigner("k")).sign()), INVALID);
    strictEqual(server.requests.length, 0);
    deepStrictEqual(await check(TOKEN), ALICE);
    strictEqual(server.requests.length, 1);
  }, { keySet });
});

test("without keys, signed tokens are asked about as well", async () => {
  const token = await (await makeSigner("k")).sign();
  await withAsked(json(ACTIVE), async (check, server) => {
    deepStrictEqual(await check(token), ALICE);
    strictEqual(server.requests.length, 1);
  });
});

test("the operator is warned of settings that take more tokens than is meant", async () => {
  const keySet = `${folder}/some-keys.json`;
  writeFileSync(keySet, JSON.stringify({ keys: [(await makeSigner("k")).jwk] }));
  const never = () => Promise.resolve();
  const warnings = async (options: Partial<TokenValidatorOptions>) =>
    textOf(await logOf(() => withAsked(json(ACTIVE), never, options)));
  strictEqual(await warnings({ keySet }), "");
  match(await warnings({ keySet, issuer: "" }), /of every issuer/);
  match(await warnings({ audience: [], scopes: [] }), /for every purpose/);
  strictEqual(await warnings({ issuer: "", audience: [] }), "");
});

test("the memory keeps so many, and forgets the oldest", () => {
  const clock = { now: 1_000 };
  const memory = new TokenMemory(() => clock.now, 3);
  const digests = ["a", "b", "c", "d"].map((token) => memory.digest(token));
  for (const digest of digests) memory.remember(digest, "alice", Infinity);
  strictEqual(memory.size, 3);
  strictEqual(memory.recall(digests[0]!), undefined);
  strictEqual(memory.recall(digests[3]!), "alice");
});

test("the memory forgets when the clock is set back", () => {
  const clock = { now: 1_000_000 };
  const memory = new TokenMemory(() => clock.now);
  const digest = memory.digest("a");
  memory.remember(digest, "alice", Infinity);
  clock.now -= 1;
  strictEqual(memory.recall(digest), undefined);
});

test("what the memory keeps is not the token, and is another's in another process", () => {
  const [one, other] = [new TokenMemory(Date.now), new TokenMemory(Date.now)];
  ok(!one.digest(TOKEN).includes(TOKEN));
  ok(one.digest(TOKEN) !== other.digest(TOKEN));
});
