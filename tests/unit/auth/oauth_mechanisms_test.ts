import { deepStrictEqual, fail, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import type { BearerOptions } from "../../../src/auth/mechanisms/bearer_exchange.ts";
import { oauthbearerMechanism } from "../../../src/auth/mechanisms/oauthbearer.ts";
import { xoauth2Mechanism } from "../../../src/auth/mechanisms/xoauth2.ts";
import type { TokenVerdict } from "../../../src/auth/oauth/token_check.ts";
import { OAUTH_TOKEN_OCTETS, RESPONSE_LINE_OCTETS } from "../../../src/limits.ts";
import { testProperty } from "../../support/property.ts";
import { ALICE, SHARED, TestDesk } from "./oauth_desk.ts";

const DISCOVERY = "https://login.example.com/.well-known/openid-configuration";
const FORMS = ["XOAUTH2", "OAUTHBEARER"] as const;
type Form = typeof FORMS[number];

/** An exchange over a check for which "good" is alice's token and other tokens are what they say. */
function begin(form: Form, options: Partial<BearerOptions> = {}) {
  const desk = new TestDesk();
  const checked: (string | undefined)[][] = [];
  const all: BearerOptions = {
    desk,
    checkToken: (token, claimed) => {
      checked.push([token, claimed]);
      return Promise.resolve(VERDICTS[token ?? ""] ?? { kind: "invalid", fault: "invalid_token" });
    },
    scope: "mail.pop",
    openidConfiguration: DISCOVERY,
    ...options,
  };
  const mechanism = form === "XOAUTH2" ? xoauth2Mechanism(all) : oauthbearerMechanism(all);
  const exchange = mechanism.start();
  const next = (text: string | undefined) =>
    exchange.next(text === undefined ? undefined : Buffer.from(text, "utf8"));
  return { desk, checked, mechanism, exchange, next };
}

const VERDICTS: Readonly<Record<string, TokenVerdict>> = {
  good: { kind: "valid", user: "alice@example.com" },
  stranger: { kind: "valid", user: "stranger@example.com" },
  locked: { kind: "valid", user: "mallory@example.com" },
  narrow: { kind: "invalid", fault: "insufficient_scope" },
  later: { kind: "unavailable" },
};

/** The response for a token in the mechanism's form. */
function response(form: Form, user: string, token: string): string {
  return form === "XOAUTH2"
    ? `user=${user}\x01auth=Bearer ${token}\x01\x01`
    : `n,${
      user === "" ? "" : `a=${user}`
    },\x01host=mail.example.com\x01port=995\x01auth=Bearer ${token}\x01\x01`;
}

/** Sends a response that has to be refused, in the mechanism's way, and gives the name of whom. */
async function refused(form: Form, { next }: ReturnType<typeof begin>, text: string) {
  let step = await next(text);
  if (form === "OAUTHBEARER") {
    failureIn(step);
    step = await next("\x01");
  }
  if (step.kind !== "done") fail(`it ended by ${step.kind}`);
  deepStrictEqual(step.outcome, { kind: "refused" });
  return step.user;
}

/** The JSON in a challenge. */
function failureIn(step: unknown): unknown {
  const { kind, octets } = step as { kind: string; octets: Uint8Array };
  strictEqual(kind, "challenge", JSON.stringify(step));
  return JSON.parse(Buffer.from(octets).toString("utf8"));
}

for (const form of FORMS) {
  test(`${form}: a mechanism of that name, which shows what opens the mailbox`, () => {
    const { name, plaintext } = begin(form).mechanism;
    deepStrictEqual({ name, plaintext }, { name: form, plaintext: true });
  });

  test(`${form}: without an initial response the client is asked by an empty challenge`, async () => {
    const { next, desk } = begin(form);
    deepStrictEqual(await next(undefined), { kind: "challenge", octets: new Uint8Array() });
    const step = await next(response(form, "alice@example.com", "good"));
    deepStrictEqual(step, { kind: "done", user: "alice@example.com", outcome: ALICE });
    deepStrictEqual(desk.asked, [["admit", "alice@example.com"]]);
  });

  test(`${form}: a right token in the initial response lets in at once`, async () => {
    const { next, checked } = begin(form);
    const step = await next(response(form, "alice@example.com", "good"));
    deepStrictEqual(step, { kind: "done", user: "alice@example.com", outcome: ALICE });
    deepStrictEqual(checked, [["good", "alice@example.com"]]);
  });

  test(`${form}: the token says who it is, not the name that comes with it`, async () => {
    for (const user of ["", "ALICE@example.com"]) {
      const { next, desk } = begin(form);
      const step = await next(response(form, user, "good"));
      deepStrictEqual(step, {
        kind: "done",
        user: user || "alice@example.com",
        outcome: ALICE,
      });
      deepStrictEqual(desk.asked, [["admit", "alice@example.com"]]);
    }
  });

  test(`${form}: another's name is who the token's user wants to act as`, async () => {
    const { next, desk } = begin(form);
    const step = await next(response(form, "sales@example.com", "good"));
    deepStrictEqual(step, { kind: "done", user: "sales@example.com", outcome: SHARED });
    deepStrictEqual(desk.asked, [["admit", "alice@example.com", "sales@example.com"]]);
  });

  test(`${form}: a right token does not open another's mailbox`, async () => {
    const begun = begin(form);
    const user = await refused(form, begun, response(form, "bob@example.com", "good"));
    strictEqual(user, "bob@example.com");
    deepStrictEqual(begun.desk.asked, [["admit", "alice@example.com", "bob@example.com"]]);
  });

  test(`${form}: a client that leaves while its token is looked at is not asked anything`, async () => {
    const { exchange, next } = begin(form);
    const step = next(response(form, "alice@example.com", "bad"));
    strictEqual(exchange.abandon?.(), undefined);
    const outcome = { kind: "refused" };
    deepStrictEqual(await step, { kind: "done", user: "alice@example.com", outcome });
  });

  test(`${form}: a bad token and a right one of somebody unknown here are told alike`, async () => {
    const bad = await begin(form).next(response(form, "stranger@example.com", "bad"));
    const unknown = await begin(form).next(response(form, "stranger@example.com", "stranger"));
    deepStrictEqual(bad, unknown);
  });

  test(`${form}: what is no refusal ends the exchange without a challenge`, async () => {
    const cases: [string, string][] = [["later", "unavailable"], ["locked", "disabled"]];
    for (const [token, kind] of cases) {
      const step = await begin(form).next(response(form, "m", token));
      deepStrictEqual(step, { kind: "done", user: "m", outcome: { kind } });
    }
    const { next, desk } = begin(form);
    desk.refusal = { kind: "delayed" };
    const step = await next(response(form, "m", "bad"));
    deepStrictEqual(step, { kind: "done", user: "m", outcome: { kind: "delayed" } });
  });

  test(`${form}: the token that was refused is told, so that it counts once`, async () => {
    const { next, desk } = begin(form);
    await next(response(form, "alice@example.com", "expired"));
    deepStrictEqual(desk.tried, new TextEncoder().encode("expired"));
  });

  test(`${form}: an empty token is a question, answered and not counted`, async () => {
    for (const auth of ["", "Bearer", "Bearer "]) {
      const begun = begin(form);
      const text = response(form, "alice@example.com", "x").replace("Bearer x", auth);
      strictEqual(await refused(form, begun, text), "alice@example.com");
      deepStrictEqual([begun.checked, begun.desk.asked], [[], []]);
    }
  });

  test(`${form}: what is no bearer token is refused, and the check may say so`, async () => {
    const wrong = ["Basic YTpi", "Bearer a b", "Bearer a\tb", "Bearer =", "Bearer é", "Bearer a=b"]
      .concat(["good", "MAC good", `Bearer ${"a".repeat(OAUTH_TOKEN_OCTETS + 1)}`]);
    for (const auth of wrong) {
      const begun = begin(form);
      await refused(form, begun, response(form, "al", "x").replace("Bearer x", auth));
      deepStrictEqual(begun.checked, [[undefined, "al"]], auth);
      deepStrictEqual(begun.desk.asked, [["refuse", "al"]]);
    }
  });

  test(`${form}: tokens as long as Exchange's and longer are taken whole`, async () => {
    const long = "a".repeat(OAUTH_TOKEN_OCTETS);
    const { next, checked } = begin(form);
    const text = response(form, "alice@example.com", long);
    ok(text.length <= 9_216, "it goes into RFC 5034's 12,288 octets of base64");
    await next(text);
    deepStrictEqual(checked, [[long, "alice@example.com"]]);
  });

  test(`${form}: the scheme's letter case does not matter`, async () => {
    const { next } = begin(form);
    const text = response(form, "alice@example.com", "good").replace("Bearer", "bearer");
    strictEqual((await next(text)).kind, "done");
  });

  test(`${form}: what the grammar does not allow is malformed, and nothing is asked`, async () => {
    const right = response(form, "alice@example.com", "good");
    const wrong = [
      ...["", "\x01", "\x01\x01", "good", "Bearer good", right.slice(0, -1), right + "\x01"],
      ...[right + "x", `\0${right}`, right.replace("@", "\0"), right.replace("@", "\n")],
      ...[right.replace("good", "go\0od"), right.replaceAll("\x01", "\0")],
      right.replace("auth=", "auth=Bearer good\x01auth="),
      right.replace("alice", "a".repeat(321)),
    ];
    for (const text of wrong) {
      const { next, checked, desk } = begin(form);
      deepStrictEqual(await next(text), { kind: "malformed" }, JSON.stringify(text));
      deepStrictEqual([checked, desk.asked], [[], []]);
    }
  });

  test(`${form}: octets that are no UTF-8 are malformed`, async () => {
    const { mechanism, checked } = begin(form);
    const octets = Buffer.from(response(form, "alic\xe9@example.com", "good"), "latin1");
    deepStrictEqual(await mechanism.start().next(octets), { kind: "malformed" });
    deepStrictEqual(checked, []);
  });

  testProperty(
    `${form}: any octets come to a step, and without a good token nobody is let in`,
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.constantFrom("\x01", "user=", "n,", "a=", ",", "auth=", "Bearer ", "bad", "=", "\0"),
          fc.string({ maxLength: 4 }),
        ),
        { maxLength: 14 },
      ),
      async (pieces) => {
        const { next, desk } = begin(form);
        const step = await next(pieces.join(""));
        ok(["challenge", "done", "malformed"].includes(step.kind));
        deepStrictEqual(desk.asked.filter(([what]) => what === "admit"), []);
      },
    ),
    1_000,
  );
}

