/**
 * What SCRAM sends for a name does not tell whether there is such a user: with a real user file, the desk
 * and the mechanism, as a client sees it who sends names and no proof.
 */

import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { Authenticator } from "../../../src/auth/authenticator.ts";
import type { AccountDirectory } from "../../../src/auth/directory.ts";
import { type NameRules, PLAIN_NAMES } from "../../../src/auth/login_names.ts";
import { scramSha256Mechanisms } from "../../../src/auth/mechanisms/scram_sha_256.ts";
import { openPasswdFile } from "../../../src/auth/user_file/passwd_file.ts";
import { attributesOf, ScramClient } from "../../support/scram_client.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-unknown-`);
after(() => rmSync(folder, { recursive: true }));

let made = 0;

/** A line with keys; each user has a salt of his own. */
function withKeys(user: string, iterations = 4_096, saltOctets = 16): string {
  const octets = (count: number) => Buffer.alloc(count, ++made).toString("base64");
  return `${user}:{PLAIN}x::::::popkeep_scram_sha_256=` +
    `${iterations},${octets(saltOctets)},${octets(32)},${octets(32)}`;
}

function fileOf(lines: readonly string[]): Promise<AccountDirectory> {
  const path = `${folder}/${made++}`;
  writeFileSync(path, lines.join("\n") + "\n");
  return openPasswdFile(path);
}

interface Seen {
  readonly salt: string;
  readonly saltOctets: number;
  readonly iterations: number;
}

/** What a server says first to whom; a new server each time, with the same key. */
function server(directories: readonly AccountDirectory[], rules: Partial<NameRules> = {}) {
  const authenticator = new Authenticator({
    directories,
    hashPool: { check: () => Promise.resolve("wrong") },
    passwordMemoryMs: 0,
    names: { ...PLAIN_NAMES, ...rules },
    madeUpKey: new Uint8Array(32).fill(7),
  });
  return async (user: string): Promise<Seen> => {
    const [mechanism] = scramSha256Mechanisms(authenticator.deskFor("192.0.2.1"), {
      channel: undefined,
      random: Buffer.alloc,
      spelling: (name) => authenticator.accountOf(name),
    });
    const step = await mechanism!.start().next(new ScramClient({ user, password: "" }).first());
    ok(step.kind === "challenge", user);
    const { s: salt = "", i } = attributesOf(step.octets);
    return { salt, saltOctets: Buffer.from(salt, "base64").length, iterations: Number(i) };
  };
}

/** Which of the spellings are sent the same: for each the first that is sent what it is sent. */
async function alike(
  ask: (user: string) => Promise<Seen>,
  spellings: readonly string[],
): Promise<readonly number[]> {
  const salts: string[] = [];
  for (const spelling of spellings) salts.push((await ask(spelling)).salt);
  return salts.map((salt) => salts.indexOf(salt));
}

const RULES: readonly (readonly [string, Partial<NameRules>])[] = [
  ["without rules", {}],
  ["with a default domain", { defaultDomain: "Example.com" }],
  ["with all forms", {
    defaultDomain: "example.com",
    folderSeparator: "+",
    masterUserSeparator: "*",
    delegates: true,
    ntlmDomain: "EXAMPLE",
  }],
];

const spellingsOf = (name: string) => {
  const capital = name[0]!.toUpperCase() + name.slice(1);
  const bare = [
    name,
    capital,
    name.toUpperCase(),
    `${name}+Work`,
    `x*${capital}`,
    `EXAMPLE\\${name}`,
  ];
  const full = ["@example.com", "@EXAMPLE.com", "@other.org"].flatMap((domain) =>
    [name, name.toUpperCase(), `${name}+Work`].map((local) => local + domain)
  );
  return [...bare, ...full];
};

