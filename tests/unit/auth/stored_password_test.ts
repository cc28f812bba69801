import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { PasswordFault } from "../../../src/auth/password_schemes/scheme.ts";
import {
  ALL_WEAK_SCHEMES,
  decoyPassword,
  hashPassword,
  isHashFault,
  isLocked,
  isPossiblePassword,
  MAKEABLE_SCHEMES,
  readStoredPassword,
  schemeOf,
  WEAK_SCHEMES,
  weakSchemesNamed,
} from "../../../src/auth/stored_password.ts";
import { makeScramKeys } from "../../../src/auth/scram/derive_keys.ts";
import { encodeScramKeys } from "../../../src/auth/scram/stored_keys.ts";
import { PASSWORD_OCTETS } from "../../../src/limits.ts";

const octets = (text: string) => new TextEncoder().encode(text);

async function matches(stored: string, password: Uint8Array): Promise<boolean> {
  const check = readStoredPassword(stored);
  if (isHashFault(check)) throw new Error(check.reason);
  return await check.matches(password);
}

function faultKind(stored: string): string {
  const read = readStoredPassword(stored);
  return isHashFault(read) ? read.kind : "none";
}

test("ARGON2ID is the scheme that is made by default", () => {
  strictEqual(MAKEABLE_SCHEMES[0], "ARGON2ID");
});

for (const scheme of MAKEABLE_SCHEMES) {
  test(`a hash that ${scheme} makes matches its password`, async () => {
    const stored = await hashPassword(scheme, octets("pässword"));
    strictEqual(schemeOf(stored), scheme);
    ok(/^[!-9;-~]+$/.test(stored), "fits a field of the user file");
    ok(await matches(stored, octets("pässword")));
  });
}

test("no two hashes of one password are the same", async () => {
  for (const scheme of MAKEABLE_SCHEMES.filter((name) => name !== "PLAIN" && name !== "PBKDF2")) {
    const first = await hashPassword(scheme, octets("secret"));
    notStrictEqual(await hashPassword(scheme, octets("secret")), first, scheme);
  }
});

test("a wrong password never matches what SSHA512 or PLAIN made", async () => {
  const password = fc.uint8Array({ minLength: 1, maxLength: 80 }).filter(isPossiblePassword);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("SSHA512", "SSHA256", "PLAIN"),
      password,
      password,
      async (scheme, right, tried) => {
        const stored = await hashPassword(scheme, right);
        strictEqual(await matches(stored, tried), Buffer.compare(right, tried) === 0);
      },
    ),
  );
});

test("PLAIN keeps a password that would break its line in base64", async () => {
  const stored = await hashPassword("PLAIN", octets("a:b\nc"));
  strictEqual(stored, "{PLAIN.B64}YTpiCmM=");
  ok(await matches(stored, octets("a:b\nc")));
});

test("a scheme is taken in any letter case and with its encoding named", async () => {
  ok(await matches("{plain}demo", octets("demo")));
  ok(await matches("{Plain.b64}ZGVtbw==", octets("demo")));
  ok(await matches("{PLAIN.base64}ZGVtbw", octets("demo")));
  ok(await matches("{PLAIN.HEX}64656d6F", octets("demo")));
});

test("bcrypt looks at the first 72 octets of a stored hash's password, as crypt(3) does", async () => {
  const stored = await hashPassword("BLF-CRYPT", octets("a".repeat(72)));
  ok(await matches(stored, octets("a".repeat(72) + "anything")));
  ok(!await matches(stored, octets("a".repeat(71) + "b")));
});

test("no bcrypt hash is made of more than 72 octets", async () => {
  await rejects(hashPassword("BLF-CRYPT", octets("a".repeat(73))), PasswordFault);
});

test("no hash is made of an empty password, one with NUL, one too long, or by no scheme", async () => {
  for (const password of ["", "a\0b", "a".repeat(PASSWORD_OCTETS + 1)]) {
    await rejects(hashPassword("ARGON2ID", octets(password)), PasswordFault);
  }
  for (const scheme of ["", "MD5", "SSHA", "CRYPT", "ARGON3"]) {
    await rejects(hashPassword(scheme, octets("secret")), PasswordFault);
  }
});

test("a hash that would take too long is not computed", () => {
  const salt = "c29tZXNhbHQ";
  const hash = "3ECvWswPysECH0kTIdh0bcXw2bBDBI7/hTzyj8iYjAw";
  for (
    const stored of [
      `{ARGON2ID}$argon2id$v=19$m=4294967295,t=1,p=1$${salt}$${hash}`,
      `{ARGON2ID}$argon2id$v=19$m=65536,t=4294967295,p=1$${salt}$${hash}`,
      `{ARGON2ID}$argon2id$v=19$m=65536,t=1,p=1000$${salt}$${hash}`,
      "{BLF-CRYPT}$2y$31$DDNx3VcPXL4hyu8aKYWETuaS5nTGnQpZTtAtCNniBUvpBtBeZWAM6",
      `$6$rounds=999999999$salt$${"a".repeat(86)}`,
      `{PBKDF2}$1$salt$2000000000$${"0".repeat(40)}`,
    ]
  ) strictEqual(faultKind(stored), "too-costly", stored);
});