test("OAUTHBEARER: the example of RFC 7628 is understood", async () => {
  const { next, checked } = begin("OAUTHBEARER");
  // RFC 7628 §4.1, the token included.
  await next(
    "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01" +
      "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01",
  );
  deepStrictEqual(checked, [["vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", "user@example.com"]]);
});

test("OAUTHBEARER: after a failure the client is refused whatever it answers", async () => {
  for (
    const answer of [
      "",
      "\x01",
      response("OAUTHBEARER", "alice@example.com", "good"),
      "x".repeat(9000),
    ]
  ) {
    const { next, desk, checked } = begin("OAUTHBEARER");
    failureIn(await next(response("OAUTHBEARER", "alice@example.com", "bad")));
    const outcome = { kind: "refused" };
    deepStrictEqual(await next(answer), { kind: "done", user: "alice@example.com", outcome });
    deepStrictEqual(desk.asked, [["refuse", "alice@example.com"]]);
    strictEqual(checked.length, 1);
  }
});

test("OAUTHBEARER: a client that leaves when it is told of its failure has failed, once", async () => {
  const { exchange, next } = begin("OAUTHBEARER");
  await next(response("OAUTHBEARER", "alice@example.com", "bad"));
  const outcome = { kind: "refused" };
  deepStrictEqual(exchange.abandon?.(), { kind: "done", user: "alice@example.com", outcome });
  strictEqual(exchange.abandon?.(), undefined);
});

