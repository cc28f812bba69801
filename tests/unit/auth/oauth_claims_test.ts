import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { checkClaims, type ClaimRules } from "../../../src/auth/oauth/claims.ts";
import { OAUTH_CLOCK_LEEWAY_MS } from "../../../src/limits.ts";

const NOW_S = 1_800_000_000;
const LEEWAY_S = OAUTH_CLOCK_LEEWAY_MS / 1_000;

const RULES: ClaimRules = {
  issuer: "https://issuer",
  audience: ["pop", "https://mail"],
  scopes: ["mail.pop"],
  userClaim: "email",
};

const GOOD = {
  iss: "https://issuer",
  aud: "pop",
  scope: "a mail.pop b",
  email: "alice@example.com",
  exp: NOW_S + 60,
};

function check(claims: Record<string, unknown>, rules: Partial<ClaimRules> = {}) {
  const all = JSON.parse(JSON.stringify({ ...GOOD, ...claims }));
  return checkClaims(all, { ...RULES, ...rules }, NOW_S * 1_000);
}

/** The user, or the reason that there is none. */
function outcome(claims: Record<string, unknown>, rules: Partial<ClaimRules> = {}): string {
  const verdict = check(claims, rules);
  return "user" in verdict ? verdict.user : verdict.reason;
}

const ALICE = "alice@example.com";

test("claims that are all right give the user and the end", () => {
  deepStrictEqual(check({}), { user: ALICE, endsMs: (NOW_S + 60) * 1_000 });
});

test("claims without an end end never", () => {
  deepStrictEqual(check({ exp: undefined }), { user: ALICE, endsMs: Infinity });
});

test("an end holds but for what clocks may differ by", () => {
  strictEqual(outcome({ exp: NOW_S - LEEWAY_S + 1 }), ALICE);
  strictEqual(outcome({ exp: NOW_S - LEEWAY_S }), "it has expired");
  for (const exp of ["9999999999", null, true, [NOW_S + 60]]) {
    strictEqual(outcome({ exp }), "the claim exp is no number");
  }
});

test("a beginning holds but for what clocks may differ by", () => {
  strictEqual(outcome({ nbf: NOW_S + LEEWAY_S }), ALICE);
  strictEqual(outcome({ nbf: NOW_S + LEEWAY_S + 1 }), "it is not valid yet");
  strictEqual(outcome({ nbf: "0" }), "the claim nbf is no number");
});

test("the issuer has to be the very one, where there is one", () => {
  const other = "it is of another issuer";
  for (const iss of ["https://issuer/", "https://ISSUER", "", null, ["https://issuer"], 1]) {
    strictEqual(outcome({ iss }), other, JSON.stringify(iss));
  }
  strictEqual(outcome({ iss: "https://anybody" }, { issuer: "" }), ALICE);
});

test("one of the audiences has to be one of ours", () => {
  for (const aud of ["https://mail", ["x", "pop"]]) strictEqual(outcome({ aud }), ALICE);
  for (const aud of ["POP", "pop ", "", [], ["x"], {}, 1, null, ["pop x"], [["pop"]]]) {
    strictEqual(outcome({ aud }), "it is for another audience", JSON.stringify(aud));
  }
  strictEqual(outcome({ aud: undefined }), "it names no audience");
  strictEqual(outcome({ aud: undefined }, { audience: [] }), ALICE);
});

test("all scopes have to be there, in any of the forms that servers use", () => {
  const held = [
    ...[{ scope: "mail.pop" }, { scope: ["mail.pop"] }, { scope: undefined, scp: ["mail.pop"] }],
    ...[{ scope: undefined, scp: "x mail.pop" }, { scope: "", scp: "mail.pop" }],
  ];
  for (const claims of held) strictEqual(outcome(claims), ALICE, JSON.stringify(claims));
  const lacking: unknown[] = [
    undefined,
    "",
    "mail",
    "mail.pop2",
    "MAIL.POP",
    ["mail.pop x"],
    5,
    {},
  ];
  for (const scope of lacking) {
    const verdict = check({ scope });
    ok("fault" in verdict && verdict.fault === "insufficient_scope", JSON.stringify(scope));
    strictEqual(verdict.reason, "it lacks the scope mail.pop");
  }
  strictEqual(outcome({}, { scopes: ["mail.pop", "c", "d"] }), "it lacks the scope c d");
});

test("the user may stand in any claim, also within another or under a name with dots", () => {
  strictEqual(outcome({ upn: "bob" }, { userClaim: "upn" }), "bob");
  strictEqual(outcome({ a: { b: { c: "bob" } } }, { userClaim: "a.b.c" }), "bob");
  const url = "https://example.com/user";
  strictEqual(outcome({ [url]: "bob" }, { userClaim: url }), "bob");
  strictEqual(outcome({ "a.b": "bob", a: { b: "eve" } }, { userClaim: "a.b" }), "bob");
});

test("without a user name in the claim nobody is let in", () => {
  for (const userClaim of ["upn", "email.x", "a.b", "constructor", "__proto__", "toString.name"]) {
    strictEqual(outcome({}, { userClaim }), `it lacks the claim ${userClaim}`);
  }
  for (const email of ["", 5, true, null, ["alice@example.com"], {}, "a\nb", "a\0"]) {
    strictEqual(outcome({ email }), "its claim email is no user name", JSON.stringify(email));
  }
  const long = "a".repeat(321);
  strictEqual(outcome({ email: long }), "its claim email is too long for a user name");
});

test("an address that is said not to be verified is nobody's", () => {
  for (const email_verified of [true, "true"]) strictEqual(outcome({ email_verified }), ALICE);
  for (const email_verified of [false, "false", 0, 1, null, "yes", ""]) {
    strictEqual(outcome({ email_verified }), "its e-mail address is not verified");
  }
  const profile = { email: ALICE, email_verified: false };
  strictEqual(
    outcome({ profile }, { userClaim: "profile.email" }),
    "its e-mail address is not verified",
  );
  strictEqual(outcome({ email_verified: false, sub: "4711" }, { userClaim: "sub" }), "4711");
});

test("tokens that are good for something else are not let in", () => {
  strictEqual(outcome({ cnf: { jkt: "x" } }), "it is bound to a key of the client");
  strictEqual(outcome({ token_use: "refresh_token" }), "it is a refresh token");
  strictEqual(outcome({ token_type: "DPoP" }), "it is no bearer token");
  for (const token_type of ["Bearer", "bearer", "access_token"]) {
    strictEqual(outcome({ token_type }), ALICE);
  }
});

test("what the log is told of a claim is short", () => {
  const verdict = check({ aud: Array.from({ length: 500 }, (_, i) => `audience ${i}`) });
  ok("found" in verdict && verdict.found!.length < 250);
});
