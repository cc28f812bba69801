/** What a guesser meets, and what those who know their password do not. */

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { logged } from "./server_log.ts";

const GUESSER = "127.0.0.66";
const OFFICE = "127.0.0.2";

const SETTINGS = `
login_type = "plaintext_login"
max_failed_logins = 1000
failed_login_delay = "0"
`;

/** Each guess is another one. */
let guesses = 0;

async function from(server: RunningServer, localAddress: string): Promise<Pop3Client> {
  return await server.connect({ localAddress });
}

/** The answer to a password: "+OK" or the response code of the refusal. */
async function tryPassword(
  client: Pop3Client,
  user: string,
  password = `guess ${guesses++}`,
): Promise<string> {
  await client.ok(`USER ${user}`);
  const { line } = await client.command(`PASS ${password}`);
  return /^-ERR \[([A-Z/-]+)\]/.exec(line)?.[1] ?? line.slice(0, 3);
}

async function guess(client: Pop3Client, user: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) assert.equal(await tryPassword(client, user), "AUTH");
}

describe("on a server with the usual limits", () => {
  let server: RunningServer;
  before(async () => {
    server = await startServer({ settings: SETTINGS, users: ["alice", "bob", "carol"] });
  });
  after(() => server.stop());

  test("thirty wrong passwords from an address, and it is refused, also the right one", async () => {
    const since = server.log.length;
    const guesser = await from(server, GUESSER);
    await guess(guesser, "alice", 30);
    assert.equal(await tryPassword(guesser, "alice"), "LOGIN-DELAY");
    assert.equal(await tryPassword(guesser, "nobody"), "LOGIN-DELAY");
    const another = await from(server, GUESSER);
    assert.equal(await tryPassword(another, "bob", PASSWORD), "LOGIN-DELAY", "on any connection");
    await logged(server, {
      since,
      message: "too many failed logins; an address is refused",
      address: GUESSER,
      failures: 30,
    });
    await logged(server, { since, message: "login failed", address: GUESSER, cause: "delayed" });

    const owner = await from(server, OFFICE);
    assert.equal(await tryPassword(owner, "alice", PASSWORD), "+OK", "its owner, from elsewhere");
  });

  test("a telephone with an old password does not shut out its office", async () => {
    const telephone = await from(server, OFFICE);
    for (let at = 0; at < 100; at++) {
      assert.equal(await tryPassword(telephone, "bob", "of last year"), "AUTH");
    }
    assert.equal(await tryPassword(telephone, "bob", PASSWORD), "+OK");
  });

  test("a guesser learns nothing of who exists", async () => {
    const outcomes = async (address: string, user: string) => {
      const client = await from(server, address);
      const answers: string[] = [];
      for (let at = 0; at < 33; at++) answers.push(await tryPassword(client, user));
      return answers;
    };
    assert.deepEqual(await outcomes("127.0.0.68", "carol"), await outcomes("127.0.0.69", "nobody"));
  });

  test("thirty guesses sent at the same time are not more than thirty one by one", async () => {
    const clients = await Promise.all(
      Array.from({ length: 60 }, () => from(server, "127.0.0.70")),
    );
    const answers = await Promise.all(clients.map((client) => tryPassword(client, "alice")));
    assert.equal(answers.filter((answer) => answer === "AUTH").length, 30);
    assert.equal(answers.filter((answer) => answer === "LOGIN-DELAY").length, 30);
  });
});

test("an account under attack is closed to those who failed, and open to its owner", async () => {
  const server = await startServer({
    settings: `${SETTINGS}max_failed_logins_per_user = 10`,
    users: ["alice"],
  });
  try {
    for (let at = 0; at < 10; at++) {
      await guess(await from(server, `127.0.1.${at + 1}`), "alice", 1);
    }
    assert.equal(
      await tryPassword(await from(server, "127.0.1.1"), "alice", PASSWORD),
      "LOGIN-DELAY",
    );
    assert.equal(await tryPassword(await from(server, OFFICE), "alice", PASSWORD), "+OK");
  } finally {
    await server.stop();
  }
});

test("a restart does not let a guesser begin anew", async () => {
  let server = await startServer({ settings: SETTINGS, users: ["alice"] });
  try {
    await guess(await from(server, GUESSER), "alice", 30);
    await guess(await from(server, OFFICE), "alice", 29);
    assert.equal(await server.halt(), 0);
    assert.equal(statSync(`${server.folder}/state/failed_logins.json`).mode & 0o777, 0o600);
    server = await startServer({ settings: SETTINGS, folder: server.folder });
    assert.equal(await tryPassword(await from(server, GUESSER), "alice"), "LOGIN-DELAY");
    await guess(await from(server, OFFICE), "alice", 1);
    assert.equal(await tryPassword(await from(server, OFFICE), "alice"), "LOGIN-DELAY");
  } finally {
    await server.stop();
  }
});

test("an address that is never blocked may fail as often as it likes", async () => {
  const server = await startServer({
    settings: `${SETTINGS}never_blocked_addresses = ["127.0.0.0/30"]`,
    users: ["alice"],
  });
  try {
    await guess(await from(server, OFFICE), "alice", 50);
    assert.equal(await tryPassword(await from(server, OFFICE), "alice", PASSWORD), "+OK");
    await guess(await from(server, GUESSER), "alice", 30);
    assert.equal(await tryPassword(await from(server, GUESSER), "alice"), "LOGIN-DELAY");
  } finally {
    await server.stop();
  }
});

/** What `popkeep user` makes of "secret", at a twentieth of its cost. */
const HASHED =
  "{ARGON2ID}$argon2id$v=19$m=4096,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$uOjdlTaIaPIbjbXDu/A+Z68LqK8PJ60Yk89bBO6s7WA";

test("a flood of wrong passwords does not make a right one from elsewhere wait for it", async () => {
  const server = await startServer({
    // Nobody is refused: all of the flood is to be hashed, by one thread.
    settings: `${SETTINGS}
      max_failed_logins_from_single_address = 1000
      password_workers = 1`,
    users: [["alice", HASHED]],
  });
  try {
    const flood = await Promise.all(Array.from({ length: 60 }, () => from(server, GUESSER)));
    const owner = await from(server, OFFICE);
    let answered = 0;
    const guessing = flood.map(async (client) => {
      assert.equal(await tryPassword(client, "alice"), "AUTH");
      answered++;
    });
    // The first two answers show that the flood is there and being worked at.
    while (answered < 2) await new Promise((done) => setTimeout(done, 1));
    const before = answered;
    assert.equal(await tryPassword(owner, "alice", PASSWORD), "+OK");
    const between = answered - before;
    assert.ok(between < 30, `${between} of the flood were answered before it`);
    await Promise.all(guessing);
  } finally {
    await server.stop();
  }
});

test("when the server stops, who waits for the answer to a failed login gets it", async () => {
  const server = await startServer({
    // The fourth answer waits for longer than the server takes to stop.
    settings: `
      login_type = "plaintext_login"
      failed_login_delay = "15s"
      shutdown_grace_period = "10s"
      max_failed_logins_from_single_address = 4`,
    users: ["alice"],
  });
  try {
    const client = await from(server, GUESSER);
    await guess(client, "alice", 3);
    await client.ok("USER alice");
    const since = server.log.length;
    await client.send(["PASS the fourth"]);
    await logged(server, { since, message: "too many failed logins; an address is refused" });
    const stopped = server.halt();
    assert.match((await client.reply()).line, /^-ERR \[AUTH\]/);
    assert.equal(await stopped, 0);
  } finally {
    await server.stop();
  }
});
