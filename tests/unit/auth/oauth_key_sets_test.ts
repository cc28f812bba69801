import { deepStrictEqual, doesNotMatch, match, rejects, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readJwt } from "../../../src/auth/oauth/jwt.ts";
import type { KeySource } from "../../../src/auth/oauth/key_set.ts";
import { openKeySetFile } from "../../../src/auth/oauth/key_set_file.ts";
import { KeySetUrl } from "../../../src/auth/oauth/key_set_url.ts";
import { openTokenValidator } from "../../../src/auth/oauth/token_validator.ts";
import {
  OAUTH_KEY_SET_AGE_MS,
  OAUTH_KEY_SET_COOLDOWN_MS,
  OAUTH_KEY_SET_OCTETS,
} from "../../../src/limits.ts";
import {
  AUDIENCE,
  FAILURES,
  ISSUER,
  json,
  logOf,
  makeSigner,
  type Signer,
  TestServer,
  textOf,
  withServer,
} from "../../support/authorization_server.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-keys-`);
after(() => rmSync(folder, { recursive: true }));

const [first, second] = [await makeSigner("first"), await makeSigner("second")];

function keysOf(...signers: readonly Signer[]): { keys: unknown[] } {
  return { keys: signers.map(({ jwk }) => jwk) };
}

/** "right", the reason for a refusal, or "unavailable". */
async function outcome(keys: KeySource, signer: Signer): Promise<string> {
  try {
    const read = await readJwt(await signer.sign(), {
      keys,
      requiredClaims: [],
      nowMs: Date.now,
    });
    return "claims" in read ? "right" : read.reason;
  } catch {
    return "unavailable";
  }
}

const PATIENCE_MS = 60_000;

const UNKNOWN = "it is signed with no key that is known";

/** A server with the first signer's key, and keys from it by a clock that stands still. */
async function withUrl(
  use: (
    server: TestServer,
    keys: KeySetUrl,
    clock: { now: number },
    /** How long an answer may take; what is to come has all the time that a busy machine needs. */
    limit: { timeLimitMs: number },
  ) => Promise<void>,
): Promise<void> {
  await withServer(json(keysOf(first)), async (server) => {
    const clock = { now: 0 };
    const options = { nowMs: () => clock.now, timeLimitMs: PATIENCE_MS };
    await use(server, new KeySetUrl(server.url, options), clock, options);
  });
}

test("keys are fetched when the first token comes, and once for many", async () => {
  await withUrl(async (server, keys) => {
    strictEqual(server.requests.length, 0);
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => outcome(keys, first)));
    deepStrictEqual(outcomes, ["right", "right", "right", "right"]);
    strictEqual(await outcome(keys, first), "right");
    strictEqual(server.requests.length, 1);
    strictEqual(server.requests[0]?.method, "GET");
  });
});

test("a key that is not known makes for another fetch, and is known then", async () => {
  await withUrl(async (server, keys, clock) => {
    strictEqual(await outcome(keys, first), "right");
    server.answer = json(keysOf(first, second));
    clock.now += OAUTH_KEY_SET_COOLDOWN_MS;
    strictEqual(await outcome(keys, second), "right");
    strictEqual(await outcome(keys, first), "right");
    strictEqual(server.requests.length, 2);
  });
});

test("tokens with unknown keys do not make for more than one fetch in its time", async () => {
  await withUrl(async (server, keys, clock) => {
    strictEqual(await outcome(keys, first), "right");
    clock.now += OAUTH_KEY_SET_COOLDOWN_MS - 1;
    strictEqual(await outcome(keys, second), UNKNOWN);
    strictEqual(server.requests.length, 1);
    clock.now += 1;
    for (let i = 0; i < 5; i++) strictEqual(await outcome(keys, second), UNKNOWN);
    strictEqual(server.requests.length, 2);
  });
});

test("keys that are old are fetched again, and those that are withdrawn are gone", async () => {
  await withUrl(async (server, keys, clock) => {
    strictEqual(await outcome(keys, first), "right");
    server.answer = json(keysOf(second));
    clock.now += OAUTH_KEY_SET_AGE_MS - 1;
    strictEqual(await outcome(keys, first), "right");
    clock.now += 1;
    strictEqual(await outcome(keys, first), UNKNOWN);
    strictEqual(await outcome(keys, second), "right");
  });
});

for (const [how, answer] of Object.entries(FAILURES)) {
  test(`a server that answers by ${how}: old keys stay good, unknown ones are not known`, async () => {
    await withUrl(async (server, keys, clock, limit) => {
      strictEqual(await outcome(keys, first), "right");
      server.answer = answer;
      limit.timeLimitMs = 150;
      clock.now += OAUTH_KEY_SET_AGE_MS;
      const records = await logOf(async () => {
        strictEqual(await outcome(keys, first), "right");
        strictEqual(await outcome(keys, second), "unavailable");
        clock.now += OAUTH_KEY_SET_COOLDOWN_MS;
        strictEqual(await outcome(keys, first), "right");
      });
      strictEqual(records.filter(({ level }) => level === "error").length, 1, "told once");
      server.answer = json(keysOf(second));
      limit.timeLimitMs = PATIENCE_MS;
      clock.now += OAUTH_KEY_SET_COOLDOWN_MS;
      const later = await logOf(async () => {
        strictEqual(await outcome(keys, second), "right");
      });
      match(textOf(later), /can be used again/);
    });
  });

  test(`a server that answers by ${how} from the start: nothing is known`, async () => {
    await withUrl(async (server, keys, clock, limit) => {
      server.answer = answer;
      limit.timeLimitMs = 150;
      strictEqual(await outcome(keys, first), "unavailable");
      server.answer = json(keysOf(first));
      limit.timeLimitMs = PATIENCE_MS;
      strictEqual(await outcome(keys, first), "unavailable", "it is not asked again at once");
      strictEqual(server.requests.length, 1);
      clock.now += OAUTH_KEY_SET_COOLDOWN_MS;
      strictEqual(await outcome(keys, first), "right");
    });
  });
}