for (const [title, rules] of RULES) {
  test(`${title}: spellings of users and of nobody are alike in the same way`, async () => {
    const ask = server([
      await fileOf([
        withKeys("alice"),
        withKeys("Carol"),
        withKeys("dora@example.com"),
        withKeys("Emil@Example.COM"),
        "frank:{PLAIN}x",
        "gina@example.com:!",
        "Henry@example.com:{PLAIN}x",
        withKeys("dora@other.org"),
      ]),
    ], rules);
    const nobody = await alike(ask, spellingsOf("nobody"));
    for (const name of ["alice", "carol", "dora", "emil", "frank", "gina", "henry"]) {
      deepStrictEqual(await alike(ask, spellingsOf(name)), nobody, name);
    }
  });
}

test("a user of a name with capitals is sent his own salt in every spelling", async () => {
  const ask = server([await fileOf([withKeys("Carol")])]);
  const stored = Buffer.alloc(16, made - 3).toString("base64");
  for (const spelling of ["Carol", "carol", "CAROL"]) {
    strictEqual((await ask(spelling)).salt, stored);
  }
});

test("where all keys come from elsewhere, unknown users and those without keys look like them", async () => {
  const lines = [withKeys("alice", 4_096, 40), withKeys("bob", 4_096, 40), "carol:{PLAIN}x"];
  const ask = server([await fileOf(lines)]);
  for (const name of ["alice", "carol", "nobody", "somebody"]) {
    const { iterations, saltOctets } = await ask(name);
    deepStrictEqual({ name, iterations, saltOctets }, { name, iterations: 4_096, saltOctets: 40 });
  }
});

test("with keys of several makes each is seen among unknown users and those without keys", async () => {
  const lines = [
    ...Array.from({ length: 10 }, (_, at) => withKeys(`new${at}`, 100_000, 16)),
    ...Array.from({ length: 10 }, (_, at) => withKeys(`old${at}`, 4_096, 12)),
    ...Array.from({ length: 100 }, (_, at) => `none${at}:{PLAIN}x`),
  ];
  const ask = server([await fileOf(lines)]);
  for (const kind of ["none", "nobody"]) {
    const shapes: string[] = [];
    for (let at = 0; at < 100; at++) {
      const { iterations, saltOctets } = await ask(`${kind}${at}`);
      shapes.push(`${iterations} ${saltOctets}`);
    }
    deepStrictEqual(new Set(shapes), new Set(["100000 16", "4096 12"]));
    const old = shapes.filter((shape) => shape === "4096 12").length;
    ok(old > 25 && old < 75, `${old} of 100 ${kind}`);
  }
});

test("keys of a directory further back have their shapes among the unknown users'", async () => {
  const first = await fileOf([withKeys("alice", 4_096)]);
  const second = await fileOf([withKeys("bob", 8_192)]);
  const ask = server([first, second]);
  // At the same time, since with several directories each answer waits a moment.
  const seen = await Promise.all(Array.from({ length: 60 }, (_, at) => ask(`nobody${at}`)));
  deepStrictEqual(new Set(seen.map(({ iterations }) => iterations)), new Set([4_096, 8_192]));
});

test("what is made up for a name stays the same over a restart", async () => {
  const lines = [withKeys("alice", 4_096), withKeys("bob", 8_192)];
  const [before, again] = [server([await fileOf(lines)]), server([await fileOf(lines)])];
  for (let at = 0; at < 20; at++) {
    deepStrictEqual(await again(`nobody${at}`), await before(`nobody${at}`));
  }
});

test("a made-up salt of another length shows nothing of the shorter one", async () => {
  const short = await server([await fileOf([withKeys("alice", 4_096, 16)])])("nobody");
  const long = await server([await fileOf([withKeys("alice", 4_096, 64)])])("nobody");
  strictEqual(Buffer.from(long.salt, "base64").length, 64);
  notStrictEqual(
    Buffer.from(long.salt, "base64").subarray(0, 16).toString("hex"),
    Buffer.from(short.salt, "base64").toString("hex"),
  );
  const parts = Buffer.from(long.salt, "base64").toString("hex").match(/.{64}/g)!;
  notStrictEqual(parts[0], parts[1], "no part of it comes twice");
});
