import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { PasswordFault } from "../../../src/auth/password_schemes/scheme.ts";
import { makeScramKeys } from "../../../src/auth/scram/derive_keys.ts";
import {
  encodeScramKeys,
  isScramKeysFault,
  parseScramKeys,
} from "../../../src/auth/scram/stored_keys.ts";
import { SCRAM_ITERATIONS, SCRAM_SALT_OCTETS } from "../../../src/limits.ts";

/** RFC 7677 §3: the password "pencil". The keys follow from its proof and server signature. */
const SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const STORED = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==," +
  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

function make(password: string | Uint8Array) {
  const octets = typeof password === "string" ? Buffer.from(password, "utf8") : password;
  return makeScramKeys(octets, { salt: SALT, iterations: 4_096 });
}

test("the keys of the password in RFC 7677's example are made and written", async () => {
  strictEqual(encodeScramKeys(await make("pencil")), STORED);
});

test("what is written is read back", () => {
  const read = parseScramKeys(STORED);
  ok(!isScramKeysFault(read));
  strictEqual(read.iterations, 4_096);
  deepStrictEqual(Buffer.from(read.salt), SALT);
  strictEqual(encodeScramKeys(read), STORED);
});

test("the scheme's name is read in any case of letters", () => {
  ok(!isScramKeysFault(parseScramKeys(STORED.replace("SCRAM-SHA", "scram-sha"))));
});

test("text that no writer writes is a fault that repeats nothing of it", () => {
  const [, salt, storedKey, serverKey] = STORED.split(",") as [string, string, string, string];
  const withFields = (...fields: string[]) => `{SCRAM-SHA-256}${fields.join(",")}`;
  for (
    const text of [
      "",
      "pencil",
      STORED.slice("{SCRAM-SHA-256}".length),
      `${STORED},`,
      `${STORED}\n`,
      ` ${STORED}`,
      STORED.replace("256}", "1}"),
      withFields("04096", salt, storedKey, serverKey),
      withFields("4e3", salt, storedKey, serverKey),
      withFields("-4096", salt, storedKey, serverKey),
      withFields("4095", salt, storedKey, serverKey),
      withFields("1000001", salt, storedKey, serverKey),
      withFields("4096", "", storedKey, serverKey),
      withFields("4096", "W22Zab==", storedKey, serverKey),
      withFields("4096", Buffer.alloc(65).toString("base64"), storedKey, serverKey),
      withFields("4096", salt, storedKey),
      withFields("4096", salt, storedKey, `AA${serverKey}`),
      withFields("4096", salt, storedKey.slice(4), serverKey),
    ]
  ) {
    const read = parseScramKeys(text);
    ok(isScramKeysFault(read), text);
    ok(!read.reason.includes("W22Z"), read.reason);
  }
});

test("keys are made with a salt of their own and the default of iterations", async () => {
  const [one, another] = await Promise.all([
    makeScramKeys(Buffer.from("pencil")),
    makeScramKeys(Buffer.from("pencil")),
  ]);
  strictEqual(one.iterations, SCRAM_ITERATIONS.default);
  strictEqual(one.salt.length, SCRAM_SALT_OCTETS.default);
  ok(!Buffer.from(one.salt).equals(another.salt));
  ok(!isScramKeysFault(parseScramKeys(encodeScramKeys(one))));
});

test("passwords that SASLprep takes for the same have the same keys (RFC 4013 section 3)", async () => {
  for (
    const [typed, prepared] of [["I\u00adX", "IX"], ["\u00aa", "a"], ["\u2168", "IX"]] as const
  ) {
    deepStrictEqual(await make(typed), await make(prepared), typed);
  }
});

test("letters of two cases are two passwords", async () => {
  ok(!Buffer.from((await make("USER")).storedKey).equals((await make("user")).storedKey));
});

test("a password that SASLprep forbids, that is no UTF-8, empty or too long has no keys", async () => {
  const unprintable: (string | Uint8Array)[] = ["\u0007", "\u06271", "\u{1f511}", "", "\u00ad"];
  for (const password of [...unprintable, Uint8Array.of(0xff), "a".repeat(1_025)]) {
    await rejects(() => make(password), PasswordFault);
  }
});