test("OAUTHBEARER: a failure is counted before the client is told of it", async () => {
  const { next, desk } = begin("OAUTHBEARER");
  await next(response("OAUTHBEARER", "alice@example.com", "bad"));
  deepStrictEqual(desk.asked, [["refuse", "alice@example.com"]]);
});

test("OAUTHBEARER: what is said of a failure goes on one line, and gives up what does not fit", async () => {
  const long = `https://login.example.com/${"x".repeat(300)}`;
  for (const [scope, openidConfiguration] of [["", long], ["s".repeat(400), long]] as const) {
    const { next } = begin("OAUTHBEARER", { scope, openidConfiguration });
    const step = await next(response("OAUTHBEARER", "al", "bad"));
    const { status } = failureIn(step) as { status: string };
    strictEqual(status, "invalid_token");
    const { octets } = step as { octets: Uint8Array };
    const line = `+ ${Buffer.from(octets).toString("base64")}\r\n`;
    ok(line.length <= RESPONSE_LINE_OCTETS, `${line.length}`);
  }
});

test("OAUTHBEARER: a failure is told as RFC 7628 has it", async () => {
  const first = await begin("OAUTHBEARER").next(response("OAUTHBEARER", "a", "bad"));
  deepStrictEqual(failureIn(first), {
    status: "invalid_token",
    "openid-configuration": DISCOVERY,
    scope: "mail.pop",
  });
  const second = await begin("OAUTHBEARER", { scope: "", openidConfiguration: "" })
    .next(response("OAUTHBEARER", "a", "narrow"));
  deepStrictEqual(failureIn(second), { status: "insufficient_scope" });
});

