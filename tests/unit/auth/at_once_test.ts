/** That the login of a client which polls waits for nothing: each wait would cost as much as all its work. */

import { ok, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { andThen } from "../../../src/auth/at_once.ts";
import { Authenticator } from "../../../src/auth/authenticator.ts";
import type { PasswordCheck } from "../../../src/auth/hash_pool.ts";
import type { LoginOutcome } from "../../../src/auth/login.ts";
import { plainMechanism } from "../../../src/auth/mechanisms/plain.ts";
import { openPasswdFile } from "../../../src/auth/user_file/passwd_file.ts";
import { octets, openGuard } from "./guessing_setup.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-at-once-`);
after(() => rmSync(folder, { recursive: true }));

const HOME = "192.0.2.7";
const ELSEWHERE = "192.0.2.8";

/** A user file, a clock that stands still, a guard that counts and a pool that counts its hashes. */
async function desks() {
  const path = `${folder}/users`;
  writeFileSync(path, "alice:{PLAIN}secret\nbob:{PLAIN}other:::::: allow_nets=203.0.113.1\n");
  utimesSync(path, 1_000_000, 1_000_000);
  const clock = { nowMs: Date.now() };
  const { guard } = await openGuard();
  let hashes = 0;
  const authenticator = new Authenticator({
    directories: [await openPasswdFile(path, { nowMs: () => clock.nowMs })],
    hashPool: {
      check: (stored, password): Promise<PasswordCheck> => {
        hashes++;
        const right = stored === `{PLAIN}${new TextDecoder().decode(password)}`;
        return Promise.resolve(right ? "right" : "wrong");
      },
    },
    passwordMemoryMs: 60_000,
    nowMs: () => clock.nowMs,
    guard,
  });
  return {
    clock,
    hashes: () => hashes,
    logIn: (user: string, password: string, address = HOME) =>
      authenticator.deskFor(address).checkPassword(user, octets(password)),
    plain: (response: string) =>
      plainMechanism(authenticator.deskFor(HOME).checkPassword).start().next(octets(response)),
  };
}

function kindAtOnce(outcome: LoginOutcome | Promise<LoginOutcome>): string {
  return outcome instanceof Promise ? "a promise" : outcome.kind;
}

test("a login that is remembered is granted at once", async () => {
  const { logIn, plain, hashes } = await desks();
  const first = logIn("alice", "secret");
  ok(first instanceof Promise, "a hash is waited for");
  strictEqual((await first).kind, "granted");
  for (let again = 0; again < 3; again++) {
    strictEqual(kindAtOnce(logIn("Alice", "secret")), "granted");
  }
  const step = plain("\0alice\0secret");
  ok(!(step instanceof Promise), "AUTH PLAIN too");
  strictEqual(step.kind, "done");
  strictEqual(hashes(), 1);
});

test("what is not remembered waits: the client's address, a password, a name, a closed network", async () => {
  const { logIn, hashes } = await desks();
  strictEqual((await logIn("alice", "secret")).kind, "granted");
  strictEqual(kindAtOnce(logIn("alice", "secret", ELSEWHERE)), "a promise");
  const before = hashes();
  const others = [["alice", "wrong"], ["nobody", "secret"], ["bob", "other"]] as const;
  for (const [user, password] of others) {
    const outcome = logIn(user, password);
    ok(outcome instanceof Promise, user);
    strictEqual((await outcome).kind, "refused", user);
  }
  strictEqual(hashes(), before + others.length, "each costs one hash, whoever exists");
});

test("who has failed from here stands in line again until that is forgotten", async () => {
  const { logIn } = await desks();
  strictEqual((await logIn("alice", "secret")).kind, "granted");
  strictEqual((await logIn("alice", "wrong")).kind, "refused");
  const again = logIn("alice", "secret");
  ok(again instanceof Promise, "the guard has to look at the counts");
  strictEqual((await again).kind, "granted");
});

test("a second after the last look the user file is looked at, which is waited for", async () => {
  const { logIn, clock } = await desks();
  await logIn("alice", "secret");
  clock.nowMs += 1_001;
  const looking = logIn("alice", "secret");
  ok(looking instanceof Promise);
  strictEqual((await looking).kind, "granted");
  strictEqual(kindAtOnce(logIn("alice", "secret")), "granted");
});

test("andThen goes on at once or when it is time, and hands errors on", async () => {
  strictEqual(andThen(1, (one) => one + 1), 2);
  const later = andThen(Promise.resolve(1), (one) => one + 1);
  ok(later instanceof Promise);
  strictEqual(await later, 2);
});