test("what no scheme writes is malformed", () => {
  for (
    const stored of [
      "{ARGON2ID}",
      "{ARGON2ID}$argon2id$v=19$m=0,t=1,p=1$c29tZXNhbHQ$3ECvWswPysECH0kTIdh0bcXw2bBDBI7",
      "{ARGON2ID}$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$3ECvWswPysECH0kTIdh0bcXw2bBDBI7",
      "{ARGON2ID}$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQ$3ECvWswPysECH0kTIdh0bcXw2bBDBI7",
      "{BLF-CRYPT}$2y$05$short",
      "{BLF-CRYPT}$2y$03$DDNx3VcPXL4hyu8aKYWETuaS5nTGnQpZTtAtCNniBUvpBtBeZWAM6",
      "{BLF-CRYPT}$2y$99$DDNx3VcPXL4hyu8aKYWETuaS5nTGnQpZTtAtCNniBUvpBtBeZWAM6",
      `$6$rounds=999$salt$${"a".repeat(86)}`,
      `$6$salt$${"a".repeat(85)}`,
      `$5$salt$${"a".repeat(86)}`,
      "{SSHA512}QQ==",
      "{SSHA512}not base64!",
      "{SSHA512.HEX}abc",
      "{SHA512}QQ==",
      `{PBKDF2}$1$salt$0$${"0".repeat(40)}`,
      `{PBKDF2}$1$salt$1000$${"0".repeat(39)}`,
      "{PBKDF2}$2$salt$1000$00",
    ]
  ) strictEqual(faultKind(stored), "malformed", stored);
});

test("weak and unknown schemes are unsupported", () => {
  for (
    const stored of [
      "{MD5-CRYPT}$1$abcdefgh$irWbblnpmw.5z7wgBnprh0",
      "{MD5}$1$abcdefgh$irWbblnpmw.5z7wgBnprh0",
      "{PLAIN-MD5}fe01ce2a7fbac8fafaed7c982a04e229",
      "{SMD5}BChWsxKAykJ6hcKXTpg7y0lW3Fc=",
      "{PLAIN-MD4}9052eaf04268df6ec5318c057cb489f4",
      "{NTLM}a4f49c406510bdcab6824ee7c30fd852",
      "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0",
      "{SSHA}G2uI/WYUVlgbLgNVQJOONrYXk4oFuRb8",
      "{CRAM-MD5}e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6",
      "$y$j9T$abc$def",
      "$2x$05$6bNw2HLQYeqHYyBfLMsv/OiwqTymGIGzFsA4hOTWebfehXHNprcAS",
      "JBOZ0DgmtucwE",
      "0123456789abcdef[34]",
      "secret",
      "{}x",
      "{SHA512.XYZ}x",
    ]
  ) strictEqual(faultKind(stored), "unsupported", stored);
});

test("an empty or locked password field matches nothing", () => {
  for (const stored of ["", "{PLAIN}", "!", "*", "!$6$salt$hash", "{CRYPT}!"]) {
    strictEqual(faultKind(stored), "locked", stored);
  }
});

test("a fault never shows anything of a password", () => {
  for (
    const stored of ["hunter2", "{hunter2}x", "{hunter2", "{PLAIN.hunter2}x", "{SSHA512}hunter2!"]
  ) {
    const read = readStoredPassword(stored);
    ok(isHashFault(read) && !read.reason.includes("hunter2"), stored);
  }
});

test("a fault names a known scheme that is off", () => {
  deepStrictEqual(readStoredPassword("{des-crypt}00"), {
    kind: "unsupported",
    reason: "the scheme DES-CRYPT is not honoured",
  });
  deepStrictEqual(readStoredPassword("{sha1}00"), {
    kind: "unsupported",
    reason: "the scheme SHA is weak, and weak_password_schemes does not name it",
  });
});

test("the decoy costs what a fresh ARGON2ID hash costs", async () => {
  const cost = (stored: string) => /^\{ARGON2ID\}\$argon2id\$v=19\$[^$]+\$/.exec(stored)?.[0];
  const made = await hashPassword("ARGON2ID", octets("secret"));
  strictEqual(cost(decoyPassword()), cost(made));
  strictEqual(decoyPassword().length, made.length);
});

test("a fresh ARGON2ID hash has OWASP's parameters", async () => {
  match(
    await hashPassword("argon2id", octets("secret")),
    /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
  );
});