test("a key set without keys does not take the place of one with them", async () => {
  await withUrl(async (server, keys, clock) => {
    strictEqual(await outcome(keys, first), "right");
    for (const odd of [{ keys: [] }, { keys: {} }, { keys: [1] }, { keys: [null] }, {}]) {
      server.answer = json(odd);
      clock.now += OAUTH_KEY_SET_AGE_MS;
      strictEqual(await outcome(keys, first), "right", JSON.stringify(odd));
    }
  });
});

test("a redirect is not followed", async () => {
  await withServer(json(keysOf(first)), async (elsewhere) => {
    for (const status of [301, 302, 303, 307, 308]) {
      await withUrl(async (server, keys) => {
        server.answer = (_, response) => {
          response.statusCode = status;
          response.setHeader("location", elsewhere.url);
          response.end();
        };
        strictEqual(await outcome(keys, first), "unavailable");
      });
    }
    strictEqual(elsewhere.requests.length, 0);
  });
});

test("a server that is not there is told by its host and the reason", async () => {
  const server = await TestServer.start(json(keysOf(first)));
  const keys = new KeySetUrl(`${server.url}?key=hush`);
  await server.stop();
  const records = await logOf(async () => {
    strictEqual(await outcome(keys, first), "unavailable");
  });
  const error = String(records[0]!.properties["error"]);
  match(error, /^127\.0\.0\.1:\d+: \S/);
  doesNotMatch(error, /hush/);
});

test("a URL may be asked by TLS, and without it on this very machine alone", async () => {
  const open = (keySet: string) =>
    openTokenValidator({
      keySet,
      introspection: undefined,
      issuer: ISSUER,
      audience: [AUDIENCE],
      scopes: [],
      userClaim: "email",
    });
  for (
    const url of ["https://login.example.com/keys", "http://localhost:1/", "http://[::1]/k"]
      .concat(["http://127.0.0.1:8080/keys", "http://127.9.9.9/"])
  ) await open(url);
  for (
    const url of [
      "http://login.example.com/keys",
      "http://localhost.example.com/",
      "http://10.0.0.1/",
    ]
      .concat(["http://127.0.0.1.example.com/", "http://[::2]/", "https://user@login.example.com/"])
      .concat(["https://:word@login.example.com/", "https://", "http://0.0.0.0/"])
  ) await rejects(open(url), /cannot be asked about tokens/, url);
});

let made = 0;

/** A file with the first signer's key, and keys from it by a clock that stands still. */
async function openFile() {
  const path = `${folder}/${made++}.json`;
  const write = (value: unknown) =>
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  write(keysOf(first));
  const clock = { now: 0 };
  return { path, write, clock, keys: await openKeySetFile(path, { nowMs: () => clock.now }) };
}

test("a file that changes is read again within a second", async () => {
  const { write, clock, keys } = await openFile();
  strictEqual(await outcome(keys, first), "right");
  write(keysOf(second));
  clock.now += 1_000;
  strictEqual(await outcome(keys, first), UNKNOWN);
  strictEqual(await outcome(keys, second), "right");
});

test("a file is read at once for a key that is not known", async () => {
  const { write, keys } = await openFile();
  write(keysOf(first, second));
  strictEqual(await outcome(keys, second), "right");
  strictEqual(await outcome(keys, await makeSigner("third")), UNKNOWN);
});

test("a file that cannot be used leaves the keys as they were, and the log says so once", async () => {
  const broken = ["", "{", "[]", '{"keys":[]}', "\xff", `{"keys":["${"x".repeat(300_000)}"]}`];
  for (const content of [...broken, undefined]) {
    const { path, write, clock, keys } = await openFile();
    if (content === undefined) rmSync(path);
    else write(content);
    const records = await logOf(async () => {
      for (let i = 0; i < 3; i++) {
        clock.now += 1_000;
        strictEqual(await outcome(keys, first), "right", `${content}`);
      }
      strictEqual(await outcome(keys, second), "unavailable");
    });
    strictEqual(records.filter(({ level }) => level === "error").length, 1);
    write(keysOf(second));
    strictEqual(await outcome(keys, second), "right");
  }
});

test("a file that cannot be used at the start is refused", async () => {
  const path = `${folder}/broken.json`;
  await rejects(openKeySetFile(path), /ENOENT|NotFound|no such file/i);
  for (const content of ["", "{}", '{"keys":[]}', "x".repeat(OAUTH_KEY_SET_OCTETS + 1)]) {
    writeFileSync(path, content);
    await rejects(openKeySetFile(path), Error);
  }
});

test("many who come at once wait for one reading", async () => {
  const { write, clock, keys } = await openFile();
  write(keysOf(first, second));
  clock.now += 1_000;
  const records = await logOf(async () => {
    const outcomes = await Promise.all([1, 2, 3].map(() => outcome(keys, second)));
    deepStrictEqual(outcomes, ["right", "right", "right"]);
    await sleep(1);
  });
  strictEqual(records.length, 1, textOf(records));
});
