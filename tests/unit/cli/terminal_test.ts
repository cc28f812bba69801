/** Passwords asked for at a terminal: hidden, twice, and broken off. */

import { ok, strictEqual } from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { type Dialogue, popkeepAtTerminal } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-terminal-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

function setUp() {
  const folder = `${root}/${made++}`;
  mkdirSync(folder);
  writeFileSync(
    `${folder}/popkeep.toml`,
    'ssl_bindings = []\nmaildir = "{user}"\npassword_scheme = "PLAIN"\n',
  );
  writeFileSync(`${folder}/users`, "");
  return {
    users: () => readFileSync(`${folder}/users`, "utf8"),
    run: (args: string[], ...dialogue: Dialogue) => popkeepAtTerminal(args, { folder, dialogue }),
  };
}

const NEW = "New password for alice: ";
const AGAIN = "Again: ";

test("a new password is asked for twice and never shown", async () => {
  const { run, users } = setUp();
  const { exitCode, screen } = await run(
    ["user", "add", "alice"],
    [NEW, "s3cret\r"],
    [AGAIN, "s3cret\r"],
  );
  strictEqual(exitCode, 0, screen);
  ok(!screen.includes("s3cret"), screen);
  ok(screen.includes("Added alice"), screen);
  strictEqual(users(), "alice:{PLAIN}s3cret::::::\n");
});

test("two passwords that differ change nothing", async () => {
  const { run, users } = setUp();
  const { exitCode, screen } = await run(
    ["user", "add", "alice"],
    [NEW, "s3cret\r"],
    [AGAIN, "s3crte\r"],
  );
  strictEqual(exitCode, 65);
  ok(screen.includes("popkeep: the two passwords differ; nothing was changed\n"), screen);
  strictEqual(users(), "");
});

test("an empty password is refused before it is asked for again", async () => {
  const { run, users } = setUp();
  const { exitCode, screen } = await run(["user", "add", "alice"], [NEW, "\r"]);
  strictEqual(exitCode, 65);
  ok(!screen.includes(AGAIN), screen);
  strictEqual(users(), "");
});

test("a hidden line can be edited, character by character, and arrow keys do nothing", async () => {
  const { run, users } = setUp();
  const { exitCode } = await run(
    ["user", "add", "alice"],
    [NEW, "wrong\x15a\u00e9\u6625\x7f\x7fb\x1b[A\x1bOBc\x08d\r"],
    [AGAIN, "abd\r"],
  );
  strictEqual(exitCode, 0);
  strictEqual(users(), "alice:{PLAIN}abd::::::\n");
});

test("what is pasted ahead answers both questions", async () => {
  const { run, users } = setUp();
  const { exitCode } = await run(["user", "add", "alice"], [NEW, "s3cret\rs3cret\r"]);
  strictEqual(exitCode, 0);
  strictEqual(users(), "alice:{PLAIN}s3cret::::::\n");
});

test("Ctrl-C breaks off and leaves everything as it was", async () => {
  const { run, users } = setUp();
  const { exitCode, screen } = await run(["user", "add", "alice"], [NEW, "s3c\x03"]);
  strictEqual(exitCode, 130);
  ok(screen.endsWith("popkeep: stopped at the keyboard\n"), screen);
  strictEqual(users(), "");
});

test("init asks for the name, shown, and for the password, hidden", async () => {
  const { run } = setUp();
  const { exitCode, screen } = await run(
    ["init", "new"],
    ["Name of the first user: ", "alice\n"],
    [NEW, "s3cret\r"],
    [AGAIN, "s3cret\r"],
  );
  strictEqual(exitCode, 0, screen);
  ok(screen.includes("first user: alice\n"), screen);
  ok(!screen.includes("s3cret"), screen);
});

test("a known password is asked for once", async () => {
  const { run } = setUp();
  await run(["user", "add", "alice"], [NEW, "s3cret\rs3cret\r"]);
  const right = await run(["user", "test", "alice"], ["Password of alice: ", "s3cret\r"]);
  strictEqual(right.exitCode, 0, right.screen);
  const wrong = await run(["user", "test", "alice"], ["Password of alice: ", "secret\r"]);
  strictEqual(wrong.exitCode, 77, wrong.screen);
});