/** One stored password of each weak scheme, for "demo". */
const WEAK_ONES: Readonly<Record<string, string>> = {
  "MD5-CRYPT": "$1$5fM9uUs7$bICTwc4LbewQ4jkbzvzyz0",
  "SSHA": "{SSHA}rp3DNX2dmLTYy92qItw30NWQZIqD7RuK",
  "SHA": "{SHA1}ieSV55Qc+eQOaYDRSha/AjzNTJE=",
  "SMD5": "{SMD5}BChWsxKAykJ6hcKXTpg7y0lW3Fc=",
  "MD5": "{LDAP-MD5}/gHOKn+6yPr67XyYKgTiKQ==",
  "PLAIN-MD4": "{PLAIN-MD4}9052eaf04268df6ec5318c057cb489f4",
  "NTLM": "{NTLM}527c9c819b286efb8ec4ebb5b5ae71cf",
  "CRAM-MD5": "{CRAM-MD5}458da499ccc3c888e803711566013a1929ebb210d3e8147b68469ce4a25d3819",
};

test("each weak scheme is honoured where it is named, and no other with it", () => {
  deepStrictEqual(Object.keys(WEAK_ONES).toSorted(), WEAK_SCHEMES.toSorted());
  for (const name of WEAK_SCHEMES) {
    const { weak } = weakSchemesNamed([name.toLowerCase()]);
    for (const [other, stored] of Object.entries(WEAK_ONES)) {
      strictEqual(
        isHashFault(readStoredPassword(stored, weak)),
        other !== name,
        `${name} ${other}`,
      );
    }
  }
});

test("weak schemes are named by any of Dovecot's names, and what is none is told", () => {
  const { weak, unknown } = weakSchemesNamed(["plain-md5", "HMAC-MD5", "sha1", "SHA512", "DES"]);
  deepStrictEqual([...weak], ["MD5", "CRAM-MD5", "SHA"]);
  deepStrictEqual(unknown, ["SHA512", "DES"]);
});

test("what no weak scheme writes is malformed", () => {
  for (
    const stored of [
      "{MD5-CRYPT}$1$ninechars$irWbblnpmw.5z7wgBnprh0",
      "{MD5-CRYPT}$1$salt$irWbblnpmw.5z7wgBnprh",
      "{SSHA}ieSV55Qc+eQOaYDRSha/AjzNTJE=",
      "{SHA}QQ==",
      "{SMD5}QQ==",
      "{PLAIN-MD5}fe01",
      "{NTLM}a4f4",
      "{CRAM-MD5}458da499ccc3c888e803711566013a19",
      "{SCRAM-SHA-256}4096,4D8tyt2NAirnQMrg74jgEw==,QQ==,QQ==",
      "{SCRAM-SHA-256}0,4D8tyt2NAirnQMrg74jgEw==,QQ==,QQ==",
      "{SCRAM-SHA-1}",
    ]
  ) {
    const read = readStoredPassword(stored, ALL_WEAK_SCHEMES);
    strictEqual(isHashFault(read) ? read.kind : "none", "malformed", stored);
  }
});

test("keys of SCRAM that would take too long are not derived", () => {
  const key = `${"A".repeat(43)}=`;
  strictEqual(faultKind(`{SCRAM-SHA-256}2000000000,QUJDREVGR0g=,${key},${key}`), "too-costly");
});

test("keys of SCRAM are right by the password as typed and by the password prepared", async () => {
  // RFC 4013 §3: "I<U+00AD>X" is prepared to "IX".
  const prepared = await makeScramKeys(octets("I\u00adX"), { iterations: 4_096 });
  const stored = encodeScramKeys(prepared);
  ok(await matches(stored, octets("I\u00adX")));
  ok(await matches(stored, octets("IX")));
  ok(!await matches(stored, octets("I X")));
  ok(!await matches(stored, new Uint8Array([0xff, 0x49])));
});

test("a password that no NT hash can be made of is wrong", async () => {
  const read = readStoredPassword("{NTLM}a4f49c406510bdcab6824ee7c30fd852", ALL_WEAK_SCHEMES);
  if (isHashFault(read)) throw new Error(read.reason);
  ok(!await read.matches(new Uint8Array([0xff, 0xfe])));
  ok(!await read.matches(octets("x".repeat(1_000))));
});

test("a field that somebody locked is locked under any scheme, and a plain password may look so", () => {
  for (const stored of ["!", "*", "!{SSHA512}x", "{ARGON2ID}!$argon2id$", "{ssha}*", "{CRYPT}!x"]) {
    ok(isLocked(stored), stored);
  }
  for (const stored of ["", "{PLAIN}!x", "{SSHA}x", "{PLAIN}x", "x"]) ok(!isLocked(stored), stored);
});
