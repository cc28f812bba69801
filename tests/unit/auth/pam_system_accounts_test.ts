/** PAM's pam_unix with real accounts, which are made for the test and removed: takes root. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { copyFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPamDirectory, type PamDirectory } from "../../../src/auth/directories/pam.ts";
import { PamServices, RIGHT_HASH } from "../../support/pam_service.ts";
import { administer, mayMakeAccounts, withSystemAccount } from "../../support/system_account.ts";

const RIGHT = Buffer.from("right");
const WRONG = { kind: "wrong" };
const HOME = "/nonexistent/home";

/** Runs `work` with an account of `useradd`'s making and these options. */
async function withAccount(
  options: readonly string[],
  work: (directory: PamDirectory, user: string) => Promise<void>,
): Promise<void> {
  const services = new PamServices();
  const service = services.add(
    "auth required pam_unix.so nullok",
    "account required pam_unix.so",
  );
  const directory = openPamDirectory({ service, confdir: services.folder, timeLimitMs: 60_000 });
  try {
    await withSystemAccount(
      ["--home-dir", HOME, ...options],
      (user) => work(directory, user),
    );
  } finally {
    await directory.close();
    services.remove();
  }
}

test("the service file that comes with popkeep lets system accounts in by the system's rules", {
  skip: !mayMakeAccounts,
}, async () => {
  const services = new PamServices();
  const file = fileURLToPath(new URL("../../../share/popkeep.pam", import.meta.url));
  copyFileSync(file, `${services.folder}/popkeep`);
  const directory = openPamDirectory({ confdir: services.folder, timeLimitMs: 60_000 });
  try {
    await withAccount(withPassword, async (_, user) => {
      strictEqual((await directory.checkPassword(user, RIGHT, undefined)).kind, "right");
      deepStrictEqual(await directory.checkPassword(user, Buffer.from("other"), undefined), WRONG);
    });
  } finally {
    await directory.close();
    services.remove();
  }
});

const withPassword = ["--password", RIGHT_HASH];

test("a system account logs in with its password, and no other", {
  skip: !mayMakeAccounts,
}, async () => {
  await withAccount(withPassword, async (directory, user) => {
    deepStrictEqual(await directory.checkPassword(user, RIGHT, "192.0.2.1"), {
      kind: "right",
      entry: {
        account: { user, home: HOME, extra: {} },
        storedPassword: "",
        disabled: false,
      },
    });
    deepStrictEqual(await directory.checkPassword(user, Buffer.from("other"), undefined), WRONG);
    strictEqual((await directory.lookUp(user))?.account.user, user);
  });
});

test("an account of the system's own does not log in with its password", {
  skip: !mayMakeAccounts,
}, async () => {
  await withAccount(["--system", ...withPassword], async (directory, user) => {
    deepStrictEqual(await directory.checkPassword(user, RIGHT, undefined), WRONG);
    strictEqual(await directory.lookUp(user), undefined);
  });
});

test("an account that has expired is disabled to who knows its password", {
  skip: !mayMakeAccounts,
}, async () => {
  await withAccount(["--expiredate", "2000-01-01", ...withPassword], async (directory, user) => {
    const check = await directory.checkPassword(user, RIGHT, undefined);
    ok(check.kind === "right");
    strictEqual(check.entry.disabled, true);
    deepStrictEqual(await directory.checkPassword(user, Buffer.from("other"), undefined), WRONG);
    strictEqual((await directory.lookUp(user))?.disabled, true);
  });
});

test("an account whose password has to be changed is disabled to who knows it", {
  skip: !mayMakeAccounts,
}, async () => {
  await withAccount(withPassword, async (directory, user) => {
    await administer("chage", "--lastday", "0", user);
    const check = await directory.checkPassword(user, RIGHT, undefined);
    ok(check.kind === "right");
    strictEqual(check.entry.disabled, true);
  });
});

test("an account without a password lets nobody in, whatever the service says", {
  skip: !mayMakeAccounts,
}, async () => {
  await withAccount(["--password", ""], async (directory, user) => {
    deepStrictEqual(await directory.checkPassword(user, RIGHT, undefined), WRONG);
  });
});

test("a locked account does not log in", { skip: !mayMakeAccounts }, async () => {
  await withAccount(["--password", `!${RIGHT_HASH}`], async (directory, user) => {
    deepStrictEqual(await directory.checkPassword(user, RIGHT, undefined), WRONG);
  });
});
