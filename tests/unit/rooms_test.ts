/** The walls between the rooms of src/, read from its import lines, and proof that the reading sees. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { roomFaults } from "../support/rooms.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));

function sourceFiles(): string[] {
  const inside = readdirSync(`${project}/src`, { recursive: true, encoding: "utf8" });
  return ["main.ts", ...inside.filter((name) => name.endsWith(".ts")).map((name) => `src/${name}`)];
}

test("no room imports a room that it may not know", () => {
  const files = sourceFiles();
  assert.ok(files.length > 20, "the files of src/ are found");
  const faults = files.flatMap((path) =>
    roomFaults(path, readFileSync(`${project}/${path}`, "utf8"))
  );
  assert.deepEqual(faults, []);
});

const CROSSINGS: readonly [string, string, string, RegExp][] = [
  [
    "the session imports the Maildir",
    "src/session/a.ts",
    'import { MaildirStore } from "../maildir/store.ts";',
    /imports src\/maildir\/store\.ts, but the room session may import/,
  ],
  [
    "the session imports a user directory",
    "src/session/a.ts",
    'import type { User } from "../auth/passwd_file.ts";',
    /imports src\/auth\/passwd_file\.ts/,
  ],
  [
    "an import runs over several lines",
    "src/wire/a.ts",
    'import {\n  a,\n  b,\n} from "../session/session.ts";',
    /the room wire may import no other room/,
  ],
  [
    "a re-export crosses",
    "src/maildrop/a.ts",
    'export * from "../maildir/store.ts";',
    /imports src\/maildir\/store\.ts/,
  ],
  [
    "a dynamic import crosses",
    "src/message/a.ts",
    'const a = await import("../net/listener.ts");',
    /imports src\/net\/listener\.ts/,
  ],
  [
    "a worker of another room is started",
    "src/maildir/a.ts",
    'new Worker(new URL("../auth/hash_worker.ts", import.meta.url));',
    /imports src\/auth\/hash_worker\.ts/,
  ],
  [
    "a value is taken where only types may be",
    "src/admin/a.ts",
    'import { Session } from "../session/session.ts";',
    /takes more than types/,
  ],
  [
    "a pure file imports I/O",
    "src/session/a.ts",
    'import { readFileSync } from "node:fs";',
    /imports node:fs, and it is a pure file/,
  ],
  [
    "a mechanism imports a package",
    "src/auth/mechanisms/plain.ts",
    'import { getLogger } from "@logtape/logtape";',
    /it is a pure file/,
  ],
  ["a pure file reads the clock", "src/wire/a.ts", "const now = Date.now();", /reads the clock/],
  [
    "a pure file reads the fine clock",
    "src/message/a.ts",
    "const now = performance.now();",
    /reads the clock/,
  ],
  ["a pure file sets a timer", "src/session/a.ts", "setTimeout(f, 10);", /sets a timer/],
  ["a pure file throws dice", "src/maildrop/a.ts", "Math.random()", /throws dice/],
  [
    "a room other than net opens a socket",
    "src/admin/a.ts",
    'import net from "node:net";',
    /only the room net knows sockets/,
  ],
  [
    "a room takes isIP and a socket from node:net",
    "src/settings/a.ts",
    'import { connect, isIP } from "node:net";',
    /only the room net knows sockets/,
  ],
  [
    "a runtime is named inside a template",
    "src/cli/a.ts",
    "const text = `built for ${Bun.version}`;",
    /names Bun or Deno/,
  ],
  [
    "a package strays into a room",
    "src/net/a.ts",
    'import { z } from "zod";',
    /imports the package zod/,
  ],
  ["a room names a runtime", "src/net/a.ts", "if (Bun.gc) Bun.gc();", /names Bun or Deno/],
  ["a file has a name that says nothing", "src/net/utils.ts", "", /does not say what it holds/],
  ["a room is not in the table", "src/attic/a.ts", "", /stands in no room/],
];

for (const [what, path, source, sentence] of CROSSINGS) {
  test(`the check of rooms speaks up when ${what}`, () => {
    const faults = roomFaults(path, source);
    assert.equal(faults.length, 1, faults.join("\n"));
    assert.match(faults[0]!, sentence);
  });
}

const ALLOWED: readonly [string, string, string][] = [
  ["limits", "src/wire/a.ts", 'import { COMMAND_OCTETS } from "../limits.ts";'],
  ["its own files", "src/wire/a.ts", 'import { b } from "./b.ts";'],
  ["types where types are allowed", "src/auth/a.ts", 'import type { A } from "../maildrop/a.ts";'],
  [
    "named types where types are allowed",
    "src/auth/a.ts",
    'import { type A } from "../maildrop/a.ts";',
  ],
  ["the word Date in a comment", "src/wire/a.ts", "// Date.now() is what this does not do\n"],
  ["isIP of node:net", "src/settings/a.ts", 'import { isIP, isIPv4 } from "node:net";'],
  ["the word Bun in a template", "src/cli/a.ts", "const text = `built for Bun ${version}`;"],
  ["the word Deno in a string", "src/cli/a.ts", 'const text = "built for Deno";'],
];

for (const [what, path, source] of ALLOWED) {
  test(`the check of rooms lets a file have ${what}`, () => {
    assert.deepEqual(roomFaults(path, source), []);
  });
}
