import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import type { LoginOutcome } from "../../../src/auth/login.ts";
import { plainMechanism } from "../../../src/auth/mechanisms/plain.ts";
import { PASSWORD_OCTETS, USER_NAME_OCTETS } from "../../../src/limits.ts";

const GRANTED: LoginOutcome = { kind: "granted", account: { user: "tim", extra: {} } };

/** Runs one exchange over a check that grants everything and tells what it was asked. */
async function exchange(response: Uint8Array | string | undefined) {
  const asked: [string, string, string][] = [];
  const mechanism = plainMechanism((user, password, actAs = "not said") => {
    asked.push([user, Buffer.from(password).toString("utf8"), actAs]);
    return Promise.resolve(GRANTED);
  });
  const octets = typeof response === "string" ? Buffer.from(response, "utf8") : response;
  return { step: await mechanism.start().next(octets), asked };
}

test("PLAIN is a mechanism that shows the password", () => {
  const { name, plaintext } = plainMechanism(() => Promise.resolve({ kind: "refused" }));
  deepStrictEqual({ name, plaintext }, { name: "PLAIN", plaintext: true });
});

test("without an initial response the client is asked by an empty challenge", async () => {
  const { step, asked } = await exchange(undefined);
  deepStrictEqual(step, { kind: "challenge", octets: new Uint8Array() });
  deepStrictEqual(asked, []);
});

test("the credentials of RFC 4616's first example are checked", async () => {
  const { step, asked } = await exchange("\0tim\0tanstaaftanstaaf");
  deepStrictEqual(step, { kind: "done", user: "tim", outcome: GRANTED });
  deepStrictEqual(asked, [["tim", "tanstaaftanstaaf", ""]]);
});

test("the authzid goes with the credentials, octet by octet", async () => {
  for (const authzid of ["", "tim", "Ursel", "TIM", "tim ", "\ufefftim"]) {
    const { step, asked } = await exchange(`${authzid}\0tim\0secret`);
    deepStrictEqual(step, { kind: "done", user: "tim", outcome: GRANTED });
    deepStrictEqual(asked, [["tim", "secret", authzid]]);
  }
});

test("what the check says is what the exchange comes to", async () => {
  for (const kind of ["refused", "disabled", "unavailable"] as const) {
    const mechanism = plainMechanism(() => Promise.resolve({ kind }));
    const step = await mechanism.start().next(Buffer.from("\0tim\0secret"));
    deepStrictEqual(step, { kind: "done", user: "tim", outcome: { kind } });
  }
});

test("names and passwords may be any UTF-8", async () => {
  const { asked } = await exchange("\0jürgen@例え.jp\0 päss\t wörd\ufeff ");
  deepStrictEqual(asked, [["jürgen@例え.jp", " päss\t wörd\ufeff ", ""]]);
});

test("what the grammar does not allow is malformed, and nothing is checked", async () => {
  const long = "a".repeat(2 * USER_NAME_OCTETS + PASSWORD_OCTETS);
  for (
    const response of ["", "\0", "\0\0", "tim", "tim\0secret", "\0tim\0", "\0\0secret", "tim\0\0"]
      .concat(["tim\0tim\0se\0cret", "\0tim\0secret\0", "\0\0\0", `\0tim\0${long}`, "tim\0tim\0"])
  ) {
    const { step, asked } = await exchange(response);
    deepStrictEqual(step, { kind: "malformed" }, JSON.stringify(response));
    deepStrictEqual(asked, []);
  }
});

test("octets that are no UTF-8 are malformed in each of the three parts", async () => {
  for (const response of ["\xff\0tim\0secret", "\0t\xfcm\0secret", "\0tim\0s\xe9cret"]) {
    const { step } = await exchange(Buffer.from(response, "latin1"));
    deepStrictEqual(step, { kind: "malformed" });
  }
});

test("any octets at all come to a step, and only three parts are ever checked", async () => {
  const octet = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  await fc.assert(fc.asyncProperty(fc.array(octet, { maxLength: 12 }), async (octets) => {
    const { asked } = await exchange(Uint8Array.from(octets));
    if (asked.length > 0) strictEqual(octets.filter((value) => value === 0).length, 2);
  }));
});