test("OAUTHBEARER: a comma and an equals sign in a name are written =2C and =3D", async () => {
  const { next, checked } = begin("OAUTHBEARER");
  await next("n,a==3dv=2Cw,\x01auth=Bearer bad\x01\x01");
  deepStrictEqual(checked, [["bad", "=v,w"]]);
  const { next: other } = begin("OAUTHBEARER");
  deepStrictEqual(await other("n,a=x=y,\x01auth=Bearer bad\x01\x01"), { kind: "malformed" });
});

test("OAUTHBEARER: a client that could bind to the channel is let in, one that does is not", async () => {
  const able = await begin("OAUTHBEARER").next("y,,\x01auth=Bearer good\x01\x01");
  strictEqual(able.kind, "done");
  for (const header of ["p=tls-unique,,", "F,n,,", "n,a=,", "n,x,", "n,", "x,,", ""]) {
    const step = await begin("OAUTHBEARER").next(`${header}\x01auth=Bearer good\x01\x01`);
    deepStrictEqual(step, { kind: "malformed" }, header);
  }
});

test("OAUTHBEARER: a message without pairs has no token", async () => {
  const { next, checked } = begin("OAUTHBEARER");
  failureIn(await next("n,,\x01\x01"));
  deepStrictEqual(checked, [[undefined, ""]]);
});

test("XOAUTH2: a failure is refused at once, as Thunderbird has it of Exchange", async () => {
  const { next, desk } = begin("XOAUTH2");
  const step = await next(response("XOAUTH2", "alice@example.com", "bad"));
  deepStrictEqual(step, {
    kind: "done",
    user: "alice@example.com",
    outcome: { kind: "refused" },
  });
  deepStrictEqual(desk.asked, [["refuse", "alice@example.com"]]);
});

test("XOAUTH2: a message without a user is malformed", async () => {
  const { next } = begin("XOAUTH2");
  deepStrictEqual(await next("auth=Bearer good\x01\x01"), { kind: "malformed" });
});

test("XOAUTH2: keys that nobody knows are let pass, in any order", async () => {
  const { next } = begin("XOAUTH2");
  const step = await next("auth=Bearer good\x01x=y\x01user=alice@example.com\x01\x01");
  deepStrictEqual(step, { kind: "done", user: "alice@example.com", outcome: ALICE });
});
