import { match, notStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  faultOfAppPasswordName,
  isAppPasswordField,
  makeAppPassword,
  matchingAppPassword,
  storeAppPassword,
} from "../../../src/auth/app_passwords.ts";
import { isHashFault, readStoredPassword } from "../../../src/auth/stored_password.ts";
import { APP_PASSWORDS_PER_USER } from "../../../src/limits.ts";

const octets = (text: string) => new TextEncoder().encode(text);

function appPassword(name: string, secret = makeAppPassword()) {
  return { name, secret, storedPassword: storeAppPassword(secret) };
}

test("an app password is five groups of four letters, never the same twice", () => {
  match(makeAppPassword(), /^(?:[a-hj-km-np-z]{4}-){4}[a-hj-km-np-z]{4}$/);
  notStrictEqual(makeAppPassword(), makeAppPassword());
});

test("all letters occur at every place", () => {
  const seen = Array.from({ length: 24 }, () => new Set<string>());
  for (let run = 0; run < 1_000; run++) {
    for (const [at, letter] of [...makeAppPassword()].entries()) seen[at]?.add(letter);
  }
  for (const [at, letters] of seen.entries()) strictEqual(letters.size, at % 5 === 4 ? 1 : 23);
});

test("an app password is told by its name among others", () => {
  const all = ["phone", "laptop", "script"].map((name) => appPassword(name));
  for (const { name, secret } of all) {
    strictEqual(matchingAppPassword(all, octets(secret)), name);
  }
  strictEqual(matchingAppPassword(all, octets(makeAppPassword())), undefined);
  strictEqual(matchingAppPassword([], octets(makeAppPassword())), undefined);
});

test("blanks, dashes and letter case count for nothing, as people copy and type them", () => {
  const one = appPassword("phone", "abcd-efgh-jkmn-pqrs-tuvw");
  const ways = [
    "abcdefghjkmnpqrstuvw",
    "abcd efgh jkmn pqrs tuvw",
    "ABCD-EFGH-JKMN-PQRS-TUVW",
    " abcd-efgh-jkmn-pqrs-tuvw\t",
    "abcd\u00a0efgh\u2013jkmn\u2011pqrs\u2014tuvw",
  ];
  for (const way of ways) strictEqual(matchingAppPassword([one], octets(way)), "phone", way);
  const others = ["abcd.efgh.jkmn.pqrs.tuvw", "abcd-efgh-jkmn-pqrs-tuvx", "abcd-efgh-jkmn-pqrs"];
  for (const other of others) strictEqual(matchingAppPassword([one], octets(other)), undefined);
});

test("what can be no app password matches none, whatever it is", () => {
  const one = appPassword("phone");
  for (const odd of [octets(""), octets("x".repeat(2_000)), new Uint8Array([0xff, 0xfe])]) {
    strictEqual(matchingAppPassword([one], odd), undefined);
  }
});

test("no app password is matched that is short enough to be guessed", () => {
  const digest = "{SSHA256}" + Buffer.alloc(48).toString("base64");
  strictEqual(
    matchingAppPassword([{ name: "a", storedPassword: digest }], octets("demo")),
    undefined,
  );
  throws(() => storeAppPassword("demo"));
});

test("a stored one of another scheme matches nothing and does no harm to those behind it", () => {
  const good = appPassword("good");
  const odd = ["", "{PLAIN}" + good.secret, "{SSHA256}", "{SSHA256}QQ==", "{ARGON2ID}x"]
    .map((storedPassword, at) => ({ name: `odd${at}`, storedPassword }));
  strictEqual(matchingAppPassword([...odd, good], octets(good.secret)), "good");
  for (const { storedPassword } of odd) ok(!isAppPasswordField(storedPassword), storedPassword);
  ok(isAppPasswordField(good.storedPassword));
});

test("beyond the most that a user may have, none is looked at", () => {
  const one = appPassword("last");
  const others = Array.from({ length: APP_PASSWORDS_PER_USER }, (_, at) => appPassword(`a${at}`));
  strictEqual(matchingAppPassword([...others.slice(1), one], octets(one.secret)), "last");
  strictEqual(matchingAppPassword([...others, one], octets(one.secret)), undefined);
});

test("what is stored is SSHA256 of the letters, which other programs can make and check", async () => {
  const { storedPassword } = appPassword("phone", "abcd-efgh-jkmn-pqrs-tuvw");
  const read = readStoredPassword(storedPassword);
  ok(!isHashFault(read));
  ok(await read.matches(octets("abcdefghjkmnpqrstuvw")));
  ok(!await read.matches(octets("abcd-efgh-jkmn-pqrs-tuvw")));
});

test("names are short words in lower case", () => {
  for (const name of ["phone", "a", "work-laptop_2", "x".repeat(32)]) {
    strictEqual(faultOfAppPasswordName(name), undefined, name);
  }
  for (const name of ["", "Phone", "a b", "a=b", "a:b", "a.b", "ü", "x".repeat(33), "a\n"]) {
    ok(faultOfAppPasswordName(name) !== undefined, name);
  }
});
