/** A server whose users are known to a checkpassword program, or to the system's PAM. */

import { ok, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { RIGHT_HASH } from "../support/pam_service.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { mayMakeAccounts, withSystemAccount } from "../support/system_account.ts";
import { TestMaildir } from "../support/test_maildir.ts";

/** The password of all is "right"; slow's takes for ever, broken's cannot be found out. */
const PROGRAM = String.raw`#!/bin/sh
{ IFS= read -r user; IFS= read -r password; } <<END
$(head -c 512 <&3 | tr '\000' '\n')
END
exec 3<&-
case $user in
slow) exec sleep 600 ;;
broken) exit 111 ;;
closed) export EXTRA=nologin nologin=1 ;;
away) export EXTRA=allow_nets allow_nets=192.0.2.0/24 ;;
esac
[ "$password" = right ] || exit 1
export USER="$user" HOME="$1/$user"
shift
exec "$@"
`;

interface Place {
  readonly server: RunningServer;
  readonly folder: string;
}

async function withDirectory(
  lines: (folder: string) => readonly string[],
  run: (place: Place) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-outside-`);
  writeFileSync(`${folder}/checkpassword`, PROGRAM, { mode: 0o755 });
  const server = await startServer({
    settings: ['login_type = "plaintext_login"', "[[directories]]", ...lines(folder)].join("\n"),
  });
  try {
    await run({ server, folder });
    ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const checkpassword = (folder: string) => [
  'kind = "checkpassword"',
  `program = ["${folder}/checkpassword", "${folder}"]`,
  'timeout = "3s"',
];

/** The response code of a refusal, or "+OK". */
async function loginCode(server: RunningServer, user: string, password: string): Promise<string> {
  const client = await server.connect();
  await client.ok(`USER ${user}`);
  const { status, code } = await client.command(`PASS ${password}`);
  await client.quit();
  return status === "+OK" ? status : String(code);
}

test("a checkpassword program decides who logs in, and says where the mail is", async () => {
  await withDirectory(checkpassword, async ({ server, folder }) => {
    new TestMaildir(`${folder}/alice/Maildir`).deliver("Subject: one\n\nthe body\n");
    const client = await server.connect();
    await client.login("alice", "right");
    ok((await client.ok("STAT")).startsWith("1 "));
    await client.quit();
    strictEqual(await loginCode(server, "alice", "other"), "AUTH");
  });
});

test("what a checkpassword program says of an account has its own answer", async () => {
  await withDirectory(checkpassword, async ({ server }) => {
    strictEqual(await loginCode(server, "closed", "right"), "SYS/PERM");
    strictEqual(await loginCode(server, "closed", "other"), "AUTH");
    strictEqual(await loginCode(server, "away", "right"), "AUTH");
    strictEqual(await loginCode(server, "broken", "right"), "SYS/TEMP");
    await server.untilLogged(/exited with 111/);
  });
});

test("a checkpassword program that hangs holds up nobody else", async () => {
  await withDirectory(checkpassword, async ({ server }) => {
    const slow = loginCode(server, "slow", "right");
    let isOver = false;
    void slow.then(() => isOver = true);
    strictEqual(await loginCode(server, "alice", "right"), "+OK");
    strictEqual(isOver, false);
    strictEqual(await slow, "SYS/TEMP");
  });
});

test("an account of the system logs in by PAM, and root does not", {
  skip: !mayMakeAccounts,
}, async () => {
  // Of Debian's, for services that have no file of their own.
  const pam = () => ['kind = "pam"', 'service = "other"'];
  await withDirectory(pam, async ({ server, folder }) => {
    const options = ["--home-dir", `${folder}/home`, "--password", RIGHT_HASH];
    await withSystemAccount(options, async (user) => {
      new TestMaildir(`${folder}/home/Maildir`).deliver("Subject: one\n\nthe body\n");
      const client = await server.connect();
      await client.login(user, "right");
      ok((await client.ok("STAT")).startsWith("1 "));
      await client.quit();
      strictEqual(await loginCode(server, user, "other"), "AUTH");
      strictEqual(await loginCode(server, "root", "right"), "AUTH");
    });
  });
});
