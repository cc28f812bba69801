import { deepStrictEqual, doesNotMatch, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac, createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import type { JWK } from "jose";
import type { TokenVerdict } from "../../../src/auth/oauth/token_check.ts";
import {
  openTokenValidator,
  type TokenValidatorOptions,
} from "../../../src/auth/oauth/token_validator.ts";
import { OAUTH_CLOCK_LEEWAY_MS, OAUTH_TOKEN_OCTETS } from "../../../src/limits.ts";
import {
  AUDIENCE,
  CLAIMS,
  ISSUER,
  logOf,
  makeSigner,
  type Signer,
  textOf,
} from "../../support/authorization_server.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-oauth-`);
after(() => rmSync(folder, { recursive: true }));

const ALICE: TokenVerdict = { kind: "valid", user: CLAIMS.email };
const INVALID: TokenVerdict = { kind: "invalid", fault: "invalid_token" };
let made = 0;

/** Writes a key set and opens a validator over it. */
async function validator(keys: readonly JWK[], options: Partial<TokenValidatorOptions> = {}) {
  const file = `${folder}/keys-${made++}.json`;
  writeFileSync(file, JSON.stringify({ keys }));
  const opened = await openTokenValidator({
    keySet: file,
    introspection: undefined,
    issuer: ISSUER,
    audience: [AUDIENCE],
    scopes: ["mail.pop"],
    userClaim: "email",
    ...options,
  });
  return { file, check: opened.checkFrom("192.0.2.1") };
}

/** Why a token is refused, by the log, which may not hold it; fails if it is not refused. */
async function reasonFor(
  check: Awaited<ReturnType<typeof validator>>["check"],
  token: string,
): Promise<unknown> {
  let verdict: TokenVerdict | undefined;
  const records = await logOf(async () => {
    verdict = await check(token, "alice@example.com");
  });
  strictEqual(verdict?.kind, "invalid", JSON.stringify(verdict));
  const { properties } = records.at(-1)!;
  strictEqual(properties["user"], "alice@example.com");
  strictEqual(properties["address"], "192.0.2.1");
  for (const part of token.split(".").filter(({ length }) => length > 12)) {
    ok(!textOf(records).includes(part), "the token is in the log");
  }
  return properties["reason"];
}

const main: Signer = await makeSigner("main");
const { check } = await validator([main.jwk]);

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A token put together by hand. */
function forge(header: unknown, claims: unknown, signature: string): string {
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

const FUTURE_S = Math.floor(Date.now() / 1_000) + 3_600;

for (
  const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
    .concat(["EdDSA", "Ed25519"])
) {
  test(`a token signed by ${alg} lets in, and not by another key of its kind`, async () => {
    const [right, other] = [await makeSigner("k", alg), await makeSigner("k", alg)];
    const { check } = await validator([right.jwk]);
    deepStrictEqual(await check(await right.sign(), ""), ALICE);
    strictEqual(await reasonFor(check, await other.sign()), "its signature is wrong");
  });
}

test("a token is for its own user, whoever the client claims to be", async () => {
  deepStrictEqual(await check(await main.sign(), "bob@example.com"), ALICE);
});

test("a token that is over is refused, and one whose time is to come", async () => {
  const now = Date.now() / 1_000;
  const over = await main.sign({ exp: Math.floor(now - OAUTH_CLOCK_LEEWAY_MS / 1_000 - 5) });
  strictEqual(await reasonFor(check, over), "it has expired");
  const early = await main.sign({ nbf: Math.ceil(now + OAUTH_CLOCK_LEEWAY_MS / 1_000 + 5) });
  strictEqual(await reasonFor(check, early), "it is not valid yet");
  deepStrictEqual(await check(await main.sign({ exp: Math.floor(now - 5) }), ""), ALICE);
});

test("a token ends by the clock", async () => {
  const clock = { now: Date.now() };
  const { check } = await validator([main.jwk], { nowMs: () => clock.now });
  const token = await main.sign();
  deepStrictEqual(await check(token, ""), ALICE);
  clock.now += 3_600_000 + OAUTH_CLOCK_LEEWAY_MS;
  strictEqual(await reasonFor(check, token), "it has expired");
});

test("a token without an end or an issuer is refused", async () => {
  strictEqual(
    await reasonFor(check, await main.sign({ exp: undefined })),
    "it lacks the claim exp",
  );
  strictEqual(
    await reasonFor(check, await main.sign({ iss: undefined })),
    "it lacks the claim iss",
  );
  strictEqual(
    await reasonFor(check, await main.sign({ exp: "never" })),
    "the claim exp is no number",
  );
});

test("a token of another issuer, for another audience, or that lacks a scope is refused", async () => {
  const evil = await main.sign({ iss: "https://evil.example" });
  strictEqual(await reasonFor(check, evil), "it is of another issuer");
  strictEqual(
    await reasonFor(check, await main.sign({ aud: "https://calendar.example.com" })),
    "it is for another audience",
  );
  strictEqual(
    await reasonFor(check, await main.sign({ aud: undefined })),
    "it names no audience",
  );
  const narrow = await main.sign({ scope: "openid" });
  strictEqual(await reasonFor(check, narrow), "it lacks the scope mail.pop");
  deepStrictEqual(await check(narrow, ""), { kind: "invalid", fault: "insufficient_scope" });
});

test("a token without a user is refused", async () => {
  strictEqual(
    await reasonFor(check, await main.sign({ email: undefined })),
    "it lacks the claim email",
  );
  strictEqual(
    await reasonFor(check, await main.sign({ email_verified: false })),
    "its e-mail address is not verified",
  );
});

test("a token without a signature is refused, however it spells that", async () => {
  for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
    for (const signature of ["", "AA"]) {
      const token = forge({ alg, kid: "main" }, { ...CLAIMS, exp: FUTURE_S }, signature);
      const reason = alg === "" ? "it is no well-formed token" : "its algorithm is not allowed";
      strictEqual(await reasonFor(check, token), reason);
    }
  }
  const [header, payload] = (await main.sign()).split(".");
  strictEqual((await check(`${header}.${payload}.`, "")).kind, "invalid");
});

test("a public key is no secret to sign with", async () => {
  const rsa = await makeSigner("rsa", "RS256");
  const { check } = await validator([rsa.jwk]);
  const key = createPublicKey({ key: rsa.jwk as never, format: "jwk" });
  const secrets = [
    key.export({ type: "spki", format: "pem" }),
    key.export({ type: "spki", format: "der" }),
    JSON.stringify(rsa.jwk),
    String(rsa.jwk.n),
    Buffer.from(String(rsa.jwk.n), "base64url"),
    "",
  ];
  for (const alg of ["HS256", "HS384", "HS512"]) {
    for (const secret of secrets) {
      const input = `${encode({ alg, kid: "rsa" })}.${encode({ ...CLAIMS, exp: FUTURE_S })}`;
      const hash = alg.replace("HS", "sha");
      const signature = createHmac(hash, secret).update(input).digest("base64url");
      strictEqual(await reasonFor(check, `${input}.${signature}`), "its algorithm is not allowed");
    }
  }
});

test("a secret in the key set signs nothing", async () => {
  const secret = Buffer.alloc(32, 7);
  const { check } = await validator([
    { kty: "oct", k: secret.toString("base64url"), kid: "s", alg: "HS256" },
    main.jwk,
  ]);
  const input = `${encode({ alg: "HS256", kid: "s" })}.${encode({ ...CLAIMS, exp: FUTURE_S })}`;
  const signature = createHmac("sha256", secret).update(input).digest("base64url");
  strictEqual(await reasonFor(check, `${input}.${signature}`), "its algorithm is not allowed");
});

test("a key of one algorithm is not used for another", async () => {
  const { jwk } = await makeSigner("main", "RS256");
  const { check } = await validator([jwk]);
  match(String(await reasonFor(check, await main.sign())), /no key that is known/);
});

test("a key that is meant for encryption signs nothing", async () => {
  const { check } = await validator([{ ...main.jwk, use: "enc" }]);
  match(String(await reasonFor(check, await main.sign())), /no key that is known/);
});

test("keys that a token brings along or points to are not used", async () => {
  const own = await makeSigner("main");
  const headers = [
    { jwk: own.jwk },
    { jku: "http://127.0.0.1:9/keys" },
    { x5u: "http://127.0.0.1:9/cert", x5c: ["AAAA"] },
  ];
  for (const header of headers) {
    strictEqual(await reasonFor(check, await own.sign({}, header)), "its signature is wrong");
  }
});

test("a key id that is none of ours finds no key, whatever it looks like", async () => {
  const odd: unknown[] = ["other", "", "../../keys", "main\0", "MAIN", "' OR 1=1 --", "__proto__"];
  for (const kid of [...odd, "x".repeat(4_000), 5, null, {}, ["main"]]) {
    const reason = String(await reasonFor(check, await main.sign({}, { kid })));
    match(reason, /no key that is known|no well-formed token|cannot be used/);
  }
});

test("a token without a key id is tried with every key of its kind", async () => {
  const signers = await Promise.all([1, 2, 3].map(() => makeSigner(undefined)));
  const { check } = await validator([
    main.jwk,
    (await makeSigner("rsa", "RS256")).jwk,
    ...signers.map(({ jwk }) => jwk),
  ]);
  for (const signer of signers) deepStrictEqual(await check(await signer.sign(), ""), ALICE);
  const stranger = await makeSigner(undefined);
  match(String(await reasonFor(check, await stranger.sign())), /no key that is known/);
  const over = await signers[1]!.sign({ exp: 1 });
  strictEqual(await reasonFor(check, over), "it has expired");
});

test("a header that is critical and not understood is refused", async () => {
  const [, payload, signature] = (await main.sign()).split(".");
  const header = encode({ alg: "ES256", kid: "main", crit: ["exp"], exp: 1 });
  strictEqual(
    await reasonFor(check, `${header}.${payload}.${signature}`),
    "it is no well-formed token",
  );
});

test("what is no JSON Web Token is refused where nobody can be asked", async () => {
  const opaque = "it is no JSON Web Token, and nobody can be asked";
  const encrypted = `${encode({ alg: "RSA-OAEP", enc: "A256GCM" })}.a.b.c.d`;
  for (const token of ["opaque", "a.b.c", "..", ".", "a.b", encrypted, "e30.e30.e30", "===="]) {
    strictEqual(await reasonFor(check, token), opaque, token);
  }
  let verdict: TokenVerdict | undefined;
  const records = await logOf(async () => {
    verdict = await check(undefined, "alice");
  });
  deepStrictEqual(verdict, { kind: "invalid", fault: "invalid_request" });
  match(textOf(records), /it is no bearer token/);
});

test("claims that are no object are refused", async () => {
  for (const payload of ["bnVsbA", "W10", "IiI", "MQ", "", "e30"]) {
    const token = `${encode({ alg: "ES256", kid: "main" })}.${payload}.${"A".repeat(86)}`;
    strictEqual((await check(token, "")).kind, "invalid");
  }
});

test("a token as long as one may be is checked like others", async () => {
  const room = Math.floor((OAUTH_TOKEN_OCTETS - (await main.sign()).length) * 3 / 4) - 24;
  const token = await main.sign({ groups: "g".repeat(room) });
  ok(token.length > OAUTH_TOKEN_OCTETS - 64 && token.length <= OAUTH_TOKEN_OCTETS);
  deepStrictEqual(await check(token, ""), ALICE);
});

test("a key in the set that is no key keeps nobody else out", async () => {
  const broken: JWK = { ...main.jwk, kid: "broken", x: "AAAA" };
  const odd = { kty: "EC", kid: 5 } as unknown as JWK;
  const { check } = await validator([broken, odd, { kty: "new" }, main.jwk]);
  deepStrictEqual(await check(await main.sign(), ""), ALICE);
  const token = await main.sign({}, { kid: "broken" });
  // Deno takes such a key, and finds that nothing is signed with it.
  match(String(await reasonFor(check, token)), /its key cannot be used|its signature is wrong/);
});

test("a key set without an audience is refused at the start", async () => {
  await rejects(validator([main.jwk], { audience: [] }), /needs an audience/);
});

test("of 20,000 mutations of a right token none lets in, and none does harm", async () => {
  const token = await main.sign();
  const signed = token.slice(0, token.lastIndexOf("."));
  const signature = Buffer.from(token.slice(signed.length + 1), "base64url");
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/~";
  const seed = Math.floor(Math.random() * 0x7fffffff);
  console.log(`seed ${seed}: mutations of a token`);
  const random = randomFrom(seed);
  // The last digit of base64 has bits that mean nothing: such a token is the same one.
  const isSame = (mutated: string) =>
    mutated.startsWith(`${signed}.`) &&
    Buffer.from(mutated.slice(signed.length + 1), "base64url").equals(signature);
  const mutations = new Set<string>();
  while (mutations.size < 20_000) {
    const mutated = mutate(token, letters, random);
    if (!isSame(mutated)) mutations.add(mutated);
  }
  const all = [...mutations];
  while (all.length > 0) {
    await Promise.all(
      all.splice(0, 100).map(async (mutated) => {
        const verdict = await check(mutated, "alice@example.com");
        deepStrictEqual(verdict, INVALID, `${mutated}, seed ${seed}`);
      }),
    );
  }
  deepStrictEqual(await check(token, ""), ALICE);
});

/** Changes, drops, doubles or moves a few characters. */
function mutate(token: string, letters: string, random: (below: number) => number): string {
  let text = token;
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(text.length);
    const [before, after] = [text.slice(0, at), text.slice(at)];
    const letter = letters[random(letters.length)]!;
    switch (random(5)) {
      case 0:
        text = before + letter + after;
        break;
      case 1:
        text = before + after.slice(1 + random(4));
        break;
      case 2:
        text = before + after.slice(0, random(20)) + after;
        break;
      case 3:
        text = after + before;
        break;
      default:
        text = before + letter + after.slice(1);
    }
  }
  return text;
}

/** Mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

test("nothing of a token that is let in reaches the log", async () => {
  const token = await main.sign();
  const records = await logOf(async () => void await check(token, "alice@example.com"));
  doesNotMatch(textOf(records), new RegExp(token.split(".")[1]!));
});
